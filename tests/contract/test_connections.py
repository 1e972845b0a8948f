"""Connections: kept for the next request, ended in good order, and over IPv6 as over IPv4."""

import contextlib
import socket
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from http.client import HTTPConnection, HTTPException

import httpx
import pytest

from .client import BOOKS, REPORTS, connect, get, login, register
from .processes import IN_ORDER, Process, free_port, until
from .service import Service

# One is kept while the other tests run: see `kept`.
pytestmark = pytest.mark.usefixtures("kept")

BALANCER = 60  # seconds that most proxies and balancers keep a connection
MOST = 500  # idle connections of a process


class Client(HTTPConnection):
    """A connection, which is not made anew when the server has closed it."""

    auto_open = 0

    def __init__(self, base_url: str) -> None:
        super().__init__("127.0.0.1", httpx.URL(base_url).port, timeout=15)
        self.connect()

    def ask(self, path: str = "/healthz") -> bool:
        """Check that a request is answered; return whether another may follow."""
        self.request("GET", path)
        answer = self.getresponse()
        answer.read()
        assert answer.status == 200
        return self.sock is not None

    def is_closed(self, within: float = 0.05) -> bool:
        """Tell whether the server closes the connection in that time, as it is idle."""
        self.sock.settimeout(within)
        try:
            return self.sock.recv(1) == b""
        except TimeoutError:
            return False
        except ConnectionError:
            return True
        finally:
            self.sock.settimeout(15)


@pytest.fixture(scope="session")
def kept(service: Service) -> Iterator[Future[bool]]:
    """Keep a connection idle while the other tests run, and then ask; tell what `ask` does."""

    def ask_late(client: Client) -> bool:
        time.sleep(BALANCER + 3)
        return client.ask()

    with ThreadPoolExecutor(1) as pool, contextlib.closing(Client(service.base_url)) as client:
        assert client.ask()
        yield pool.submit(ask_late, client)


@pytest.mark.last
def test_an_idle_connection_outlives_a_balancer(kept: Future[bool]) -> None:
    """A connection is kept for longer than balancers keep theirs: to them a closed one is a 502."""
    assert kept.result()


def test_how_long_is_a_setting(service: Service) -> None:
    """`KEEP_ALIVE` is the number of seconds, which blank lines do not make more."""
    with service.another_web(KEEP_ALIVE="3") as (_, base_url), ExitStack() as stack:
        idle, blank = (stack.enter_context(contextlib.closing(Client(base_url))) for _ in "12")
        assert idle.ask()
        assert blank.ask()
        blank.sock.sendall(b"\r\n")
        assert not idle.is_closed(within=2)
        assert idle.ask()
        assert blank.is_closed(within=4)
        assert idle.is_closed(within=5)


def test_a_connection_whose_body_comes_late_is_not_kept_for_ever(service: Service) -> None:
    """It is idle once its request has come, though that may have been answered before."""
    request = b"POST /nowhere HTTP/1.1\r\nHost: test\r\nContent-Length: 1\r\n\r\n"
    with service.another_web(KEEP_ALIVE="1") as (_, base_url):
        address = "127.0.0.1", httpx.URL(base_url).port
        with socket.create_connection(address, timeout=5) as client:
            client.sendall(request)
            time.sleep(0.5)
            client.sendall(b"x")
            with client.makefile("rb") as answer:  # until it is closed
                assert answer.read().startswith(b"HTTP/1.1 404 ")


def test_a_connection_is_not_idle_while_a_request_waits_for_its_turn(service: Service) -> None:
    """Of requests that are sent at once the last has its time too."""
    uncached = f"{BOOKS}?search=nothing"
    first, last = (
        b"GET %b HTTP/1.1\r\nHost: test\r\n\r\n" % path.encode() for path in ("/healthz", uncached)
    )
    # Without a replica, which would answer while the primary's table is locked.
    with service.another_web(KEEP_ALIVE="1", DATABASE_REPLICA_URL=None) as (_, base_url):
        address = "127.0.0.1", httpx.URL(base_url).port
        with socket.create_connection(address, timeout=5) as client:
            with service.locked("book"):
                client.sendall(first + last)
                until(service.waiting, within=20, failing="nothing is in flight")
                time.sleep(2.5)
            with client.makefile("rb") as answers:
                assert answers.read().count(b"HTTP/1.1 200 OK") == 2


