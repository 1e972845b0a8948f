"""The live feed under load: what arrives of the changes, how soon, and what a connection takes."""

import asyncio
import gc
import json
import multiprocessing
import resource
import statistics
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from multiprocessing.connection import Connection
from pathlib import Path

import httpx
from tests.contract.client import BOOKS, book, signed_in
from tests.contract.feed import FEED
from tests.contract.service import Project, Service
from websockets.client import ClientProtocol
from websockets.frames import Frame, Opcode
from websockets.protocol import State
from websockets.uri import parse_uri

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


def measure(service: Service) -> tuple[int, list[list[tuple[int, float]]], float]:
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


def allow_files() -> None:
    """Let this process, and those that it starts, have so many files open."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < FILES:
        sys.exit(f"the feed's benchmark needs {FILES} open files a process; `ulimit -Hn` is {hard}")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, FILES), hard))


def report(framework: str) -> None:
    """Print the table of one framework's feed, beside what it aims at."""
    allow_files()
    with tempfile.TemporaryDirectory(prefix="stackyard-bench-") as directory:
        home = Path(directory)
        service = Service(Project.generate(framework, home), LOG_LEVEL="info")
        # Without it PostgreSQL does not keep when it has committed.
        service.database.command += ["-c", "track_commit_timestamp=on"]
        try:
            service.start()
            held, heard, taken = measure(service)
            committed = commit_times(service)
        finally:
            service.stop()
    receipts = [receipt for of_one in heard for receipt in of_one]
    distinct = sum(len(dict(of_one)) for of_one in heard)
    delays = [(moment - committed[book_id]) * 1000 for book_id, moment in receipts]
    percentiles = statistics.quantiles(delays, n=100)
    moments = sorted(moment for _, moment in receipts)
    print(f"\n{framework}: 2 web processes, {RATE} changes a second to {CONNECTIONS} connections")
    print(f"{'':<28} {'':>8} {'aim':>8}")
    for name, value, aim in (
        ("connections held", f"{held}", f"{CONNECTIONS}"),
        ("messages delivered a second", f"{len(moments) / (moments[-1] - moments[0]):.0f}", ""),
        ("messages lost", f"{CONNECTIONS * CHANGES - distinct}", "0"),
        ("messages delivered twice", f"{len(receipts) - distinct}", "0"),
        ("p50 ms, commit to receipt", f"{percentiles[49]:.0f}", ""),
        ("p99 ms, commit to receipt", f"{percentiles[98]:.0f}", "< 250"),
        ("KiB a connection", f"{taken / CONNECTIONS:.1f}", "< 60"),
    ):
        print(f"{name:<28} {value:>8} {aim:>8}")
