"""Connections to the database that are silent: nobody waits for ever, and what waits is told."""

import signal
import time
from collections.abc import Iterator

import httpx
import pytest

from ..client import connect, token_of
from ..databases import Proxy, proxied
from ..processes import Process, until
from ..service import Service
from .outages import EVENTUALLY, ask, create, done, status


@pytest.fixture
def proxy(service: Service) -> Iterator[Proxy]:
    with proxied(service.database, service.logs) as proxy:
        yield proxy


def tells_of(worker: Process, logged: int) -> bool:
    """Tell whether it has logged, since, that it gave a connection up, in its driver's words."""
    told = "\n".join(worker.lines()[logged:]).lower()
    return "timeout" in told or "timed out" in told


@pytest.mark.usefixtures("with_tasks")
def test_a_worker_gives_silent_connections_up(
    service: Service, user: httpx.Client, proxy: Proxy
) -> None:
    """A report is tried again while the database is silent, is in the log, and is done after it."""
    service.worker.stop()
    with service.another_worker(DATABASE_URL=proxy.url) as worker:
        done(user, ask(user))
        logged = len(worker.lines())
        with proxy.paused():
            path = ask(user)
            until(
                lambda: tells_of(worker, logged),
                within=EVENTUALLY,  # a COMMIT of the report before may be caught half-way
                failing=f"the worker does not tell:\n{worker.output()}",
            )
            assert status(user, path) == "pending"
        done(user, path)


@pytest.mark.everything
@pytest.mark.database("postgresql", "mysql", "mariadb")
@pytest.mark.usefixtures("with_tasks")
def test_a_worker_gives_a_silent_statement_up(
    service: Service, user: httpx.Client, proxy: Proxy
) -> None:
    """So it is where the database falls silent in mid-report, though a statement may take long."""
    service.worker.stop()
    with service.another_worker(DATABASE_URL=proxy.url) as worker:
        with service.database.counted_slowly("book"):
            path = ask(user)
            until(lambda: status(user, path) == "running", within=20, failing="it never runs")
            logged = len(worker.lines())
            proxy.signal_tree(signal.SIGSTOP)
        until(
            lambda: tells_of(worker, logged),
            within=EVENTUALLY,
            failing=f"the worker does not tell:\n{worker.output()}",
        )
        proxy.signal_tree(signal.SIGCONT)
        done(user, path)


def test_release_gives_a_silent_database_up(service: Service, proxy: Proxy) -> None:
    """A release that reaches no database ends, and not with 0."""
    release = service.process("release", f"release-{proxy.port}", DATABASE_URL=proxy.url)
    with proxy.paused():
        release.start()
        try:
            assert release.wait(30) != 0
        finally:
            release.stop()


def test_a_request_gives_a_silent_connection_up(
    service: Service, user: httpx.Client, proxy: Proxy
) -> None:
    """A connection that is open and silent costs a request 503, once it has waited for a while."""
    with (
        service.another_web(DATABASE_URL=proxy.url) as (_, base_url),
        connect(base_url, token_of(user)) as client,
    ):
        path = create(client)
        with proxy.paused():
            started = time.monotonic()
            response = client.patch(path, json={"title": "Kindred"})
            assert (response.status_code, "Retry-After" in response.headers) == (503, True)
            assert time.monotonic() - started < 12
        assert client.patch(path, json={"title": "Kindred"}).status_code == 200
