"""PgBouncer in front of the database: what it lends, and what it keeps."""

import httpx
import psutil
import pytest

from ..client import BOOKS, bearer, book, token_of
from ..processes import until
from ..service import Service
from .outages import ask, create, done, killed, status, unavailable, unread

pytestmark = pytest.mark.database("pgbouncer")


def peers(process: psutil.Process) -> set[int]:
    """Return the ports that a process is connected to."""
    return {each.raddr.port for each in process.net_connections("tcp") if each.raddr}


def answers(client: httpx.Client) -> tuple[int, ...]:
    """Return the statuses of a read, of a write, and of `/readyz`."""
    asked = [client.get(unread()), client.post(BOOKS, json=book()), client.get("/readyz")]
    return tuple(response.status_code for response in asked)


def test_nobody_connects_past_the_pooler(service: Service, user: httpx.Client) -> None:
    """Every web process has its connections to PgBouncer, and none to the server itself."""
    for process in service.web_processes():
        with service.only(process) as client:
            assert client.get(unread()).status_code == 200
            assert service.pooler.port in peers(process)
            assert service.database.port not in peers(process)


def each(service: Service, token: str) -> list[tuple[int, ...]]:
    """Return the `answers` of every web process."""
    found = []
    for process in service.web_processes():
        with service.only(process) as client:
            client.headers.update(bearer(token))
            found.append(answers(client))
    return found


def served(service: Service, token: str) -> None:
    """Wait for what PgBouncer finds within a second: each process is asked anew until then."""
    until(
        lambda: each(service, token) == [(200, 201, 200)] * 2,
        within=5,  # to ask takes its time, too
        failing="the server is not found",
    )
    assert each(service, token) == [(200, 201, 200)] * 2


def test_a_server_that_is_back_is_found_within_a_second(
    service: Service, user: httpx.Client
) -> None:
    """503 with `Retry-After` as without PgBouncer; and served within a second of its being back."""
    token = token_of(user)
    assert each(service, token) == [(200, 201, 200)] * 2
    with killed(service.database):
        unavailable(user.get(unread()))
        unavailable(user.post(BOOKS, json=book()))
        assert each(service, token) == [(503, 503, 503)] * 2
    served(service, token)


@pytest.mark.usefixtures("with_tasks")
def test_a_report_survives_a_server_that_is_found_again(
    service: Service, user: httpx.Client
) -> None:
    """A report whose database goes away in mid-computation is done once PgBouncer has found it."""
    with service.database.counted_slowly("book"):
        path = ask(user)
        until(lambda: status(user, path) == "running", within=20, failing="the report never runs")
        service.database.kill()
    service.database.start()
    served(service, token_of(user))
    done(user, path)


def test_a_session_that_began_read_only_lasts_as_long_as_the_pooler(
    service: Service, user: httpx.Client
) -> None:
    """A write is 503, reads go on, `/readyz` is 503; once PgBouncer starts anew, all is served."""
    path, token = create(user), token_of(user)
    with service.database.read_only_sessions():
        unavailable(user.patch(path, json={"title": "Kindred"}))
        assert each(service, token) == [(200, 503, 503)] * 2
    service.pooler.stop()
    service.pooler.start()
    assert each(service, token) == [(200, 201, 200)] * 2


@pytest.mark.usefixtures("with_tasks")
def test_a_report_waits_for_the_pooler(service: Service, user: httpx.Client) -> None:
    """What the worker cannot write is tried again, and done once PgBouncer starts anew."""
    service.worker.stop()
    service.beat.stop()  # which would have it found as a report that was lost
    path, logged = ask(user), len(service.worker.lines())
    with service.database.read_only_sessions():
        service.worker.start()
        until(
            lambda: any("read-only" in line for line in service.worker.lines()[logged:]),
            within=20,
            failing="the worker does not tell",
        )
        assert status(user, path) == "pending"
    service.pooler.stop()
    service.pooler.start()
    done(user, path)
