"""Clients of the live feed: one from a library, one that writes its frames by hand."""

import base64
import contextlib
import json
import secrets
import socket
import struct
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, closing, contextmanager
from typing import Any, NamedTuple, Protocol, TypeVar
from urllib.parse import urlsplit

import httpx
import psutil
from websockets.sync.client import ClientConnection, connect

from .client import bearer, book
from .processes import Process, leaves, until
from .subjects import BOOK, Subject

FEED = BOOK.feed
CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0, 1, 2, 8, 9, 10


class Connected(Protocol):
    """What has one connection: from which port, and to which process."""

    port: int
    pid: int


C = TypeVar("C", bound=Connected)


@contextmanager
def in_each(
    processes: list[psutil.Process], connected: Callable[[], AbstractContextManager[C]]
) -> Iterator[list[C]]:
    """Make connections until each process holds two; give them all."""
    found: list[C] = []
    with ExitStack() as stack:
        while not all(sum(c.pid == process.pid for c in found) >= 2 for process in processes):
            assert len(found) < 64, "some process gets no connection"
            found.append(stack.enter_context(connected()))
            found[-1].pid = holder(processes, found[-1].port)
        yield found


def both(web: Process, base_url: str) -> list[psutil.Process]:
    """Return the two processes of `web` that answer at an address, once both listen."""
    port = httpx.URL(base_url).port or 80
    until(lambda: len(leaves(web, port)) == 2, within=30, failing="there are not two processes")
    return leaves(web, port)


def holder(processes: list[psutil.Process], port: int) -> int:
    """Return the id of the process that has the other end of the connection from a port."""
    [pid] = {process.pid for process in processes if holds(process, port)}
    return pid


def holds(process: psutil.Process, port: int) -> bool:
    return any(c.raddr and c.raddr.port == port for c in process.net_connections("tcp"))


class Writer(httpx.Client):
    """A user on one connection, so that one process answers all that they ask for."""

    def __init__(self, base_url: str, token: str, subject: Subject) -> None:
        self.subject = subject
        limits = httpx.Limits(max_connections=1, keepalive_expiry=None)
        hooks = {"response": [self._check]}
        headers = bearer(token)
        super().__init__(
            base_url=base_url, headers=headers, limits=limits, event_hooks=hooks, verify=False
        )
        self.port = self.pid = 0
        self.get("/healthz")

    def _check(self, response: httpx.Response) -> None:
        _, port = response.extensions["network_stream"].get_extra_info("client_addr")
        self.port = self.port or port
        assert port == self.port, "the server has dropped a connection that was to be kept"


@contextmanager
def writing(
    processes: list[psutil.Process], base_url: str, token: str, subject: Subject = BOOK
) -> Iterator[list[Writer]]:
    """Give a writer for each process."""
    with in_each(processes, lambda: closing(Writer(base_url, token, subject))) as found:
        yield [*{writer.pid: writer for writer in found}.values()]


def change(kind: str, of: dict[str, Any], subject: Subject = BOOK) -> dict[str, Any]:
    """Return the message that tells of a change."""
    return {"type": f"{subject.name}.{kind}", subject.name: of}


def is_change(message: dict[str, Any]) -> bool:
    return "." in message["type"]


def create(user: httpx.Client, subject: Subject = BOOK, **fields: Any) -> dict[str, Any]:
    """Create a book, or another row; return the message that tells of it."""
    body = book(**fields) if subject == BOOK else subject.body(**fields)
    response = user.post(subject.path, json=body)
    assert response.status_code == 201, response.text
    return change("created", response.json(), subject)


class Listener:
    """A client that takes in at once whatever comes, and keeps what it has heard."""

    def __init__(self, connection: ClientConnection) -> None:
        self.connection = connection
        self.port: int = connection.local_address[1]
        self.pid = 0
        self.heard: list[dict[str, Any]] = []

    def hear(self, within: float = 5) -> dict[str, Any]:
        """Return the next message."""
        text = self.connection.recv(timeout=within)
        assert isinstance(text, str), f"{text!r} is no text"
        self.heard.append(json.loads(text))
        return self.heard[-1]

    def hears(self, *messages: dict[str, Any], within: float = 5) -> bool:
        """Listen until it has heard all of the messages; tell whether it has, in time."""
        deadline = time.monotonic() + within
        missing = [message for message in messages if message not in self.heard]
        with contextlib.suppress(TimeoutError):
            while missing:
                heard = self.hear(within=deadline - time.monotonic())
                missing = [message for message in missing if message != heard]
        return not missing

    def ask(self, message: Any) -> dict[str, Any]:
        """Send a message, as JSON if it is no text; return the answer, past any changes."""
        text = isinstance(message, str | bytes)
        self.connection.send(message if text else json.dumps(message))
        while is_change(answer := self.hear()):
            pass
        return answer

    def is_answered(self) -> bool:
        """Tell whether what means nothing is answered as such."""
        return self.ask("?")["type"] == "error"

    def filter(self, *authors: str) -> None:
        answer = self.ask({"action": "filter", "authors": authors})
        assert answer == {"type": "filter", "authors": [*authors]}


@contextmanager
def listening(base_url: str, path: str = FEED, **options: Any) -> Iterator[Listener]:
    """Connect to the feed with the library `websockets`."""
    address = base_url.replace("http", "ws", 1) + path
    with connect(address, proxy=None, max_queue=None, **options) as connection:
        yield Listener(connection)


def settled(listeners: list[Listener], writers: list[Writer]) -> list[dict[str, Any]]:
    """Make a change in each process and wait until all have heard of it; return the messages.

    Redis keeps the order of what it is told: nothing older can come after them.
    """
    messages = [create(writer, writer.subject) for writer in writers]
    for listener in listeners:
        assert listener.hears(*messages), f"{messages} are not heard, but {listener.heard}"
    return messages


