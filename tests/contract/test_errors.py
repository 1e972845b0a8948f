"""Errors: every refusal is a problem that explains itself, and no input is a 500."""

import json
import secrets
import socket
import time
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from .client import (
    BOOKS,
    ME,
    REPORTS,
    REVOKE,
    TOKEN,
    USERS,
    book,
    common_headers,
    invalid_fields,
    problem,
    raw,
    raw_post,
    token_of,
)
from .processes import until
from .service import Service, Target
from .smoke import some

Make = Callable[..., dict[str, Any]]
MEBIBYTE = 1024 * 1024

# What `Allow` says, in order.
ALLOWED = {
    "/healthz": "GET, HEAD, OPTIONS",
    "/readyz": "GET, HEAD, OPTIONS",
    "/metrics": "GET, HEAD, OPTIONS",
    "/openapi.json": "GET, HEAD, OPTIONS",
    "/docs": "GET, HEAD, OPTIONS",
    "/docs/swagger-ui.css": "GET, HEAD, OPTIONS",
    "/redoc": "GET, HEAD, OPTIONS",
    USERS: "OPTIONS, POST",
    ME: "GET, HEAD, OPTIONS",
    TOKEN: "OPTIONS, POST",
    REVOKE: "OPTIONS, POST",
    BOOKS: "GET, HEAD, OPTIONS, POST",
    f"{BOOKS}/1": "DELETE, GET, HEAD, OPTIONS, PATCH, PUT",
}

NOT_JSON = {
    "nothing": b"",
    "blanks": b" \r\n",
    "words": b"title=Kindred",
    "half an object": b'{"title": "Kindred"',
    "two objects": b"{} {}",
    "a comma too many": b'{"title": "Kindred",}',
    "single quotes": b"{'title': 'Kindred'}",
    "a control character": b'{"title": "a\nb"}',
    "NaN": json.dumps(book()).replace('"1974-05-01"', "NaN").encode(),
    "Infinity": b'{"title": Infinity}',
    "minus Infinity": b'{"title": -Infinity}',
    "no UTF-8": b'{"title": "\xff\xfe"}',
    "half a character": b'{"title": "\xf0\x9f"}',
    "a surrogate in UTF-8": b'{"title": "\xed\xa0\x80"}',
    "UTF-16": json.dumps(book()).encode("utf-16"),
    "UTF-32": json.dumps(book()).encode("utf-32-be"),
    "Latin-1": '{"title": "é"}'.encode("latin-1"),
}


@pytest.mark.smoke
def test_a_problem_has_every_member(anonymous: httpx.Client) -> None:
    """An error is RFC 9457 `application/problem+json`, and `instance` is the path alone."""
    response = anonymous.get(f"{BOOKS}/{2**62}?page=1", headers={"X-Request-ID": "mine"})
    body = problem(response, 404)
    assert body["instance"] == f"{BOOKS}/{2**62}"
    assert body["request_id"] == "mine"


@pytest.mark.parametrize("path", ["/", "/api", "/api/v1", "/nowhere", f"{BOOKS}/1/pages", "/a%20b"])
@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
def test_a_path_that_does_not_exist_is_404(
    anonymous: httpx.Client, target: Target, path: str, method: str
) -> None:
    """404: no such path, whatever the method, without a token."""
    if path == "/" and target.has_feed:
        pytest.skip("the page that shows the feed is there")
    problem(anonymous.request(method, path), 404)


def test_a_method_that_nobody_knows_finds_no_path_either(anonymous: httpx.Client) -> None:
    """404 for a path that does not exist, 405 for one that does."""
    problem(anonymous.request("PROPFIND", "/nowhere"), 404)
    response = anonymous.request("PROPFIND", BOOKS)
    problem(response, 405)
    assert response.headers["Allow"] == ALLOWED[BOOKS]


@pytest.mark.parametrize("path", ALLOWED)
def test_options_are_told(anonymous: httpx.Client, path: str) -> None:
    """`OPTIONS` is 204 with `Allow`, without a token and whether or not the row is there."""
    response = anonymous.options(path)
    assert (response.status_code, response.content) == (204, b"")
    assert response.headers["Allow"] == ALLOWED[path]
    common_headers(response)


@pytest.mark.parametrize("path", ["/nowhere", f"{BOOKS}/0", "//healthz", "/healthz/"])
def test_options_of_nothing_are_404(anonymous: httpx.Client, path: str) -> None:
    """A path that names nothing has no options either."""
    problem(anonymous.options(f"{anonymous.base_url}".rstrip("/") + path), 404)


@pytest.mark.parametrize("path", ALLOWED)
@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE"])
def test_a_wrong_method_is_told_the_right_ones(
    anonymous: httpx.Client, path: str, method: str
) -> None:
    """405 with an `Allow` that has every method of the path, before any token is asked for."""
    if method in ALLOWED[path]:
        assert anonymous.request(method, path).status_code != 405
        return
    response = anonymous.request(method, path)
    problem(response, 405)
    assert response.headers["Allow"] == ALLOWED[path]