def test_the_oldest_of_too_many_idle_connections_are_closed(service: Service) -> None:
    """A process keeps 500 idle connections, and the newest: a full house keeps nobody out."""
    with service.another_web(WEB_CONCURRENCY="1") as (web, base_url), ExitStack() as stack:
        clients = []
        for _ in range(MOST + 60):
            clients.append(stack.enter_context(contextlib.closing(Client(base_url))))
            assert clients[-1].ask()

        def held() -> int:
            found = [c for p in web.tree() for c in p.net_connections("tcp")]
            return sum(c.status == "ESTABLISHED" and c.laddr.port == port for c in found)

        port = httpx.URL(base_url).port
        until(lambda: held() <= MOST, within=4, failing="it keeps all of them")
        assert clients[0].is_closed()
        assert all(client.ask() for client in clients[-300:])


def test_sigterm_closes_idle_connections_and_breaks_no_request(service: Service) -> None:
    """On SIGTERM connections end with their next answer, which says so, idle ones at once."""

    def go_on(client: Client) -> bool:
        try:
            while client.ask():
                time.sleep(0.01)
        except (OSError, HTTPException):
            return False
        return True

    # Without a replica, which would answer while the primary's table is locked.
    without = {"DATABASE_REPLICA_URL": None}
    with service.another_web(**without) as (web, base_url), ExitStack() as stack:
        pool = stack.enter_context(ThreadPoolExecutor(9))
        idle, *busy = (stack.enter_context(contextlib.closing(Client(base_url))) for _ in range(9))
        assert idle.ask()
        ended = [pool.submit(go_on, client) for client in busy]
        with service.locked("book"):
            late = pool.submit(get, f"{base_url}{BOOKS}?search=late", timeout=30)
            until(service.waiting, within=20, failing="nothing is in flight")
            web.terminate()
            assert idle.is_closed(within=3)
            assert all(future.result() for future in ended)
            assert not late.done()
        assert late.result().status_code == 200
        assert web.wait(30) in IN_ORDER


def over_ipv6(url: str) -> str:
    return url.replace("127.0.0.1", "[::1]")


@pytest.fixture
def ipv6(service: Service) -> Iterator[tuple[Process, str]]:
    """Run a process that listens everywhere, and finds its servers by IPv6."""
    assert socket.has_ipv6, "this needs a machine with IPv6"
    with socket.socket(socket.AF_INET6) as found:
        found.bind(("::1", 0))  # fails where there is none
    settings = {
        "HOST": "::",
        "WEB_CONCURRENCY": "2",
        "DATABASE_URL": over_ipv6(service.database.url),
        "REDIS_URL": over_ipv6(service.cache.url),
        "CELERY_BROKER_URL": over_ipv6(service.broker.url),
    }
    with service.another_web(**settings) as found:
        yield found


def test_it_is_served_by_ipv6_and_ipv4(service: Service, ipv6: tuple[Process, str]) -> None:
    """With `HOST=::` it answers to both; the URLs of its servers may have IPv6 addresses."""
    _, base_url = ipv6
    for url in (base_url, over_ipv6(base_url)):
        assert get(f"{url}/readyz").json()["status"] == "ok"
    with connect(over_ipv6(base_url)) as client:
        client.headers["Host"] = "test"
        token = login(client, register(client))["access_token"]
        client.headers["Authorization"] = f"Bearer {token}"
        if service.has_tasks:
            assert client.post(REPORTS).status_code == 202


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_it_listens_where_it_is_told(service: Service, host: str) -> None:
    """`HOST` is one address: by no other can it be reached."""
    port = free_port()
    urls = {"127.0.0.1": f"http://127.0.0.1:{port}/healthz", "::1": f"http://[::1]:{port}/healthz"}
    own = urls.pop(host)
    [other] = urls.values()
    web = service.process("web", f"web-{port}", HOST=host, PORT=str(port))
    web.start()
    try:
        until(lambda: answers(own), within=20, failing=f"no answer:\n{web.output()}")
        assert not answers(other)
    finally:
        web.stop()


def answers(url: str) -> bool:
    try:
        return get(url).status_code == 200
    except httpx.TransportError:
        return False
