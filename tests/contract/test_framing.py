"""Frames of RFC 6455, right and wrong: a mistake ends its own connection and touches no other."""

import json
import random
import socket
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from typing import Any, NamedTuple

import httpx
import pytest

from .feed import (
    CLOSE,
    CONTINUATION,
    FEED,
    PING,
    PONG,
    TEXT,
    Frame,
    Listener,
    Raw,
    both,
    close_frame,
    create,
    frame,
    holds,
    in_each,
    listening,
    reset,
)
from .processes import Process, until
from .service import Service

# Those who are watched are it while the other tests run: see `watched`.
pytestmark = pytest.mark.usefixtures("with_feed", "watched")

FILTER = json.dumps({"action": "filter", "authors": ["Ürsula 図書館"]}, ensure_ascii=False).encode()
ANSWER = {"type": "filter", "authors": ["Ürsula 図書館"]}


class Life(NamedTuple):
    """When a connection was pinged, and when it ended if it did, in seconds from its start."""

    pings: list[float]
    end: float | None
    answer: dict[str, Any] | None
    """What the server then said to the rest of a message."""


class Habit(NamedTuple):
    """What a peer sends at first, and in the end if it has answered pings; the others do not."""

    first: bytes
    last: bytes | None = None


HABITS = {
    "answering": Habit(b"", frame(TEXT, FILTER)),
    "answering in mid-message": Habit(
        frame(TEXT, FILTER[:20], fin=False), frame(CONTINUATION, FILTER[20:])
    ),
    "silent": Habit(b""),
    "silent in mid-message": Habit(frame(TEXT, FILTER[:20], fin=False)),
    "silent in mid-frame": Habit(frame(TEXT, FILTER)[:20]),
    "silent in mid-header": Habit(frame(TEXT, FILTER)[:1]),
}


def live(peer: Raw, habit: Habit) -> Life:
    """Stay connected for as long as the server lets us, at most 45 seconds."""
    peer.send(habit.first)
    started = time.monotonic()
    pings = []
    while (left := started + 45 - time.monotonic()) > 0:
        try:
            found = peer.read(within=left)
        except TimeoutError:
            break
        if not found or found.opcode == CLOSE:
            life = Life(pings, time.monotonic() - started, None)
            assert peer.read() is None, "something follows the close frame"
            return life
        if found.opcode == PING:
            pings.append(time.monotonic() - started)
            if habit.last:
                peer.send(frame(PONG, found.payload))
    return Life(pings, None, peer.ask(habit.last) if habit.last else None)


@pytest.fixture(scope="session")
def watched(another: tuple[Process, str]) -> Iterator[dict[str, Future[Life]]]:
    """Give what becomes of peers of several habits while the other tests run.

    They are peers of a process that no test stops for a moment.
    """
    _, base_url = another
    with ExitStack() as stack, ThreadPoolExecutor(len(HABITS)) as pool:
        yield {
            name: pool.submit(live, stack.enter_context(Raw(base_url)), habit)
            for name, habit in HABITS.items()
        }


@pytest.fixture(scope="module")
def bystanders(service: Service) -> Iterator[list[Listener]]:
    processes = both(service.web, service.base_url)
    with in_each(processes, lambda: listening(service.base_url)) as found:
        yield found


@pytest.fixture(autouse=True)
def touches_no_other(
    service: Service, user: httpx.Client, bystanders: list[Listener]
) -> Iterator[None]:
    """Whatever a test sends, others hear of the next change, and it is no bug in the log."""
    logged, told = len(service.web.lines()), service.web.stderr.read_text("utf-8")
    yield
    message = create(user)
    for bystander in bystanders:
        assert bystander.hears(message, within=2)
    for line in service.web.lines()[logged:]:
        assert json.loads(line)["level"] not in {"error", "critical"}, line
        assert "Traceback" not in line
    assert service.web.stderr.read_text("utf-8") == told


