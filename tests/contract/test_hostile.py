"""Hostile input: whatever arrives, the answer is a refusal, and the service goes on."""

import json
import secrets
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

from .client import (
    BOOKS,
    PASSWORD,
    REVOKE,
    TOKEN,
    USERS,
    book,
    oauth_error,
    problem,
    raw,
    raw_post,
    token_of,
)

Make = Callable[..., dict[str, Any]]

HOSTILE_TEXT = {"NUL": "a\0b", "a lone surrogate": "a\ud800b", "a lone low surrogate": "\udfff"}

HOSTILE_BODIES = {
    "deep lists": b"[" * 100_000,
    "deep and closed": b"[" * 100_000 + b"]" * 100_000,
    "deep objects": b'{"a":' * 50_000 + b"1" + b"}" * 50_000,
    "deep in a field": b'{"title":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    "a huge integer": b'{"title": ' + b"9" * 100_000 + b"}",
    "a huge number": b'{"title": 1e400}',
    "a NUL in a name": b'{"ti\\u0000tle": 1}',
    "a surrogate in a name": b'{"\\ud800": 1}',
    "an unended escape": b'{"title": "\\ud8"}',
}


@pytest.fixture(autouse=True)
def still_works(user: httpx.Client) -> Iterator[None]:
    """Whatever a test sends, the service takes the next good request as if nothing had been."""
    yield
    created = user.post(BOOKS, json=book())
    assert created.status_code == 201
    assert user.get(f"{BOOKS}/{created.json()['id']}").json() == created.json()


@pytest.mark.parametrize("field", ["title", "author", "isbn", "publication_date", "colour"])
@pytest.mark.parametrize("kind", HOSTILE_TEXT)
def test_hostile_text_in_a_book_is_bad_input(user: httpx.Client, field: str, kind: str) -> None:
    """NUL and lone surrogates in a book are ordinary bad input, never a 500."""
    content = json.dumps(book(**{field: HOSTILE_TEXT[kind]}))
    headers = {"Content-Type": "application/json"}
    problem(user.post(BOOKS, content=content, headers=headers), 400, 422)


@pytest.mark.parametrize("field", ["email", "password"])
@pytest.mark.parametrize("kind", HOSTILE_TEXT)
def test_hostile_text_in_a_registration_is_bad_input(
    anonymous: httpx.Client, field: str, kind: str
) -> None:
    """NUL and lone surrogates in an account are ordinary bad input, never a 500."""
    account = {"email": f"{secrets.token_hex(8)}@example.org", "password": PASSWORD}
    account[field] = HOSTILE_TEXT[kind] + account[field]
    headers = {"Content-Type": "application/json"}
    problem(anonymous.post(USERS, content=json.dumps(account), headers=headers), 400, 422)


@pytest.mark.parametrize("field", ["grant_type", "username", "password", "refresh_token"])
@pytest.mark.parametrize("value", [b"a%00b", b"%FF%FE", b"%ED%A0%80", b"%", b"%ZZ"], ids=repr)
def test_hostile_text_in_a_token_request_is_bad_input(
    base_url: str, field: str, value: bytes
) -> None:
    """NUL, bad UTF-8 and bad escapes in a form are an OAuth error, never a 500."""
    grant = b"refresh_token" if field == "refresh_token" else b"password"
    form = {"grant_type": grant, "username": b"a@example.org", "password": b"x" * 12}
    form[field] = value
    body = b"&".join(b"%s=%s" % (name.encode(), text) for name, text in form.items())
    response = raw_post(base_url, TOKEN, body, Content_Type="application/x-www-form-urlencoded")
    oauth_error(response, "invalid_request", "invalid_grant", "unsupported_grant_type")


@pytest.mark.parametrize("value", [b"a%00b", b"%FF%FE", b"%ED%A0%80", b"%", b"%ZZ"], ids=repr)
def test_hostile_text_in_a_revocation_is_no_500(base_url: str, value: bytes) -> None:
    """What can be no token is unknown (200) or an invalid request (400)."""
    kind = "application/x-www-form-urlencoded"
    response = raw_post(base_url, REVOKE, b"token=" + value, Content_Type=kind)
    assert response.status_code in {200, 400}


@pytest.mark.parametrize("path", [USERS, BOOKS])
@pytest.mark.parametrize("kind", HOSTILE_BODIES)
def test_a_hostile_body_is_bad_input(
    base_url: str, user: httpx.Client, path: str, kind: str
) -> None:
    """Nesting too deep to parse, huge numbers and the like are bad input, never a 500."""
    problem(raw_post(base_url, path, HOSTILE_BODIES[kind], token=token_of(user)), 400, 422)


def test_a_body_with_a_key_twice_is_no_500(user: httpx.Client) -> None:
    """Duplicate keys are read one way or refused."""
    content = json.dumps(book())[:-1] + ', "title": "Kindred"}'
    headers = {"Content-Type": "application/json"}
    assert user.post(BOOKS, content=content, headers=headers).status_code in {201, 400, 422}


def test_a_byte_order_mark_is_no_500(user: httpx.Client) -> None:
    """RFC 8259 section 8.1: a byte order mark may be ignored or refused."""
    content = b"\xef\xbb\xbf" + json.dumps(book()).encode()
    headers = {"Content-Type": "application/json"}
    assert user.post(BOOKS, content=content, headers=headers).status_code in {201, 400}


@pytest.mark.parametrize("parameter", ["search", "author"])
@pytest.mark.parametrize(
    "value", ["a%00b", "%FF%FE", "%ED%A0%80", "%", "%ZZ", "%u0041", "a&a;b=c", "%F0%9F"]
)
def test_hostile_text_in_a_filter_is_no_500(base_url: str, parameter: str, value: str) -> None:
    """NUL in a filter is bad input; bad UTF-8 and bad escapes are that, or match nothing."""
    head = f"GET {BOOKS}?{parameter}={value} HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n"
    response = raw(base_url, head.encode())
    if response.status_code == 200:
        assert value != "a%00b"
    else:
        problem(response, 400, 422)


@pytest.mark.parametrize("parameter", ["page", "page_size", "published_from", "ordering"])
@pytest.mark.parametrize("value", ["%00", "1%00", "%FF", "%ED%A0%80", "NaN", "9" * 5000, "1e400"])
def test_a_hostile_parameter_is_bad_input(base_url: str, parameter: str, value: str) -> None:
    """What can be no value of a parameter is bad input, never a 500."""
    head = f"GET {BOOKS}?{parameter}={value} HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n"
    problem(raw(base_url, head.encode()), 400, 422)


@pytest.mark.parametrize("page", [2**31, 2**63 - 1, 2**63, 10**30])
def test_a_page_beyond_every_number_is_no_500(anonymous: httpx.Client, page: int) -> None:
    """A page that is too far to count to is past the end, or bad input."""
    response = anonymous.get(BOOKS, params={"page": page})
    if response.status_code == 200:
        assert response.json()["items"] == []
    else:
        problem(response, 400, 422)


@pytest.mark.parametrize("method", ["GET", "PUT", "PATCH", "DELETE"])
@pytest.mark.parametrize(
    "name",
    [
        *(
            "0",
            "-1",
            str(2**63),
            str(-(2**63) - 1),
            "9" * 40,
            "9" * 5000,
            "x",
            "1.5",
            "1e3",
            "NaN",
            "0x1",
        ),
        *("%00", "1%00", "%FF", "%ED%A0%80", "%", "%ZZ", "null", "%EF%BC%91", "1%20OR%201=1"),
    ],
)
def test_an_id_that_can_be_none_is_bad_input(
    base_url: str, user: httpx.Client, method: str, name: str
) -> None:
    """Ids outside 64 bits and what is no number are 400, 404 or 422, never a 500."""
    body = json.dumps(book()).encode() if method in {"PUT", "PATCH"} else b""
    head = (
        f"{method} {BOOKS}/{name} HTTP/1.1\r\nHost: test\r\nConnection: close\r\n"
        f"Authorization: Bearer {token_of(user)}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    problem(raw(base_url, head.encode() + body), 400, 404, 422)


@pytest.mark.parametrize("header", ["If-Match", "If-None-Match", "X-Request-ID", "Accept"])
@pytest.mark.parametrize("value", [b"\xff\xfe", b'"' * 2000, b",,,", b'W/"', b"x" * 4000])
def test_a_hostile_header_is_no_500(
    user: httpx.Client, make_book: Make, header: str, value: bytes
) -> None:
    """A header that makes no sense is ignored or refused; an `If-Match` does not hold: 412."""
    path = f"{BOOKS}/{make_book()['id']}"
    headers = {header.encode(): value}
    refused = {412} if header == "If-Match" else {200, 400, 406, 431}
    assert user.get(path, headers=headers).status_code in refused
    changed = user.patch(path, json={}, headers=headers)
    assert changed.status_code in {200, 400, 406, 412, 431}
