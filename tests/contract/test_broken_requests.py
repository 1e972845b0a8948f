"""Requests that break off or are none: a mistake ends its own connection, and is no bug."""

import contextlib
import json
import socket
import time
from collections.abc import Iterator

import httpx
import pytest

from .client import BOOKS, REVOKE, USERS, get, raw
from .feed import reset
from .service import Service

KIND = b"Content-Type: application/json\r\n"
FORM = b"Content-Type: application/x-www-form-urlencoded\r\n"


@pytest.fixture(autouse=True)
def is_no_bug(service: Service) -> Iterator[None]:
    """Whatever a test sends, the next request is answered, and the log tells of no bug."""
    logged, told = len(service.web.lines()), service.web.stderr.read_text("utf-8")
    yield
    assert get(f"{service.base_url}/healthz").status_code == 200
    for line in service.web.lines()[logged:]:
        assert json.loads(line)["level"] not in {"error", "critical"}, line
        assert "Traceback" not in line
    assert service.web.stderr.read_text("utf-8") == told


def post(path: str, *headers: bytes) -> bytes:
    head = f"POST {path} HTTP/1.1\r\nHost: test\r\n".encode()
    return head + b"".join(headers) + b"\r\n"


CHUNKED = b"Transfer-Encoding: chunked\r\n"
MALFORMED = {
    "no size": b"\r\n{}\r\n0\r\n\r\n",
    "no hexadecimal size": b"xyz\r\n{}\r\n0\r\n\r\n",
    "a negative size": b"-2\r\n{}\r\n0\r\n\r\n",
    "a signed size": b"+2\r\n{}\r\n0\r\n\r\n",
    "a prefixed size": b"0x2\r\n{}\r\n0\r\n\r\n",
    "a size with an underscore": b"0_2\r\n{}\r\n0\r\n\r\n",
    "a size with a blank in it": b"1 2\r\n{}\r\n0\r\n\r\n",
    "a size that is no ASCII": b"\xef\xbc\x92\r\n{}\r\n0\r\n\r\n",
    "a huge size": b"f" * 40 + b"\r\n{}\r\n0\r\n\r\n",
    "an endless size": b"1" * 100_000,
    "an endless extension": b"2;" + b"x" * 100_000,
    "no line break after the size": b"2{}0\r\n\r\n",
    "no line break after the chunk": b"2\r\n{}0\r\n\r\n",
    "a chunk that is longer than its size": b"2\r\n{} \r\n0\r\n\r\n",
    "a chunk that is shorter than its size": b"5\r\n{}\r\n0\r\n\r\n",
    "a bare line feed": b"2\n{}\n0\n\n",
    "nothing": b"",
    "half a size": b"2",
    "half a chunk": b"20\r\n{",
    "no last chunk": b"2\r\n{}\r\n",
    "half an end": b"2\r\n{}\r\n0\r\n",
    "trailers that are none": b"2\r\n{}\r\n0\r\n\0\0: \xff\r\nx\r\n\r\n",
    "endless trailers": b"2\r\n{}\r\n0\r\n" + b"X-Mine: x\r\n" * 10_000,
    "something else": b'{"email": "a@example.org"}',
}


@pytest.mark.parametrize("path", [USERS, REVOKE, BOOKS])
@pytest.mark.parametrize("kind", MALFORMED)
def test_a_malformed_body_in_chunks_is_refused(base_url: str, path: str, kind: str) -> None:
    """A body whose chunks are malformed is a 4xx, or ends the connection."""
    request = post(path, FORM if path == REVOKE else KIND, CHUNKED)
    try:
        response = raw(base_url, request + MALFORMED[kind], half_close=True)
    except ConnectionError:
        return
    # Who reads no body, or reads the two bytes that are right, may answer so.
    assert 400 <= response.status_code < 500


TWO_WAYS = {
    "a length and chunks": CHUNKED + b"Content-Length: 5\r\n",
    "chunks and a length": b"Content-Length: 5\r\n" + CHUNKED,
    "two lengths": b"Content-Length: 5\r\nContent-Length: 6\r\n",
    "a list of lengths": b"Content-Length: 5, 6\r\n",
    "a negative length": b"Content-Length: -1\r\n",
    "a signed length": b"Content-Length: +5\r\n",
    "a length that is no number": b"Content-Length: five\r\n",
    "a length beyond all": b"Content-Length: " + b"9" * 5000 + b"\r\n",
    "another coding": b"Transfer-Encoding: gzip\r\n",
    "another coding within chunks": b"Transfer-Encoding: gzip, chunked\r\n",
    "chunks that are not last": b"Transfer-Encoding: chunked, gzip\r\n",
    "chunks within chunks": b"Transfer-Encoding: chunked, chunked\r\n",
    "chunks, told twice": CHUNKED * 2,
    "no coding, and a length": b"Transfer-Encoding:\r\nContent-Length: 5\r\n",
}


@pytest.mark.parametrize("kind", TWO_WAYS)
def test_a_body_whose_length_is_unclear_is_refused(base_url: str, kind: str) -> None:
    """RFC 9112, section 6.3: what a proxy may read otherwise is answered once and no more."""
    request = post(USERS, KIND, TWO_WAYS[kind]) + b"0\r\n\r\n"
    smuggled = b"GET /smuggled HTTP/1.1\r\nHost: test\r\n\r\n"
    url = httpx.URL(base_url)
    with socket.create_connection((url.host, url.port), timeout=15) as peer:
        peer.sendall(request + smuggled)
        with contextlib.suppress(OSError):  # which the server has closed already
            peer.shutdown(socket.SHUT_WR)
        found = b""
        with contextlib.suppress(ConnectionError):
            while part := peer.recv(65_536):
                found += part
    assert b"smuggled" not in found
    assert found[:12] in {b"", *(b"HTTP/1.1 %d" % status for status in (400, 411, 413, 422, 501))}


PARTS = {
    "nothing": b"",
    "half a line": b"POST /api",
    "half a head": post(USERS, KIND)[:-4],
    "no body": post(USERS, KIND, b"Content-Length: 100\r\n"),
    "half a body": post(USERS, KIND, b"Content-Length: 100\r\n") + b"{",
    "half of a large body": post(USERS, KIND, b"Content-Length: 1000000\r\n") + b" " * 500_000,
    "too large a body": post(USERS, KIND, b"Content-Length: 9000000\r\n") + b" " * 2_000_000,
    "half a chunk": post(USERS, KIND, CHUNKED) + b"20\r\n{",
    "half a form": post(REVOKE, FORM, b"Content-Length: 100\r\n") + b"token",
    "no more than a request": b"GET /openapi.json HTTP/1.1\r\nHost: test\r\n\r\n",
    "many requests": b"GET /openapi.json HTTP/1.1\r\nHost: test\r\n\r\n" * 50,
    "a list": f"GET {BOOKS}?page_size=100 HTTP/1.1\r\nHost: test\r\n\r\n".encode(),
}


@pytest.mark.parametrize("how", ["closed", "reset"])
@pytest.mark.parametrize("kind", PARTS)
def test_a_client_may_leave_at_any_time(base_url: str, kind: str, how: str) -> None:
    """A client that goes away in the middle of whatever it was at is no bug."""
    url = httpx.URL(base_url)
    with socket.create_connection((url.host, url.port)) as peer:
        peer.settimeout(0)
        with contextlib.suppress(BlockingIOError):
            peer.send(PARTS[kind])
        if how == "reset":
            reset(peer)
    time.sleep(0.1)  # There is no sign of a server that has noticed.