def until_it_crosses(listeners: list[Listener], writers: list[Writer]) -> None:
    """Wait until all hear of what is made in any process, as they do where Redis is not lost."""

    def crosses() -> bool:
        messages = [create(writer, writer.subject) for writer in writers]
        return all(listener.hears(*messages, within=0.5) for listener in listeners)

    until(crosses, within=30, failing="changes do not cross from process to process")
    settled(listeners, writers)


class Frame(NamedTuple):
    """A frame of RFC 6455, section 5.2, whose payload is whole."""

    opcode: int
    payload: bytes

    @property
    def code(self) -> int:
        """The status code of a close frame; 1005 if it has none (RFC 6455, section 7.1.5)."""
        return int.from_bytes(self.payload[:2], "big") if self.payload else 1005


def frame(opcode: int, payload: bytes = b"", *, fin: bool = True, reserved: int = 0) -> bytes:
    """Write a frame, as RFC 6455 has it or not."""
    size = len(payload)
    if size < 126:
        length = bytes([0x80 | size])
    elif size < 2**16:
        length = bytes([0x80 | 126]) + size.to_bytes(2, "big")
    else:
        length = bytes([0x80 | 127]) + size.to_bytes(8, "big")
    key = secrets.token_bytes(4)
    mask = (key * (size // 4 + 1))[:size]
    body = int.from_bytes(payload, "big") ^ int.from_bytes(mask, "big")
    head = bytes([fin << 7 | reserved << 4 | opcode]) + length
    return head + key + body.to_bytes(size, "big")


def close_frame(code: int, reason: bytes = b"") -> bytes:
    return frame(CLOSE, code.to_bytes(2, "big") + reason)


def handshake(**changes: str | None) -> dict[str, str]:
    """Return the headers that ask for a WebSocket, but for the changes; None leaves one out.

    Underscores in the names of headers stand for hyphens.
    """
    headers = {
        "Connection": "Upgrade",
        "Upgrade": "websocket",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": base64.b64encode(secrets.token_bytes(16)).decode(),
    }
    changed = headers | {name.replace("_", "-"): value for name, value in changes.items()}
    return {name: value for name, value in changed.items() if value is not None}


def reset(connection: socket.socket) -> None:
    """Drop a connection at once, as a host that has lost all memory of it does."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


class Raw:
    """A client that writes its frames by hand.

    A `narrow` one has buffers as small as they can be, so that what it does not read soon waits
    in the server.
    """

    def __init__(
        self, base_url: str, *, path: str = FEED, narrow: bool = False, **headers: str
    ) -> None:
        url = urlsplit(base_url)
        assert url.hostname
        self.socket = socket.socket()
        self._received = b""
        if narrow:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1)
            self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, 536)
        self.socket.settimeout(10)
        self.socket.connect((url.hostname, url.port or 80))
        self.port: int = self.socket.getsockname()[1]
        self.pid = 0
        fields = {"Host": url.netloc, **handshake(**headers)}
        request = [f"GET {path} HTTP/1.1", *(f"{n}: {v}" for n, v in fields.items()), "", ""]
        self.send("\r\n".join(request).encode("latin-1"))
        while b"\r\n\r\n" not in self._received:
            self._receive()
        head, _, self._received = self._received.partition(b"\r\n\r\n")
        status, *lines = head.decode("latin-1").split("\r\n")
        assert status.startswith("HTTP/1.1 101 "), head
        self.headers = httpx.Headers([line.split(": ", 1) for line in lines])

    def __enter__(self) -> "Raw":
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()

    def send(self, data: bytes) -> None:
        self.socket.sendall(data)

    def read(self, within: float = 10) -> Frame | None:
        """Return the next frame, None at the end of the connection."""
        self.socket.settimeout(within)
        try:
            return self._frame()
        except (EOFError, ConnectionResetError):
            return None

    def hear(self, opcode: int = TEXT) -> Frame:
        """Return the next frame of a kind, past any of another."""
        while (found := self.read()) and found.opcode != opcode:
            pass
        assert found, "the server has ended the connection"
        return found

    def ask(self, data: bytes) -> dict[str, Any]:
        """Send frames that are one message; return its answer, past any changes."""
        self.send(data)
        while is_change(answer := json.loads(self.hear().payload)):
            pass
        return answer

    def end(self) -> tuple[list[dict[str, Any]], int | None]:
        """Read on to the end of the connection; return what came, and the code of the close frame.

        That is answered, and the last thing that comes. It may be missing.
        """
        heard: list[dict[str, Any]] = []
        while (found := self.read()) and found.opcode != CLOSE:
            if found.opcode == TEXT:
                heard.append(json.loads(found.payload))
        if not found:
            return heard, None
        with contextlib.suppress(OSError):
            self.send(frame(CLOSE, found.payload))
        assert self.read() is None, "something follows the close frame"
        return heard, found.code

    def _frame(self) -> Frame:
        head, length = self._received_up_to(2)
        assert head & 0x80, "nothing that this feed says needs fragments"
        assert not length & 0x80, "a server masks no frame"
        start = 2 + {126: 2, 127: 8}.get(length, 0)
        if start > 2:
            length = int.from_bytes(self._received_up_to(start)[2:], "big")
        payload = self._received_up_to(start + length)[start:]
        self._received = self._received[start + length :]
        return Frame(head & 0x7F, payload)

    def _received_up_to(self, count: int) -> bytes:
        while len(self._received) < count:
            self._receive()
        return self._received[:count]

    def _receive(self) -> None:
        data = self.socket.recv(65536)
        if not data:
            raise EOFError
        self._received += data
