"""The database is lost: every request that needs it says so, until it is back."""

import secrets
import signal
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from types import ModuleType
from typing import Any

import httpx
import pytest

from ..client import BOOKS, PASSWORD, REPORTS, TOKEN, USERS, book, common_headers, prompt, token_of
from ..document import operations
from ..generated import Generated
from ..processes import until
from ..service import Service
from ..test_one_client import People
from .outages import HOW, ask, create, done, lost, status, unavailable, unread


def connected(service: Service) -> None:
    """Let every process have a connection to the database, which it is about to lose."""
    for process in service.web_processes():
        with service.only(process) as client:
            assert client.get(unread()).status_code == 200


def back(service: Service) -> None:
    """Check that every process uses the database again, at the first request."""
    for process in service.web_processes():
        with service.only(process) as client:
            assert [client.get(unread()).status_code for _ in range(5)] == [200] * 5
            assert client.get("/readyz").status_code == 200


@HOW
def test_without_the_database_requests_are_503(
    service: Service, anonymous: httpx.Client, user: httpx.Client, how: str
) -> None:
    """503 with `Retry-After` when the database is out of reach, for every request that needs it.

    So says the token endpoint too, not "wrong password". Once the database is back, what has
    noticed that it was lost is served again without a restart, at the first request.
    """
    path = create(user)
    form = {"grant_type": "password", "username": "a@example.org", "password": PASSWORD}
    account = {"email": f"{secrets.token_hex(8)}@example.org", "password": PASSWORD}
    requests: list[tuple[str, str, Any]] = [
        ("GET", unread(), None),
        ("GET", path, None),
        ("POST", BOOKS, book()),
        ("PATCH", path, {"title": "Kindred"}),
        ("DELETE", path, None),
        ("POST", USERS, account),
    ]
    if service.has_tasks:
        requests.append(("POST", REPORTS, None))
    connected(service)
    with lost(service.database, how), ThreadPoolExecutor(len(requests) + 1) as pool:
        answers = [
            pool.submit(user.request, method, where, json=body) for method, where, body in requests
        ]
        token = pool.submit(anonymous.post, TOKEN, data=form).result()
        for answer in answers:
            unavailable(answer.result())
    assert token.status_code == 503
    assert token.headers["Retry-After"]
    common_headers(token)
    back(service)


def test_a_lost_database_is_what_the_document_says(
    service: Service, user: httpx.Client, package: ModuleType
) -> None:
    """Every operation that the document gives a 503 has it, of the schema that is named there."""
    models, nobody = package.models, Generated(package, service.base_url)
    people = People(models, nobody, Generated(package, service.base_url, token_of(user)), nobody)
    calls = {
        name: partial(getattr(people.user, name), **people.arguments(name))
        for name, (*_, statuses) in operations(service).items()
        if 503 in statuses and name != "read_current_user"  # who may be in the cache
    }
    connected(service)
    with lost(service.database, "killed"):
        answers = {name: call() for name, call in calls.items()}
    for name, answer in answers.items():
        kind = models.Health if name == "readiness" else models.Problem
        assert (name, answer.status_code, type(answer.parsed)) == (name, 503, kind)
    back(service)


@HOW
def test_a_lost_database_is_not_ready(service: Service, anonymous: httpx.Client, how: str) -> None:
    """`/readyz` is 503 with the database as `"error"`, within 2 s, from every process."""
    with lost(service.database, how):
        for process in service.web_processes():
            with service.only(process) as client:
                answers = [client.get("/readyz") for _ in range(2)]
            for response in answers:
                assert response.status_code == 503
                assert response.json()["checks"]["database"] == "error"
                assert response.json()["status"] not in {"ok", "degraded"}
                common_headers(response)
            assert prompt((answer.elapsed.total_seconds() for answer in answers), limit=2)


@HOW
def test_with_everything_lost_it_is_alive_and_says_what_fails(
    service: Service, anonymous: httpx.Client, how: str
) -> None:
    """`/healthz` touches no other system; `/readyz` answers within 2 s whatever is down."""
    with (
        lost(service.database, how),
        lost(service.cache, how),
        lost(service.broker, how),
    ):
        health = [anonymous.get("/healthz") for _ in range(2)]
        readiness = [anonymous.get("/readyz") for _ in range(2)]
    for alive in health:
        assert (alive.status_code, alive.json()) == (200, {"status": "ok"})
    assert prompt((answer.elapsed.total_seconds() for answer in health), limit=1)
    checks = {"database": "error"} | ({"cache": "error"} if service.has_cache else {})
    for ready in readiness:
        assert ready.status_code == 503
        assert ready.json()["checks"] == checks
    assert prompt((answer.elapsed.total_seconds() for answer in readiness), limit=2)


@HOW
def test_a_database_that_is_back_is_used_by_every_process(service: Service, how: str) -> None:
    """Served again at the first request also where nobody has noticed that it was lost."""
    connected(service)
    with lost(service.database, how):
        pass
    back(service)


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT], ids=["crash", "shutdown"])
def test_a_database_lost_in_mid_request_is_503(
    service: Service, user: httpx.Client, number: signal.Signals
) -> None:
    """A request that the database leaves in the lurch is 503 as well, not 500."""
    path = create(user)
    with ThreadPoolExecutor(1) as pool:
        with service.locked("book") as holder:
            answer = pool.submit(user.patch, path, json={"title": "Kindred"})
            until(service.waiting, within=20, failing="the request does not wait")
            if number == signal.SIGKILL:
                service.database.kill()
            else:
                # Who holds the lock ends last: else the request might be done before its turn.
                service.database.keep(holder)
                service.database.terminate()
                answer.result()
                service.database.stop()
        unavailable(answer.result())
    service.database.start()
    assert user.get(path).json()["title"] == book()["title"]


def test_a_lost_database_tells_no_secret_to_the_log(
    service: Service, anonymous: httpx.Client
) -> None:
    """An exception of the database takes neither a password nor its hash into the log."""
    account = {"email": f"{secrets.token_hex(8)}@example.org", "password": secrets.token_hex(16)}
    with service.locked("user"), ThreadPoolExecutor(1) as pool:
        answer = pool.submit(anonymous.post, USERS, json=account)
        until(service.waiting, within=20, failing="the request does not wait")
        service.database.end_waiting()
        unavailable(answer.result())
    for hidden in (account["password"], "$argon2", *service.database.secrets):
        assert hidden not in service.web.output()


@pytest.mark.usefixtures("with_tasks")
def test_a_report_survives_a_lost_database(service: Service, user: httpx.Client) -> None:
    """A report whose database goes away in mid-computation is done once it is back."""
    with service.database.counted_slowly("book"):
        path = ask(user)
        until(lambda: status(user, path) == "running", within=20, failing="the report never runs")
        service.database.kill()
    service.database.start()
    done(user, path)
