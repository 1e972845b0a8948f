"""Slow clients: each has its deadline, however busy it looks, and none keeps others waiting."""

import contextlib
import socket
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from typing import NamedTuple

import httpx
import psutil
import pytest

from .client import BOOKS, connect, get, login, prompt, register
from .processes import Process
from .service import Service

# They are watched while the other tests run: see `closed`.
pytestmark = pytest.mark.usefixtures("closed")

COUNT = 40  # of each kind: more than a process has threads
GRACE = 5  # seconds in which a deadline is noticed


class Kind(NamedTuple):
    """What clients send, first and then each second; the bytes that they read in it; their time."""

    sends: bytes
    then: bytes
    reads: int
    seconds: int


HEAD = b"POST /api/v1/users HTTP/1.1\r\nHost: test\r\nContent-Type: application/json\r\n"
BODY = HEAD + b"Content-Length: 1000\r\n\r\n{"
CHUNK = HEAD + b"Transfer-Encoding: chunked\r\n\r\n3e8\r\n{"
MUCH = b"GET /openapi.json HTTP/1.1\r\nHost: test\r\n\r\n" * 20
KINDS = {
    "silent from the start": Kind(b"", b"", 0, 10),
    "silent in a head": Kind(HEAD + b"X-Mine: ", b"", 0, 10),
    "dripping a head": Kind(HEAD + b"X-Mine: ", b"x", 0, 10),
    "silent in a body": Kind(BODY, b"", 0, 30),
    "dripping a body": Kind(BODY, b"x", 0, 30),
    "dripping a chunk": Kind(CHUNK, b"x", 0, 30),
    "not reading": Kind(MUCH, b"", 0, 30),
    "dripping in reading": Kind(MUCH, b"", 100, 30),
}


class Client:
    """One slow client."""

    def __init__(self, port: int, kind: Kind) -> None:
        self.kind = kind
        self.socket = socket.socket()
        # The kernel keeps some 50 KB for somebody so small, and megabytes for others.
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, 536)
        self.socket.connect(("127.0.0.1", port))
        self.port = self.socket.getsockname()[1]
        self.socket.sendall(kind.sends)
        self.socket.settimeout(0)
        self.started = time.monotonic()
        self.accepted = False
        self.seconds: float | None = None  # until the server had no such connection any more

    def drip(self) -> None:
        """Be as slow as its kind is."""
        with contextlib.suppress(BlockingIOError, ConnectionError):
            self.socket.send(self.kind.then)
            self.socket.recv(self.kind.reads)


class Slow(NamedTuple):
    """A process and its slow clients."""

    web: Process
    base_url: str
    clients: list[Client]


def watch(web: Process, clients: list[Client]) -> None:
    """Note when the server has closed each of the clients; give up after a minute."""
    ends = time.monotonic() + 60
    processes = web.tree()
    while waiting := [client for client in clients if client.seconds is None]:
        if time.monotonic() > ends:
            break
        held: set[int] = set()
        for process in processes:
            with contextlib.suppress(psutil.NoSuchProcess):
                found = process.net_connections("tcp")
                held |= {c.raddr.port for c in found if c.raddr}
        for client in waiting:
            if client.port in held:
                client.accepted = True
            elif client.accepted:
                client.seconds = time.monotonic() - client.started
            client.drip()
        time.sleep(1)


@pytest.fixture(scope="session")
def slow(service: Service) -> Iterator[Slow]:
    """Give a process of its own all kinds of slow clients."""
    with service.another_web(WEB_CONCURRENCY="1") as (web, base_url), ExitStack() as stack:
        port = httpx.URL(base_url).port or 0
        clients = [Client(port, kind) for kind in KINDS.values() for _ in range(COUNT)]
        for client in clients:
            stack.callback(client.socket.close)
        yield Slow(web, base_url, clients)


@pytest.fixture(scope="session")
def closed(slow: Slow) -> Iterator[Future[None]]:
    """Watch the slow clients while the other tests run."""
    with ThreadPoolExecutor(1) as pool:
        yield pool.submit(watch, slow.web, slow.clients)


def test_others_are_served(slow: Slow) -> None:
    """Whatever slow clients there are, `/healthz` answers within a second, and users log in."""
    seconds = []
    for _ in range(20):
        started = time.monotonic()
        assert get(f"{slow.base_url}/healthz", timeout=5).status_code == 200
        seconds.append(time.monotonic() - started)
        time.sleep(0.1)
    assert prompt(seconds, limit=1), seconds
    with connect(slow.base_url) as anonymous:
        login(anonymous, register(anonymous))
        assert anonymous.get(BOOKS).status_code == 200
    assert [
        client.seconds for client in slow.clients if client.kind.seconds == 30 and client.seconds
    ] == []


@pytest.mark.last
@pytest.mark.parametrize("kind", KINDS)
def test_each_is_closed_at_its_deadline(closed: Future[None], slow: Slow, kind: str) -> None:
    """A head has to come within 10 s, a body within 30, an answer has to be read within 30."""
    closed.result()
    found = [client.seconds for client in slow.clients if client.kind == KINDS[kind]]
    deadline = KINDS[kind].seconds
    assert [seconds for seconds in found if seconds is None] == []
    assert [seconds for seconds in found if seconds and seconds > deadline + GRACE] == []
    assert [seconds for seconds in found if seconds and seconds < deadline - 1] == []


@pytest.mark.last
def test_they_are_no_bug_in_the_log(closed: Future[None], slow: Slow) -> None:
    """A client that is too slow is nothing that operators have to look into."""
    closed.result()
    assert [event for event in slow.web.events() if event["level"] in {"error", "critical"}] == []
    assert "Traceback" not in slow.web.output()
