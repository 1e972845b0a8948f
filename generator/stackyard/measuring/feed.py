"""The live feed under load: what arrives of the changes, how soon, and what a connection takes."""

import asyncio
import gc
import json
import multiprocessing
import resource
import statistics
import time
from concurrent.futures import ThreadPoolExecutor
from multiprocessing.connection import Connection

import httpx
from websockets.client import ClientProtocol
from websockets.frames import Frame, Opcode
from websockets.protocol import State
from websockets.uri import parse_uri

from contract.client import BOOKS, book, signed_in
from contract.databases.postgresql import PostgreSQLServer
from contract.feed import FEED
from contract.service import Project, Service

CONNECTIONS = 2_000
FILES = CONNECTIONS + 500  # that a process may have open: the kernel may give it nearly all
AT_ONCE = 50  # handshakes; a listener's backlog has room for them
RATE = 5  # changes a second
CHANGES = 100
WARM_UP = 50  # changes that nobody hears; what the processes load for them, no connection takes
PATIENCE = 5  # seconds after the last change, after which what has not come is lost


class Listener(asyncio.Protocol):
    """A client of the feed, which keeps what it is told, and when."""

    def __init__(self, url: str) -> None:
        self.feed = ClientProtocol(parse_uri(url))
        self.answered = asyncio.Event()
        self.told: list[tuple[float, bytes]] = []

    async def connect(self, turns: asyncio.Semaphore) -> None:
        """Ask for an upgrade when it is this one's turn, and wait for the answer."""
        async with turns:
            uri, loop = self.feed.uri, asyncio.get_running_loop()
            self.transport, _ = await loop.create_connection(lambda: self, uri.host, uri.port)
            self.feed.send_request(self.feed.connect())
            self.transport.writelines(self.feed.data_to_send())
            await self.answered.wait()

    def data_received(self, data: bytes) -> None:
        """Keep the messages, answer the pings."""
        now = time.time()
        self.feed.receive_data(data)
        for event in self.feed.events_received():
            if isinstance(event, Frame) and event.opcode is Opcode.TEXT:
                self.told.append((now, bytes(event.data)))
        self.answered.set()
        self.transport.writelines(self.feed.data_to_send())

    def connection_lost(self, _: Exception | None) -> None:
        """Be open no more."""
        self.feed.receive_eof()
        self.answered.set()


async def listen(url: str, bench: Connection) -> None:
    """Connect, say so, and listen until there is an answer.

    Then say how many connections are open, and what each has heard: the ids of books, each with
    the Unix time of its receipt.
    """
    gc.disable()  # its pauses would count as the service's
    turns = asyncio.Semaphore(AT_ONCE)
    listeners = [Listener(url) for _ in range(CONNECTIONS)]
    await asyncio.gather(*(listener.connect(turns) for listener in listeners))
    bench.send("connected")
    await asyncio.to_thread(bench.recv)
    bench.send(sum(listener.feed.state is State.OPEN for listener in listeners))
    for listener in listeners:
        bench.send([(json.loads(text)["book"]["id"], moment) for moment, text in listener.told])


def generate_load(url: str, bench: Connection) -> None:
    """Be the listeners, in a process where nothing else delays the times that they note."""
    asyncio.run(listen(url, bench))


def create_books(user: httpx.Client, count: int) -> None:
    """Create books at the steady rate, whatever the answers take."""
    close = {"Connection": "close"}  # The next connection may be to another process.
    started = time.monotonic()
    with ThreadPoolExecutor(8) as pool:
        answers = []
        for number in range(count):
            time.sleep(max(0, started + number / RATE - time.monotonic()))
            answers.append(pool.submit(user.post, BOOKS, json=book(), headers=close))
    for answer in answers:
        answer.result().raise_for_status()


def commit_times(service: Service) -> dict[int, float]:
    """Return when each book was committed: a Unix time, by the clock that the listeners read.

    PostgreSQL reads it as it writes the commit to its log, before it answers the service.
    """
    query = "SELECT id, extract(epoch FROM pg_xact_commit_timestamp(xmin)) FROM books"
    return {book_id: float(moment) for book_id, moment in service.database.execute(query)}


def memory(service: Service) -> float:
    """Return the KiB that the web processes have for themselves: their unique set size.

    The resident set size has what they share with the process that forked them, too: it does not
    grow when they write to a page of that, which takes a page more.
    """
    return sum(process.memory_full_info().uss for process in service.web_processes()) / 1024


def listen_to(service: Service) -> tuple[int, list[list[tuple[int, float]]], float]:
    """Have books created while all listen; return what `listen` says, and the KiB it took."""
    spawning = multiprocessing.get_context("spawn")
    load, bench = spawning.Pipe()
    url = service.base_url.replace("http", "ws", 1) + FEED
    with signed_in(service.base_url) as user:
        create_books(user, WARM_UP)
        before = memory(service)
        spawning.Process(target=generate_load, args=(url, bench), daemon=True).start()
        bench.close()
        load.recv()
        create_books(user, CHANGES)
        time.sleep(PATIENCE)
        taken = memory(service) - before
    load.send("enough")
    held = load.recv()
    return held, [load.recv() for _ in range(CONNECTIONS)], taken


def is_there(service: Service) -> bool:
    """Tell whether a service has a feed that can be measured here, by what PostgreSQL notes."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    may_open = hard == resource.RLIM_INFINITY or hard >= FILES
    has_books = service.answers["example"] == "books"
    return (
        service.has_feed
        and has_books
        and may_open
        and isinstance(service.database, PostgreSQLServer)
    )


def measure(project: Project) -> dict[str, float]:
    """Have 2,000 connections listen to a service of the project's; return its figures by name.

    This process, and those that it starts, may have more files open from then on.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, FILES), hard))
    service = Service(project, LOG_LEVEL="info")
    # Without it PostgreSQL does not keep when it has committed.
    if isinstance(service.database, PostgreSQLServer):
        service.database.command += ["-c", "track_commit_timestamp=on"]
    try:
        service.start()
        held, heard, taken = listen_to(service)
        committed = commit_times(service)
    finally:
        service.stop()
    receipts = [receipt for of_one in heard for receipt in of_one]
    distinct = sum(len(dict(of_one)) for of_one in heard)
    delays = [(moment - committed[book_id]) * 1000 for book_id, moment in receipts]
    percentiles = statistics.quantiles(delays, n=100)
    return {
        "feed.held": held,
        "feed.lost": CONNECTIONS * CHANGES - distinct,
        "feed.twice": len(receipts) - distinct,
        "feed.p50": percentiles[49],
        "feed.p99": percentiles[98],
        "feed.memory": taken / CONNECTIONS,
    }