@pytest.mark.usefixtures("with_tasks")
@pytest.mark.parametrize(
    ("path", "allowed"),
    [
        pytest.param(REPORTS, "OPTIONS, POST", marks=pytest.mark.smoke),
        (f"{REPORTS}/1", "GET, HEAD, OPTIONS"),
    ],
)
def test_a_wrong_method_of_reports_is_told_the_right_one(
    anonymous: httpx.Client, path: str, allowed: str
) -> None:
    """405 with `Allow`, for the paths of the reports too."""
    response = anonymous.delete(path)
    problem(response, 405)
    assert response.headers["Allow"] == allowed


@pytest.mark.parametrize("kind", some(NOT_JSON, "half an object"))
def test_what_is_not_json_in_utf_8_is_400(base_url: str, user: httpx.Client, kind: str) -> None:
    """400: the body is not JSON, or not UTF-8."""
    problem(raw_post(base_url, BOOKS, NOT_JSON[kind], token=token_of(user)), 400)


@pytest.mark.parametrize("method", ["PUT", "PATCH"])
def test_a_change_that_is_not_json_is_400(user: httpx.Client, make_book: Make, method: str) -> None:
    """400 for the body of a change as well."""
    path = f"{BOOKS}/{make_book()['id']}"
    headers = {"Content-Type": "application/json"}
    problem(user.request(method, path, content=b"{", headers=headers), 400)


@pytest.mark.parametrize("body", [b"null", b"[]", b'"text"', b"7", b"true", b"[{}]"], ids=repr)
def test_json_that_is_no_object_is_422(user: httpx.Client, body: bytes) -> None:
    """422: well-formed, but not valid."""
    headers = {"Content-Type": "application/json"}
    assert invalid_fields(user.post(BOOKS, content=body, headers=headers)) == {"body"}


@pytest.mark.smoke
def test_every_wrong_field_is_named(user: httpx.Client) -> None:
    """Validation adds `errors`, with an entry for each field that is wrong."""
    body = {"title": "", "author": 7, "isbn": "1", "colour": "blue"}
    assert invalid_fields(user.post(BOOKS, json=body)) == {
        "body.title",
        "body.author",
        "body.publication_date",
        "body.isbn",
        "body.colour",
    }


def flood(**fields: Any) -> bytes:
    """Make a body of 1 MiB at most that is full of fields nobody knows."""
    names = {f"{number:x}": 0 for number in range(80_000)}
    return json.dumps(book(**names, **fields), separators=(",", ":")).encode()


FULL = {
    "unknown fields": flood(),
    "unknown fields beside one that is wrong": flood(title=7),
    "an unknown field with a long name": json.dumps(book(**{"x" * 1_000_000: 0})).encode(),
    "a list of numbers": json.dumps(book(title=[7] * 300_000)).encode(),
    "lists in lists": json.dumps(book()).replace('"1974-05-01"', "[" * 400 + "]" * 400).encode(),
    "objects in objects": b'{"title":' * 100 + b"0" + b"}" * 100,
    "a long text": json.dumps(book(isbn="9" * 1_000_000)).encode(),
}


@pytest.mark.parametrize("kind", some(FULL, "unknown fields"))
def test_what_is_wrong_is_told_in_few_words(user: httpx.Client, kind: str) -> None:
    """`errors` has 20 entries at most, each of them short, whatever the body is full of."""
    began = time.monotonic()
    response = user.post(BOOKS, content=FULL[kind], headers={"Content-Type": "application/json"})
    assert time.monotonic() - began < 5
    assert invalid_fields(response)
    errors = response.json()["errors"]
    assert len(errors) <= 20
    assert all(len(text) <= 200 for error in errors for text in error.values())


def test_a_long_parameter_is_not_repeated(anonymous: httpx.Client) -> None:
    """`errors` is short for a query too, and repeats no value."""
    response = anonymous.get(BOOKS, params={"ordering": "x" * 3_000, "page": "x" * 500})
    assert invalid_fields(response) == {"query.ordering", "query.page"}
    assert all(len(error["message"]) <= 200 for error in response.json()["errors"])


@pytest.mark.smoke
def test_every_wrong_parameter_is_named(anonymous: httpx.Client) -> None:
    """`errors` names parameters as `query.…`."""
    response = anonymous.get(BOOKS, params={"page": "0", "page_size": "x", "ordering": "isbn"})
    assert invalid_fields(response) == {"query.page", "query.page_size", "query.ordering"}


