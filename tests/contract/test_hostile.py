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
    invalid_fields,
    oauth_error,
    problem,
    raw,
    raw_post,
    token_of,
)

Make = Callable[..., dict[str, Any]]

HOSTILE_TEXT = {"NUL": "a\0b", "a lone surrogate": "a\ud800b", "a lone low surrogate": "\udfff"}

HOSTILE_BODIES = {
    "deep lists": (400, b"[" * 100_000),
    "deep and closed": (400, b"[" * 100_000 + b"]" * 100_000),
    "deep objects": (400, b'{"a":' * 50_000 + b"1" + b"}" * 50_000),
    "deep in a field": (400, b'{"title":' + b"[" * 100_000 + b"]" * 100_000 + b"}"),
    "a huge integer": (400, b'{"title": ' + b"9" * 100_000 + b"}"),
    "a huge number": (422, b'{"title": 1e400}'),
    "a NUL in a name": (422, b'{"ti\\u0000tle": 1}'),
    "a surrogate in a name": (422, b'{"\\ud800": 1}'),
    "an unended escape": (400, b'{"title": "\\ud8"}'),
}
NO_UTF_8 = ["%FF", "%FF%FE", "%ED%A0%80", "%F0%9F"]


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
    """422: NUL and lone surrogates in a book are well-formed, but not valid."""
    content = json.dumps(book(**{field: HOSTILE_TEXT[kind]}))
    headers = {"Content-Type": "application/json"}
    response = user.post(BOOKS, content=content, headers=headers)
    assert invalid_fields(response) == {f"body.{field}"}


@pytest.mark.parametrize("field", ["email", "password"])
@pytest.mark.parametrize("kind", HOSTILE_TEXT)
def test_hostile_text_in_a_registration_is_bad_input(
    anonymous: httpx.Client, field: str, kind: str
) -> None:
    """422: NUL and lone surrogates in an account are well-formed, but not valid."""
    account = {"email": f"{secrets.token_hex(8)}@example.org", "password": PASSWORD}
    account[field] = HOSTILE_TEXT[kind] + account[field]
    headers = {"Content-Type": "application/json"}
    response = anonymous.post(USERS, content=json.dumps(account), headers=headers)
    assert invalid_fields(response) == {f"body.{field}"}


@pytest.mark.parametrize("field", ["grant_type", "username", "password", "refresh_token"])
@pytest.mark.parametrize("value", [b"a%00b", b"%FF%FE", b"%ED%A0%80", b"%", b"%ZZ"], ids=repr)
def test_hostile_text_in_a_token_request_is_bad_input(
    base_url: str, field: str, value: bytes
) -> None:
    """What is no text is `invalid_request`; a bad escape is one that stands for itself."""
    grant = b"refresh_token" if field == "refresh_token" else b"password"
    form = {"grant_type": grant, "username": b"a@example.org", "password": b"x" * 12}
    form[field] = value
    body = b"&".join(b"%s=%s" % (name.encode(), text) for name, text in form.items())
    response = raw_post(base_url, TOKEN, body, Content_Type="application/x-www-form-urlencoded")
    if value not in {b"%", b"%ZZ"}:
        oauth_error(response, "invalid_request")
    else:
        oauth_error(
            response, "unsupported_grant_type" if field == "grant_type" else "invalid_grant"
        )


@pytest.mark.parametrize("value", [b"a%00b", b"%FF%FE", b"%ED%A0%80", b"%", b"%ZZ"], ids=repr)
def test_hostile_text_in_a_revocation_is_refused(base_url: str, value: bytes) -> None:
    """What is no text is `invalid_request`; any other is no token that is known."""
    kind = "application/x-www-form-urlencoded"
    response = raw_post(base_url, REVOKE, b"token=" + value, Content_Type=kind)
    if value in {b"%", b"%ZZ"}:
        assert response.status_code == 200
    else:
        oauth_error(response, "invalid_request")


@pytest.mark.parametrize("path", [USERS, BOOKS])
@pytest.mark.parametrize("kind", HOSTILE_BODIES)
def test_a_hostile_body_is_bad_input(
    base_url: str, user: httpx.Client, path: str, kind: str
) -> None:
    """Nesting too deep to parse, and numbers too long, are 400; what parses is 422."""
    status, body = HOSTILE_BODIES[kind]
    problem(raw_post(base_url, path, body, token=token_of(user)), status)


