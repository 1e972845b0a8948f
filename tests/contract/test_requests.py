"""What HTTP/1.1 lets a client, or a proxy in front, send: it means the same to every service."""

import re
import socket
import time
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from .client import BOOKS, ME, REVOKE, USERS, token_of

HOST = b"Host: test\r\n"
KIND = b"Content-Type: application/x-www-form-urlencoded\r\n"
BODY = b"token=unknown"  # with it `revoke` is 200, and without it 400
LENGTH = b"Content-Length: %d\r\n" % len(BODY)
CHUNKED = b"Transfer-Encoding: chunked\r\n"
CHUNKS = b"5\r\ntoken\r\n8\r\n=unknown\r\n0\r\n\r\n"
H2C = b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n"
WEBSOCKET = b"Connection: Upgrade\r\nUpgrade: websocket\r\n"
CLOSE = b"Connection: close\r\n"


def get(target: str = "/healthz", *headers: bytes, host: bytes = HOST) -> bytes:
    return f"GET {target} HTTP/1.1\r\n".encode() + host + b"".join(headers) + b"\r\n"


def post(*headers: bytes, body: bytes = BODY, kind: bytes = KIND, target: str = REVOKE) -> bytes:
    head = f"POST {target} HTTP/1.1\r\n".encode() + HOST + kind
    return head + b"".join(headers) + b"\r\n" + body


def statuses(base_url: str, *parts: bytes) -> list[int]:
    """Send something, in parts; return the status of each answer until the server closes."""
    url = httpx.URL(base_url)
    with socket.create_connection((url.host, url.port), timeout=8) as peer:
        for number, part in enumerate(parts):
            if number:
                time.sleep(0.2)  # There is no sign of a server that has read the first.
            peer.sendall(part)
        found = b""
        while more := peer.recv(65_536):
            found += more
    return [int(status) for status in re.findall(rb"HTTP/1\.1 (\d{3})", found)]


WHOLE = post(LENGTH)
UNDERSTOOD: dict[str, tuple[bytes, ...]] = {
    "an upgrade to HTTP/2": (post(H2C, LENGTH),),
    "an upgrade in parts": (post(H2C, LENGTH)[:-20], post(H2C, LENGTH)[-20:-6], BODY[-6:]),
    "an upgrade with chunks": (post(H2C, CHUNKED, body=CHUNKS),),
    "an upgrade to WebSocket": (post(WEBSOCKET, LENGTH),),
    "an upgrade to TLS": (post(b"Connection: upgrade\r\nUpgrade: TLS/1.2\r\n", LENGTH),),
    "an upgrade that is not meant": (post(b"Upgrade: h2c\r\n", LENGTH),),
    "an extension of a chunk": (post(CHUNKED, body=CHUNKS.replace(b"5\r", b"5;a=b\r")),),
    "a quoted extension": (post(CHUNKED, body=CHUNKS.replace(b"5\r", b'5;a="b;c"\r')),),
    "zeros before a size": (post(CHUNKED, body=CHUNKS.replace(b"5\r", b"005\r")),),
    "a trailer": (post(CHUNKED, body=CHUNKS[:-2] + b"Digest: x\r\n\r\n"),),
    "trailers that are told": (
        post(CHUNKED, b"Trailer: A\r\n", body=CHUNKS[:-2] + b"A: 1\r\nB: 2\r\n\r\n"),
    ),
    "a coding in capitals": (post(CHUNKED.replace(b"chunked", b"Chunked"), body=CHUNKS),),
    "a media type in capitals": (post(LENGTH, kind=KIND.replace(b"app", b"APP")),),
    "a charset": (post(LENGTH, kind=KIND.replace(b"\r\n", b' ; Charset="utf-8"\r\n')),),
    "no charset after all": (post(LENGTH, kind=KIND.replace(b"\r\n", b";\r\n")),),
    "an absolute target": (post(LENGTH, target=f"http://test{REVOKE}"),),
    "an absolute target in capitals": (post(LENGTH, target=f"HTTP://TEST:80{REVOKE}"),),
    "an escaped path": (post(LENGTH, target=REVOKE.replace("v1", "%761")),),
    "an expectation with the body": (post(b"Expect: 100-continue\r\n", LENGTH),),
    "a name in small letters": (post(LENGTH.lower()),),
    "no blank before a value": (post(LENGTH.replace(b": ", b":")),),
    "blanks around a value": (post(LENGTH.replace(b": ", b": \t ").replace(b"\r", b" \t\r")),),
    "an empty value": (post(b"X-Mine:\r\n", LENGTH),),
    "a value in Latin-1": (post(b"X-Mine: \xe9\r\n", LENGTH),),
    "odd characters in a name": (post(b"X!#$%&'*+.^`|~: x\r\n", LENGTH),),
    "a hundred headers": (post(*(b"X-%d: x\r\n" % number for number in range(100)), LENGTH),),
    "a long header": (post(b"X-Mine: " + b"x" * 30_000 + b"\r\n", LENGTH),),
    "a long query": (post(LENGTH, target=f"{REVOKE}?x={'x' * 30_000}"),),
    "a blank line before": (b"\r\n" + WHOLE,),
    "codings of the answer": (post(b"TE: trailers\r\nConnection: TE\r\n", LENGTH),),
    "a body that says nothing": (b"GET /healthz HTTP/1.1\r\n" + HOST + LENGTH + b"\r\n" + BODY,),
    "an IPv6 host": (get(host=b"Host: [::1]:8000\r\n"),),
    "an empty host": (get(host=b"Host:\r\n"),),
}