@pytest.mark.parametrize(
    "media_type",
    [
        None,
        "",
        pytest.param("text/plain", marks=pytest.mark.smoke),
        "text/json",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/xml",
        "application/merge-patch+json",
        "application/jsonp",
        "json",
        "*/*",
    ],
)
def test_a_body_of_another_type_is_415(
    user: httpx.Client, base_url: str, media_type: str | None
) -> None:
    """415: a body that is not `application/json`, or does not say so."""
    body = json.dumps(book()).encode()
    kind = "" if media_type is None else f"Content-Type: {media_type}\r\n"
    head = (
        f"POST {BOOKS} HTTP/1.1\r\nHost: test\r\nConnection: close\r\n{kind}"
        f"Authorization: Bearer {token_of(user)}\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    problem(raw(base_url, head.encode() + body), 415)


@pytest.mark.parametrize(
    "media_type", ["application/json; charset=utf-8", "Application/JSON", "application/json;v=1"]
)
def test_json_is_known_however_it_is_written(user: httpx.Client, media_type: str) -> None:
    """A media type is case-insensitive and may have parameters (RFC 9110 section 8.3.1)."""
    headers = {"Content-Type": media_type}
    response = user.post(BOOKS, content=json.dumps(book()), headers=headers)
    assert response.status_code == 201


def filled(size: int) -> bytes:
    """Make a JSON body of a size in bytes."""
    body = json.dumps(book(title="")).encode()
    return body.replace(b'"title": ""', b'"title": "%s"' % (b"x" * (size - len(body))))


def test_a_body_of_1_mib_is_read(user: httpx.Client) -> None:
    """A body of exactly 1 MiB is not too large: its title is."""
    headers = {"Content-Type": "application/json"}
    response = user.post(BOOKS, content=filled(MEBIBYTE), headers=headers)
    assert invalid_fields(response) == {"body.title"}


@pytest.mark.parametrize("path", some([USERS, BOOKS, TOKEN], BOOKS))
def test_a_body_over_1_mib_is_413(user: httpx.Client, path: str) -> None:
    """413: a body over 1 MiB, on any path."""
    kind = "application/x-www-form-urlencoded" if path == TOKEN else "application/json"
    headers = {"Content-Type": kind}
    problem(user.post(path, content=filled(MEBIBYTE + 1), headers=headers), 413)


def test_a_body_of_unknown_length_over_1_mib_is_413(user: httpx.Client) -> None:
    """413 also for a body that comes in chunks and does not say how long it is."""
    body = filled(MEBIBYTE + 1)
    chunks = (body[start : start + 65_536] for start in range(0, len(body), 65_536))
    headers = {"Content-Type": "application/json"}
    problem(user.post(BOOKS, content=chunks, headers=headers), 413)


@pytest.mark.parametrize(
    ("length", "begun"),
    [
        (f"Content-Length: {2 * MEBIBYTE}", b""),
        ("Transfer-Encoding: chunked", b"%x\r\n%b" % (2 * MEBIBYTE, b" " * (MEBIBYTE + 1))),
    ],
)
def test_who_sends_on_reads_the_413(base_url: str, length: str, begun: bytes) -> None:
    """Who does not look for an answer before all is sent has it: it is not lost by a reset.

    RFC 9112, section 9.6: what is left of a request is read before its connection is closed.
    """
    url = httpx.URL(base_url)
    head = f"POST {USERS} HTTP/1.1\r\nHost: test\r\n{length}\r\n\r\n".encode()
    with socket.create_connection((url.host, url.port), timeout=10) as client:
        client.sendall(head + begun)
        client.recv(1, socket.MSG_PEEK)  # it is answered
        for _ in range(15):
            client.sendall(b" " * (MEBIBYTE // 16))
            time.sleep(0.01)
        assert client.recv(12) == b"HTTP/1.1 413"


def test_a_length_over_1_mib_is_413_before_the_body_is_sent(
    user: httpx.Client, base_url: str
) -> None:
    """413 as soon as the length is known: nobody has to send a gigabyte to be refused."""
    response = raw_post(
        base_url, BOOKS, b"{", token=token_of(user), Content_Length=str(1024 * MEBIBYTE)
    )
    problem(response, 413)


def test_a_bug_tells_the_log_and_not_the_client(service: Service, anonymous: httpx.Client) -> None:
    """500: nothing of the exception in the body, all of it in the log under the `request_id`.

    The bug is a column that the code expects and the table has no longer.
    """
    secret = f"secret_{secrets.token_hex(8)}"
    with service.renamed("book", "title", secret):
        response = anonymous.get(f"{BOOKS}?search={secret}")
    body = problem(response, 500)
    assert "errors" not in body
    told = " ".join(str(value) for value in body.values()).lower()
    for word in ("select", "column", "title", "traceback", "psycopg", "sql", "django"):
        assert word not in told

    def logged() -> list[str]:
        lines = [line for line in service.web.lines() if body["request_id"] in line]
        return [line for line in lines if json.loads(line)["level"].lower() == "error"]

    [line] = until(logged, within=20, failing="the exception is not in the log")
    assert service.database.no_column in line
    assert "Traceback" in line or "exception" in json.loads(line)