def test_of_a_key_twice_the_last_counts(user: httpx.Client) -> None:
    """RFC 8259, section 4: so most parsers read it."""
    content = json.dumps(book())[:-1] + ', "title": "Kindred"}'
    headers = {"Content-Type": "application/json"}
    response = user.post(BOOKS, content=content, headers=headers)
    assert (response.status_code, response.json()["title"]) == (201, "Kindred")


def test_a_byte_order_mark_is_no_json(user: httpx.Client) -> None:
    """400: RFC 8259, section 8.1, lets nobody send one."""
    content = b"\xef\xbb\xbf" + json.dumps(book()).encode()
    headers = {"Content-Type": "application/json"}
    problem(user.post(BOOKS, content=content, headers=headers), 400)


@pytest.mark.parametrize("parameter", ["search", "author"])
@pytest.mark.parametrize("value", ["a%00b", "%", "%ZZ", "%u0041", "a&a;b=c", *NO_UTF_8])
def test_hostile_text_in_a_filter_is_no_500(base_url: str, parameter: str, value: str) -> None:
    """NUL is 422, what is not UTF-8 400; a bad escape and `;` stand for themselves."""
    head = f"GET {BOOKS}?{parameter}={value} HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n"
    response = raw(base_url, head.encode())
    if value in NO_UTF_8:
        problem(response, 400)
    elif value == "a%00b":
        assert invalid_fields(response) == {f"query.{parameter}"}
    else:
        assert response.status_code == 200


@pytest.mark.parametrize("parameter", ["page", "page_size", "published_from", "ordering"])
@pytest.mark.parametrize("value", ["%00", "1%00", "NaN", "9" * 5000, "1e400", *NO_UTF_8])
def test_a_hostile_parameter_is_bad_input(base_url: str, parameter: str, value: str) -> None:
    """What can be no value of a parameter is 422, and what is not UTF-8 400."""
    head = f"GET {BOOKS}?{parameter}={value} HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n"
    response = raw(base_url, head.encode())
    if value in NO_UTF_8:
        problem(response, 400)
    else:
        assert invalid_fields(response) == {f"query.{parameter}"}


@pytest.mark.parametrize("page", [2**31, 2**63 - 1, 2**63, 10**30])
def test_a_page_beyond_every_number_is_past_the_end(anonymous: httpx.Client, page: int) -> None:
    """However far a page is, it is past the end."""
    response = anonymous.get(BOOKS, params={"page": page})
    assert (response.json()["items"], response.json()["page"]) == ([], page)


@pytest.mark.parametrize("method", ["GET", "PUT", "PATCH", "DELETE"])
@pytest.mark.parametrize(
    "name",
    [
        *(
            "0",
            "007",
            "+7",
            "7%20",
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
        *("%00", "1%00", "1%0A", "%FF", "%ED%A0%80", "%", "%ZZ", "null", "1%20OR%201=1"),
        *("%EF%BC%91", "%D9%A7"),
    ],
)
def test_an_id_that_can_be_none_is_nothing(
    base_url: str, user: httpx.Client, method: str, name: str
) -> None:
    """404, as any path that names nothing: an id outside 64 bits, and what is no number."""
    body = json.dumps(book()).encode() if method in {"PUT", "PATCH"} else b""
    head = (
        f"{method} {BOOKS}/{name} HTTP/1.1\r\nHost: test\r\nConnection: close\r\n"
        f"Authorization: Bearer {token_of(user)}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    found = problem(raw(base_url, head.encode() + body), 404)
    assert found["detail"] == "There is nothing at this path."


@pytest.mark.parametrize("header", ["If-Match", "If-None-Match", "X-Request-ID", "Accept"])
@pytest.mark.parametrize("value", [b"\xff\xfe", b'"' * 2000, b",,,", b'W/"', b"x" * 4000])
def test_a_hostile_header_is_no_500(
    user: httpx.Client, make_book: Make, header: str, value: bytes
) -> None:
    """A header that makes no sense is ignored, but an `If-Match`, which does not hold: 412."""
    path = f"{BOOKS}/{make_book()['id']}"
    headers = {header.encode(): value}
    expected = 412 if header == "If-Match" else 200
    assert user.get(path, headers=headers).status_code == expected
    assert user.patch(path, json={}, headers=headers).status_code == expected