WRONG: dict[str, bytes] = {
    "a reserved bit 1": frame(TEXT, FILTER, reserved=4),
    "a reserved bit 2": frame(TEXT, FILTER, reserved=2),
    "a reserved bit 3": frame(TEXT, FILTER, reserved=1),
    "all reserved bits": frame(PING, reserved=7),
    "a reserved bit in a rest": frame(TEXT, FILTER[:9], fin=False)
    + frame(CONTINUATION, FILTER[9:], reserved=4),
    **{f"opcode {opcode}": frame(opcode, FILTER) for opcode in (3, 7, 11, 15)},
    "a part with opcode 3": frame(3, FILTER[:9], fin=False) + frame(CONTINUATION, FILTER[9:]),
    "a close of 126 bytes": frame(CLOSE, b"\x03\xe8" + b"x" * 124),
    "a ping of 126 bytes": frame(PING, b"x" * 126),
    "a pong of 126 bytes": frame(PONG, b"x" * 126),
    "a ping of 70,000 bytes": frame(PING, b"x" * 70_000),
    "a ping in parts": frame(PING, b"x", fin=False) + frame(CONTINUATION, b"x"),
    "a close in parts": frame(CLOSE, b"\x03", fin=False) + frame(CONTINUATION, b"\xe8"),
    "a rest of nothing": frame(CONTINUATION, FILTER),
    "a second rest": frame(TEXT, b"{", fin=False) + frame(CONTINUATION, b"}") * 2,
    "a message in a message": frame(TEXT, FILTER[:9], fin=False) + frame(TEXT, FILTER),
    "a beginning in a message": frame(TEXT, FILTER[:9], fin=False) * 2,
    "another request": f"GET {FEED} HTTP/1.1\r\nHost: test\r\n\r\n".encode(),
    "zeros": bytes(64),
    "ones": b"\xff" * 64,
    "random bytes": b"\xb3" + random.Random(9).randbytes(4000),
}


@pytest.mark.parametrize("kind", WRONG)
def test_a_wrong_frame_ends_its_connection(service: Service, kind: str) -> None:
    """What RFC 6455 forbids ends the connection, with 1002 or at once.

    But for frames that are not masked and close frames with a bad code, which Tornado takes.
    """
    with Raw(service.base_url) as peer:
        peer.send(WRONG[kind])
        heard, code = peer.end()
    assert code in {None, 1002}
    assert ANSWER not in heard


NO_TEXT = {
    "a byte that is never there": b'"\xff"',
    "a rest alone": b'"\x80"',
    "a character cut off": b'"\xe2\x82"',
    "a character cut off at the end": FILTER + b"\xe2\x82",
    "too long a form": b'"\xc0\xaf"',
    "a surrogate": b'"\xed\xa0\x80"',
    "beyond Unicode": b'"\xf4\x90\x80\x80"',
}


@pytest.mark.parametrize("parts", [1, 2, 3])
@pytest.mark.parametrize("kind", NO_TEXT)
def test_text_that_is_no_utf_8_ends_its_connection(service: Service, kind: str, parts: int) -> None:
    """A text that is not UTF-8 ends the connection, with 1007 or at once, in whatever parts."""
    with Raw(service.base_url) as peer:
        peer.send(in_parts(NO_TEXT[kind], parts))
        heard, code = peer.end()
    assert code in {None, 1007}
    assert not [message for message in heard if "book" not in message]


def test_a_reason_that_is_no_utf_8_ends_its_connection(service: Service) -> None:
    """The reason of a close frame is UTF-8, as any text."""
    with Raw(service.base_url) as peer:
        peer.send(close_frame(1000, b"\xff"))
        assert peer.end()[1] in {None, 1002, 1007}


