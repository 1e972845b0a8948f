"""Replicas: what is read there, how old it may be, and what happens when a server is lost."""

import re
import secrets
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from threading import Event
from typing import Any

import httpx
import pytest

from combinations import FRAMEWORKS, TEMPLATE
from contract.client import BOOKS, book, connect, login, register, token_of
from contract.faults.outages import ask, done
from contract.processes import until
from contract.service import Project, Service, running

STREAMING = {"replicas": "streaming"}
OFFERED = [
    framework
    for framework in FRAMEWORKS
    if not TEMPLATE.catalogue.refusal({"framework": framework, **STREAMING})
]
# The gate tries one; asynchronous or not, SQLAlchemy's sessions are asked alike.
GATE = ["flask", "django-drf"]
LIMIT = 5  # seconds that a list may be old


def param(framework: str) -> Any:
    left = pytest.mark.one_of(0, framework, GATE) if framework in GATE else pytest.mark.everything
    return pytest.param(framework, marks=[pytest.mark.xdist_group(f"replicas-{framework}"), left])


@pytest.fixture(scope="module", params=[param(framework) for framework in OFFERED])
def project(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Project:
    return Project.generate(request.param, tmp_path_factory.mktemp("replicas"), **STREAMING)


@pytest.fixture(scope="module")
def service(project: Project) -> Iterator[Service]:
    """Run a service with a replica, which follows as it can."""
    with running(project, replicated=True) as service:
        yield service


@pytest.fixture
def anonymous(service: Service) -> Iterator[httpx.Client]:
    with connect(service.base_url, keep_alive=0) as client:
        yield client


@pytest.fixture
def user(anonymous: httpx.Client, service: Service) -> Iterator[httpx.Client]:
    token = login(anonymous, register(anonymous))["access_token"]
    with connect(service.base_url, token, keep_alive=0) as client:
        yield client


@pytest.fixture(autouse=True)
def restored(service: Service) -> Iterator[None]:
    """Bring back whatever a test has ended, and have the replica get everything."""
    yield
    service.restore()


@contextmanager
def held_back(service: Service) -> Iterator[None]:
    """Have the replica answer, but get nothing new."""
    url = service.replica.url
    service.database.execute("SELECT pg_wal_replay_pause()", url=url)
    query = "SELECT pg_get_wal_replay_pause_state()"
    paused = [("paused",)]
    until(
        lambda: service.database.execute(query, url=url) == paused, within=5, failing="it goes on"
    )
    try:
        yield
    finally:
        service.database.execute("SELECT pg_wal_replay_resume()", url=url)


def titled(client: httpx.Client, title: str) -> int:
    """Return how many books a list shows by this title, in whatever process."""
    response = client.get(BOOKS, params={"search": title})
    assert response.status_code == 200, response.text
    return int(response.json()["total"])


def add(user: httpx.Client) -> str:
    """Add a book; return its title, which no other one has."""
    title = secrets.token_hex(8)
    response = user.post(BOOKS, json=book(title=title))
    assert response.status_code == 201, response.text
    return title


def told(client: httpx.Client) -> str:
    """Return what `/readyz` tells of the replica, for which it is never 503."""
    response = client.get("/readyz")
    assert response.status_code == 200, response.text
    answer = response.json()
    assert answer["status"] == ("ok" if answer["checks"]["replica"] == "ok" else "degraded")
    return str(answer["checks"]["replica"])


def each(service: Service, ask: Callable[[httpx.Client], Any]) -> list[Any]:
    """Ask every web process."""
    answers = []
    for process in service.web_processes():
        with service.only(process) as client:
            answers.append(ask(client))
    return answers


def lag(client: httpx.Client) -> float:
    """Return what `/metrics` tells, in seconds."""
    [value] = re.findall(r"^database_replica_lag_seconds (\S+)$", client.get("/metrics").text, re.M)
    return float(value)


def scans(service: Service) -> int:
    """Count how often the replica has looked through its books."""
    query = "SELECT sum(seq_scan + coalesce(idx_scan, 0)) FROM pg_stat_user_tables"
    [(count,)] = service.database.execute(
        f"{query} WHERE relname ~ 'book'", url=service.replica.url
    )
    return int(count)


@contextmanager
def reading(service: Service, token: str) -> Iterator[list[tuple[int, float]]]:
    """Have four people read lists all the time; give the statuses and seconds of each answer."""
    answers: list[tuple[int, float]] = []
    over = Event()

    def read(token: str | None) -> None:
        with connect(service.base_url, token, keep_alive=0, timeout=30) as client:
            while not over.is_set():
                response = client.get(BOOKS, params={"search": secrets.token_hex(8)})
                answers.append((response.status_code, response.elapsed.total_seconds()))

    with ThreadPoolExecutor(4) as pool:
        readers = [pool.submit(read, who) for who in (token, None, token, None)]
        try:
            yield answers
        finally:
            over.set()
            for reader in readers:
                reader.result()


def test_lists_are_read_from_the_replica(
    service: Service, anonymous: httpx.Client, user: httpx.Client
) -> None:
    """A list may be older than the last write of others; a row by its id is not."""
    until(lambda: each(service, told) == ["ok", "ok"], within=5, failing="there is no replica")
    with held_back(service):
        response = user.post(BOOKS, json=book(title=(title := secrets.token_hex(8))))
        assert each(service, lambda client: titled(client, title)) == [0, 0]
        assert anonymous.get(response.headers["Location"]).json()["title"] == title
    until(lambda: titled(anonymous, title), within=5, failing="the replica does not follow")


def test_a_writer_sees_their_last_write(service: Service, user: httpx.Client) -> None:
    """The next list after a write has it, in whatever process, where a token says who reads."""
    seen = [titled(user, add(user)) for _ in range(50)]
    assert seen == [1] * 50
    with held_back(service):
        title = add(user)
        for process in service.web_processes():
            with service.only(process) as client:
                client.headers.update(user.headers)
                assert titled(client, title) == 1
        path = user.get(BOOKS, params={"search": title}).json()["items"][0]["id"]
        assert user.delete(f"{BOOKS}/{path}").status_code == 204
        assert titled(user, title) == 0


def test_writers_read_from_the_replica_too(service: Service, user: httpx.Client) -> None:
    """Once the replica has what was written, a list with a token comes from there."""
    add(user)
    before = scans(service)
    until(
        lambda: titled(user, "nothing") == 0 and scans(service) > before,
        within=15,  # it writes its statistics down a while later
        failing="the replica is not asked",
    )


@pytest.mark.parametrize("times", range(5))
def test_what_is_cached_is_never_old(
    service: Service, anonymous: httpx.Client, user: httpx.Client, times: int
) -> None:
    """The list that is kept for everybody is as new as the write that has ended the one before."""
    with held_back(service):
        title = add(user)
        for client in (anonymous, user):
            assert client.get(BOOKS).json()["items"][0]["title"] == title


def test_a_list_is_at_most_so_old(
    service: Service, anonymous: httpx.Client, user: httpx.Client
) -> None:
    """After 5 s everybody sees a write; `/readyz` and `/metrics` tell that the replica lags."""
    until(lambda: told(anonymous) == "ok", within=5, failing="there is no replica")
    with held_back(service):
        title = add(user)
        written = time.monotonic()
        until(lambda: titled(anonymous, title), within=LIMIT + 1, failing="the list is too old")
        assert time.monotonic() - written > 1  # so it was the replica that was asked before
        until(lambda: each(service, told) == ["lagging"] * 2, within=3, failing="it does not lag")
        assert lag(anonymous) > LIMIT
    until(lambda: each(service, told) == ["ok"] * 2, within=5, failing="it is behind for ever")
    assert lag(anonymous) < LIMIT


def test_an_idle_primary_makes_no_lag(service: Service, anonymous: httpx.Client) -> None:
    """Where nothing is written, the replica is as new as can be."""
    time.sleep(LIMIT + 1)
    assert each(service, told) == ["ok", "ok"]
    assert lag(anonymous) < 2


@pytest.mark.parametrize("how", ["killed", "paused"])
def test_a_lost_replica_costs_no_request(
    service: Service, anonymous: httpx.Client, user: httpx.Client, how: str
) -> None:
    """Lists come from the primary; `/readyz` tells. Once it is back, it is used again."""
    until(lambda: told(anonymous) == "ok", within=5, failing="there is no replica")
    with reading(service, token_of(user)) as answers:
        if how == "killed":
            service.replica.kill()
        else:
            for process in service.replica.tree():
                process.suspend()
        until(lambda: each(service, told) == ["error"] * 2, within=10, failing="it is not missed")
        title = add(user)
        assert titled(user, title) == titled(anonymous, title) == 1
        if how == "killed":
            service.replica.start()
        else:
            for process in service.replica.tree():
                process.resume()
        until(lambda: each(service, told) == ["ok"] * 2, within=15, failing="it is not used again")
    assert {status for status, _ in answers} == {200}
    assert max(seconds for _, seconds in answers) < 5


def test_a_service_starts_without_its_replica(service: Service, user: httpx.Client) -> None:
    """A replica that is lost before the start costs no request either."""
    service.replica.kill()
    with (
        service.another_web(WEB_CONCURRENCY="1") as (_, base_url),
        connect(base_url, token_of(user)) as client,
    ):
        assert told(client) == "error"
        assert titled(client, add(client)) == 1


def test_without_a_replica_there_is_none(service: Service, user: httpx.Client) -> None:
    """Without `DATABASE_REPLICA_URL` the primary is read, and nothing is told of a replica."""
    with (
        service.another_web(DATABASE_REPLICA_URL=None) as (_, base_url),
        connect(base_url, token_of(user)) as client,
    ):
        assert "replica" not in client.get("/readyz").json()["checks"]
        assert titled(client, add(client)) == 1


def test_reports_are_read_from_the_replica(service: Service, user: httpx.Client) -> None:
    """A report counts in the replica, and has everything that was committed before it was asked."""
    title = add(user)
    total = user.get(BOOKS).json()["total"]
    before = scans(service)
    report = ask(user)
    done(user, report)
    assert user.get(report).json()["result"]["total_books"] == total
    until(lambda: scans(service) > before, within=5, failing="the replica is not asked")
    assert titled(user, title) == 1


@pytest.mark.parametrize("what", ["held back", "killed"])
def test_a_report_waits_for_no_replica(service: Service, user: httpx.Client, what: str) -> None:
    """A replica that is lost or behind costs no report: it counts in the primary then."""
    if what == "killed":
        service.replica.kill()
        add(user)
        report = ask(user)
        done(user, report)
    else:
        with held_back(service):
            add(user)
            report = ask(user)
            done(user, report)
    total = user.get(BOOKS).json()["total"]
    assert user.get(report).json()["result"]["total_books"] == total


@pytest.fixture
def apart(project: Project) -> Iterator[Service]:
    """Run a service of which nothing is left as it was."""
    with running(project, replicated=True) as service:
        yield service


def several(service: Service, attributes: str) -> str:
    """Return a URL of both servers, of which libpq takes the one that is asked for."""
    hosts = f"127.0.0.1:{service.database.port},127.0.0.1:{service.replica.port}"
    url = service.database.url.replace(f"127.0.0.1:{service.database.port}", hosts)
    return f"{url}?target_session_attrs={attributes}"


def test_a_failover_with_writers_at_work(
    apart: Service, record_testsuite_property: Callable[[str, object], None]
) -> None:
    """The primary is killed, the replica promoted: served within 10 s, without a restart.

    Nothing is lost that was acknowledged and replicated. Writers go on all the time; whoever is
    refused is told so, by 503.
    """
    told_of = {
        "DATABASE_URL": several(apart, "read-write"),
        "DATABASE_REPLICA_URL": several(apart, "standby"),
    }
    acknowledged: list[tuple[float, str]] = []
    refused: list[tuple[float, int]] = []
    over = Event()

    def write(base_url: str, token: str) -> None:
        with connect(base_url, token, keep_alive=0, timeout=30) as client:
            while not over.is_set():
                title = secrets.token_hex(8)
                response = client.post(BOOKS, json=book(title=title))
                now = time.monotonic()
                if response.status_code == 201:
                    acknowledged.append((now, title))
                else:
                    refused.append((now, response.status_code))
                time.sleep(0.01)

    with (
        apart.another_web(**told_of) as (web, base_url),
        connect(base_url, keep_alive=0) as anonymous,
    ):
        until(lambda: told(anonymous) == "ok", within=5, failing="there is no replica")
        token = login(anonymous, register(anonymous))["access_token"]
        processes = [process.pid for process in web.tree()]
        with ThreadPoolExecutor(4) as pool:
            writers = [pool.submit(write, base_url, token) for _ in range(4)]
            until(lambda: len(acknowledged) > 100, within=20, failing="nothing is written")
            [table] = apart.database.tables("book")
            apart.database.kill()
            killed = time.monotonic()
            replicated = set(titles(apart, table))
            apart.replica.promote()
            until(
                lambda: acknowledged[-1][0] > killed + 0.5, within=20, failing="nothing is written"
            )
            time.sleep(1)
            over.set()
            for writer in writers:
                writer.result()
        found = set(titles(apart, table))
        before = {title for at, title in acknowledged if at <= killed}
        after = {title for at, title in acknowledged if at > killed}
        first = min(at for at, title in acknowledged if at > killed and title not in replicated)
        figures = {
            "downtime": round(first - killed, 2),
            "acknowledged": len(before) + len(after),
            "refused": len(refused),
            "lost": len((before | after) - found),
        }
        for name, figure in figures.items():
            record_testsuite_property(f"failover {name}", figure)
        print(f"failover: {figures}")  # noqa: T201 - the figures that are asked for
        assert {status for _, status in refused} <= {503}
        assert first - killed < 10
        assert replicated <= found
        assert after <= found
        assert before & replicated <= found
        assert [process.pid for process in web.tree()] == processes
        assert told(anonymous) == "error"  # there is none any more
        with connect(base_url, token) as client:
            assert titled(client, add(client)) == 1


def titles(service: Service, table: str) -> list[str]:
    """Return the titles of all books that the replica has."""
    query = f"SELECT title FROM {table}"
    return [title for (title,) in service.database.execute(query, url=service.replica.url)]