@pytest.mark.parametrize("kind", UNDERSTOOD)
def test_what_may_be_sent_is_understood(base_url: str, kind: str) -> None:
    """The request is answered, its body read, and the connection there for the next: RFC 9112."""
    found = statuses(base_url, *UNDERSTOOD[kind], WHOLE + get("/healthz", CLOSE))
    assert [status for status in found if status != 100] == [200, 200, 200]


@pytest.mark.parametrize("value", [b"100-continue", b"100-CONTINUE", b"100-Continue"])
def test_who_expects_to_be_told_to_continue_is(base_url: str, value: bytes) -> None:
    """RFC 9110, section 10.1.1: 100 is sent before the body, whatever the case."""
    request = post(b"Expect: " + value + b"\r\n", LENGTH, CLOSE)
    assert statuses(base_url, request[: -len(BODY)], BODY) == [100, 200]


def test_an_old_client_is_not_told_to_continue(base_url: str) -> None:
    """RFC 9110, section 10.1.1: HTTP/1.0 knows no 100."""
    request = post(b"Expect: 100-continue\r\n", LENGTH).replace(b"HTTP/1.1", b"HTTP/1.0")
    assert 100 not in statuses(base_url, request[: -len(BODY)], BODY)


@pytest.mark.parametrize(
    "lines",
    [b"close", b"Close", b"\tclose ", b"close, x", b"x, close", b"x\r\nConnection: close"],
)
def test_who_wants_it_closed_is_obeyed(base_url: str, lines: bytes) -> None:
    """RFC 9112, section 9.6: `close` ends the connection, also within a list."""
    assert statuses(base_url, get("/healthz", b"Connection: " + lines + b"\r\n")) == [200]


@pytest.mark.parametrize(
    "host",
    [
        b"",
        HOST * 2,
        HOST + b"Host: other\r\n",
        b"Host: a b\r\n",
        b"Host: a/b\r\n",
        b"Host: a,b\r\n",
    ],
    ids=["none", "twice", "two", "a blank", "a path", "a list"],
)
def test_a_request_has_one_host(base_url: str, host: bytes) -> None:
    """RFC 9112, section 3.2: 400 for none, for more than one, and for what can be none."""
    assert statuses(base_url, get(host=host) + get("/healthz", CLOSE)) == [400]


def test_what_comes_twice_is_not_chosen_from(base_url: str, user: httpx.Client) -> None:
    """RFC 9110, section 5.3: a header that is no list is wrong when it comes twice."""
    token = f"Authorization: Bearer {token_of(user)}\r\n".encode()
    assert statuses(base_url, get(ME, token, CLOSE)) == [200]
    assert statuses(base_url, get(ME, token, token, CLOSE)) == [401]
    kind = b"Content-Type: application/json\r\n"
    assert statuses(base_url, post(LENGTH, kind, CLOSE, kind=kind, target=USERS)) == [415]


@pytest.mark.parametrize("scheme", [b"bearer ", b"BEARER ", b"Bearer  "])
def test_a_scheme_may_be_written_otherwise(
    base_url: str, user: httpx.Client, scheme: bytes
) -> None:
    """RFC 9110, section 11.4: its case means nothing, and more than one blank may follow."""
    token = b"Authorization: " + scheme + token_of(user).encode() + b"\r\n"
    assert statuses(base_url, get(ME, token, CLOSE)) == [200]


def test_conditions_may_be_lines(
    base_url: str, user: httpx.Client, make_book: Callable[..., dict[str, Any]]
) -> None:
    """A list may come on several lines (RFC 9110, section 5.3); a 304 ends no connection."""
    path = f"{BOOKS}/{make_book()['id']}"
    tag = user.get(path).headers["ETag"].encode()
    lines = [b'If-None-Match: "x"\r\n', b"If-None-Match: " + tag + b"\r\n"]
    requests = get(path, *lines) + get(path, *reversed(lines)) + get(path, CLOSE)
    assert statuses(base_url, requests) == [304, 304, 200]


def test_a_condition_on_a_time_that_is_not_known_is_none(
    base_url: str, make_book: Callable[..., dict[str, Any]]
) -> None:
    """RFC 9110, section 13.1.4: without a `Last-Modified` there is nothing to compare."""
    old = b"If-Unmodified-Since: Mon, 01 Jan 1990 00:00:00 GMT\r\n"
    assert statuses(base_url, get(f"{BOOKS}/{make_book()['id']}", old, CLOSE)) == [200]


@pytest.mark.parametrize(
    "path", ["//healthz", "/healthz/", f"/{BOOKS}", "/api//v1/books", f"{BOOKS}/"]
)
def test_a_slash_more_is_another_path(base_url: str, path: str) -> None:
    """404: to the rules of a proxy in front it is another path."""
    assert statuses(base_url, get(path, CLOSE)) == [404]