def in_parts(message: bytes, count: int) -> bytes:
    """Write a text as so many frames, cut anywhere."""
    if count == 1:
        return frame(TEXT, message)
    size = -(-len(message) // count)
    parts = [message[start : start + size] for start in range(0, len(message), size)]
    opcodes = [TEXT, *[CONTINUATION] * (len(parts) - 1)]
    return b"".join(
        frame(opcode, part, fin=number == len(parts) - 1)
        for number, (opcode, part) in enumerate(zip(opcodes, parts, strict=True))
    )


def header(size: int, width: int) -> bytes:
    """Write the beginning of a text frame that is to be so long."""
    return bytes([0x81, 0x80 | {2: 126, 8: 127}[width]]) + size.to_bytes(width, "big") + bytes(4)


TOO_LARGE = {
    "4097 bytes": frame(TEXT, b" " * 4097),
    "4097 bytes of no UTF-8": frame(TEXT, b"\xff" * 4097),
    "4097 bytes in 2 parts": in_parts(b" " * 4097, 2),
    "4097 bytes in 4097 parts": in_parts(b" " * 4097, 4097),
    "parts without end": frame(TEXT, b" " * 1000, fin=False)
    + frame(CONTINUATION, b" " * 1000, fin=False) * 100,
    "parts with pings between them": frame(TEXT, b" " * 4000, fin=False)
    + (frame(PING) + frame(CONTINUATION, b" " * 50, fin=False)) * 4,
    "5 MiB": frame(TEXT, b" " * (5 << 20)),
    "4097 bytes to come": header(4097, 2),
    "65,535 bytes to come": header(65_535, 2),
    "2^62 bytes to come": header(2**62, 8),
    "2^63 - 1 bytes to come": header(2**63 - 1, 8),
}


@pytest.mark.parametrize("kind", TOO_LARGE)
def test_a_message_over_4_kib_ends_with_1009(service: Service, kind: str) -> None:
    """A message over 4 KiB closes with 1009, in parts or not, as soon as its length is known."""
    with Raw(service.base_url) as peer, ThreadPoolExecutor(1) as pool:
        sent = pool.submit(peer.send, TOO_LARGE[kind])
        assert peer.end()[1] == 1009
        assert isinstance(sent.exception(), ConnectionError | None)


def test_a_length_beyond_all_ends_its_connection(service: Service) -> None:
    """RFC 6455, section 5.2: the most significant bit of a length is 0."""
    for size in (2**63, 2**64 - 1):
        with Raw(service.base_url) as peer:
            peer.send(header(size, 8))
            assert peer.end()[1] in {None, 1002, 1009}


@pytest.mark.parametrize("how", ["closed", "reset"])
@pytest.mark.parametrize(
    "data",
    [
        b"",
        frame(TEXT, FILTER)[:1],
        frame(TEXT, FILTER)[:-1],
        frame(TEXT, FILTER, fin=False),
        frame(PING, b"x" * 100) * 100,
        frame(TEXT, FILTER) * 100,
    ],
    ids=["nothing", "a header", "a frame", "a message", "pings", "messages"],
)
def test_a_connection_may_drop_at_any_time(service: Service, data: bytes, how: str) -> None:
    """A client that vanishes in the middle of whatever it was at leaves nothing behind."""
    with Raw(service.base_url) as peer:
        peer.send(data)
        [process] = [p for p in service.web_processes() if holds(p, peer.port)]
        if how == "reset":
            reset(peer.socket)
    until(lambda: not holds(process, peer.port), within=5, failing="the server keeps it")


@pytest.mark.parametrize("how", ["closed", "reset"])
def test_a_handshake_may_drop_at_any_time(service: Service, how: str) -> None:
    """A client that vanishes before it has asked is nobody's concern."""
    request = f"GET {FEED} HTTP/1.1\r\nHost: test\r\nUpgrade: websocket\r\n".encode()
    for size in (0, 1, 20, len(request)):
        with socket.create_connection(("127.0.0.1", service.port)) as peer:
            peer.sendall(request[:size])
            port = peer.getsockname()[1]
            if how == "reset":
                reset(peer)
        until(
            lambda port=port: not any(holds(p, port) for p in service.web_processes()),
            within=5,
            failing="the server keeps it",
        )


@pytest.mark.parametrize("count", [2, 3, 40])
def test_a_message_may_come_in_parts(service: Service, count: int) -> None:
    """A message in fragments is one message, also if a character is cut in two."""
    with Raw(service.base_url) as peer:
        assert peer.ask(in_parts(FILTER, count)) == ANSWER
        assert peer.ask(frame(TEXT, FILTER)) == ANSWER


def test_a_part_may_be_empty(service: Service) -> None:
    """Fragments of no bytes at all are fragments."""
    empty = frame(CONTINUATION, fin=False)
    with Raw(service.base_url) as peer:
        data = frame(TEXT, fin=False) + empty * 3 + frame(CONTINUATION, FILTER, fin=False) + empty
        assert peer.ask(data + frame(CONTINUATION)) == ANSWER


def test_control_frames_may_come_between_parts(service: Service) -> None:
    """A ping between two fragments is answered before the message is complete."""
    with Raw(service.base_url) as peer:
        peer.send(frame(TEXT, FILTER[:30], fin=False) + frame(PONG) + frame(PING, b"between"))
        assert peer.hear(PONG).payload == b"between"
        assert peer.ask(frame(CONTINUATION, FILTER[30:])) == ANSWER


def test_a_frame_may_come_byte_by_byte(service: Service) -> None:
    """However TCP cuts a frame, it is one."""
    with Raw(service.base_url) as peer:
        *begin, last = frame(TEXT, FILTER)
        for byte in begin:
            peer.send(bytes([byte]))
        assert peer.ask(bytes([last])) == ANSWER


def test_frames_may_come_together(service: Service) -> None:
    """However many frames TCP brings at once, each is answered, in order."""
    with Raw(service.base_url) as peer:
        peer.send(frame(TEXT, b"{}") * 50 + frame(TEXT, FILTER) + frame(PING, b"end"))
        assert peer.hear(PONG).payload == b"end"


def test_a_length_may_be_written_longer_than_it_is(service: Service) -> None:
    """A short frame with a long form of its length is taken, or ends the connection with 1002."""
    with Raw(service.base_url) as peer:
        peer.send(header(len(FILTER), 8) + FILTER + close_frame(1000))
        heard, code = peer.end()
    assert (heard[-1:], code) == ([ANSWER], 1000) or code in {None, 1002}


@pytest.mark.parametrize("size", [0, 1, 125])
def test_a_ping_is_answered_with_what_it_says(service: Service, size: int) -> None:
    """A pong has the payload of its ping, of 0 to 125 bytes."""
    with Raw(service.base_url) as peer:
        peer.send(frame(PING, bytes(range(size))))
        assert peer.hear(PONG) == Frame(PONG, bytes(range(size)))


def test_a_pong_that_nobody_asked_for_is_no_mistake(service: Service) -> None:
    """An unsolicited pong is taken and not answered."""
    with Raw(service.base_url) as peer:
        peer.send(frame(PONG, b"x" * 125))
        assert peer.ask(frame(TEXT, FILTER)) == ANSWER


@pytest.mark.parametrize(
    ("payload", "code"),
    [
        *((code.to_bytes(2, "big"), code) for code in (1000, 1001, 1003, 1011, 3000, 4999)),
        (b"\x03\xe8done", 1000),
        (b"\x03\xe8" + ("é" * 61 + "e").encode(), 1000),
        (b"", 1005),
    ],
)
def test_a_close_is_answered_with_its_code(service: Service, payload: bytes, code: int) -> None:
    """A close frame is answered with one of the same code; then the server ends the connection."""
    with Raw(service.base_url) as peer:
        peer.send(frame(CLOSE, payload) + frame(TEXT, FILTER))
        answer = peer.hear(CLOSE)
        assert answer.code == code
        assert peer.read() is None


def test_a_close_in_mid_message_is_answered(service: Service) -> None:
    """A client may close before its message is complete."""
    with Raw(service.base_url) as peer:
        peer.send(frame(TEXT, FILTER[:9], fin=False) + close_frame(1001))
        assert peer.end()[1] == 1001


@pytest.mark.last
@pytest.mark.parametrize("habit", [name for name, habit in HABITS.items() if habit.last])
def test_who_answers_pings_stays(watched: dict[str, Future[Life]], habit: str) -> None:
    """The server pings every 20 s, and who answers stays, whatever message it is at."""
    life = watched[habit].result()
    assert life.end is None
    assert [round(seconds / 20, 1) for seconds in life.pings] == [1, 2]
    assert life.answer == ANSWER


@pytest.mark.last
@pytest.mark.parametrize("habit", [name for name, habit in HABITS.items() if not habit.last])
def test_who_is_silent_is_closed(watched: dict[str, Future[Life]], habit: str) -> None:
    """The server closes a silent peer after 40 s, whatever it has left unfinished."""
    life = watched[habit].result()
    assert life.end
    assert 38 <= life.end <= 44
    assert round(life.pings[0] / 20, 1) == 1
