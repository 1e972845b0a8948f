"""Errors: `application/problem+json`, whatever goes wrong."""

import json
from collections.abc import AsyncIterator

import pytest
from httpx import AsyncClient
from sqlalchemy import text
from sqlalchemy.exc import OperationalError
from sqlalchemy.ext.asyncio import create_async_engine
from structlog.contextvars import merge_contextvars
from structlog.testing import capture_logs

from app.db import Session, engine
from app.models import Book
from tests.factories import DATABASE_OUT_OF_REACH, book_body

URL = "/api/v1/books"
JSON = {"Content-Type": "application/json"}


async def test_a_problem_says_what_where_and_in_which_request(client: AsyncClient) -> None:
    response = await client.get("/nowhere?q=1", headers={"X-Request-ID": "r-1"})

    assert response.headers["Content-Type"] == "application/problem+json"
    assert response.json() == {
        "type": "about:blank",
        "title": "Not Found",
        "status": 404,
        "detail": "Not Found",
        "instance": "/nowhere",
        "request_id": "r-1",
    }


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"title=x",
        b'{"title": NaN}',
        b'{"title": "\xff"}',
        '{"title": "x"}'.encode("utf-16"),
        b"[" * 100_000,
    ],
    ids=lambda body: repr(body[:10]),
)
async def test_a_body_that_is_not_json_in_utf8_is_a_bad_request(
    client: AsyncClient, auth_headers: dict[str, str], body: bytes
) -> None:
    response = await client.post(URL, content=body, headers={**auth_headers, **JSON})

    assert response.status_code == 400
    assert response.headers["Content-Type"] == "application/problem+json"


@pytest.mark.parametrize("body", [b"[]", b"null", b'"x"', rb'{"\ud800": 1}'])
async def test_json_of_another_shape_is_not_valid(
    client: AsyncClient, auth_headers: dict[str, str], body: bytes
) -> None:
    response = await client.post(URL, content=body, headers={**auth_headers, **JSON})

    assert response.status_code == 422
    assert response.json()["errors"]


async def test_a_lone_surrogate_is_not_valid(
    client: AsyncClient, auth_headers: dict[str, str]
) -> None:
    body = json.dumps(book_body(title="\ud800"))

    response = await client.post(URL, content=body, headers={**auth_headers, **JSON})

    assert response.status_code in (400, 422)


@pytest.mark.parametrize("content_type", ["text/plain", "application/jsonp", ""])
async def test_a_body_that_is_not_declared_as_json_is_unsupported(
    client: AsyncClient, auth_headers: dict[str, str], content_type: str
) -> None:
    headers = {**auth_headers, "Content-Type": content_type}

    response = await client.post(URL, content=json.dumps(book_body()), headers=headers)

    assert response.status_code == 415


async def test_the_charset_of_json_may_be_named(
    client: AsyncClient, auth_headers: dict[str, str]
) -> None:
    headers = {**auth_headers, "Content-Type": "Application/JSON; charset=utf-8"}

    response = await client.post(URL, content=json.dumps(book_body()), headers=headers)

    assert response.status_code == 201


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("DELETE", URL, {"GET", "POST"}),
        ("POST", f"{URL}/1", {"GET", "PUT", "PATCH", "DELETE"}),
        ("GET", "/api/v1/users", {"POST"}),
        ("GET", "/api/v1/auth/token", {"POST"}),
        ("POST", "/healthz", {"GET"}),
    ],
)
async def test_a_wrong_method_is_told_the_right_ones(
    client: AsyncClient, method: str, path: str, allowed: set[str]
) -> None:
    response = await client.request(method, path)

    assert response.status_code == 405
    assert set(response.headers["Allow"].split(", ")) - {"HEAD"} == allowed


async def test_a_body_of_up_to_1_mib_is_read(
    client: AsyncClient, auth_headers: dict[str, str]
) -> None:
    body = json.dumps(book_body()).ljust(1024 * 1024)

    response = await client.post(URL, content=body, headers={**auth_headers, **JSON})

    assert response.status_code == 201


@pytest.mark.parametrize("path", [URL, "/api/v1/auth/token"])
async def test_a_larger_body_is_refused(
    client: AsyncClient, auth_headers: dict[str, str], path: str
) -> None:
    response = await client.post(path, content=b" " * (1024 * 1024 + 1), headers=auth_headers)

    assert response.status_code == 413
    assert response.headers["Content-Type"] == "application/problem+json"


async def test_a_larger_body_of_undeclared_length_is_refused(
    client: AsyncClient, auth_headers: dict[str, str]
) -> None:
    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(17):
            yield b" " * 64 * 1024

    response = await client.post(URL, content=chunks(), headers={**auth_headers, **JSON})

    assert response.status_code == 413


async def test_a_bug_is_told_to_the_log_and_not_to_the_client(
    client: AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def explode(*_: object) -> None:
        raise RuntimeError("a secret")

    monkeypatch.setattr("app.routers.books.find_book", explode)
    with capture_logs([merge_contextvars]) as logs:
        response = await client.get(f"{URL}/1")

    assert response.status_code == 500
    assert "secret" not in response.text
    (error,) = [line for line in logs if line["log_level"] == "error"]
    assert error["exc_info"]
    assert error["request_id"] == response.json()["request_id"]


class TestDatabaseOutOfReach:
    @pytest.fixture(autouse=True)
    async def _database_out_of_reach(self, book: Book, isolation: None) -> None:
        Session.configure(bind=create_async_engine(DATABASE_OUT_OF_REACH))

    @pytest.mark.parametrize(
        ("method", "path"),
        [("GET", URL), ("GET", f"{URL}/1"), ("POST", URL), ("POST", "/api/v1/users")],
    )
    async def test_the_client_is_asked_to_come_back(
        self, client: AsyncClient, auth_headers: dict[str, str], method: str, path: str
    ) -> None:
        account = {"email": "new@example.org", "password": "twelve or more"}
        body = None if method == "GET" else account if "users" in path else book_body()

        response = await client.request(method, path, json=body, headers=auth_headers)

        assert response.status_code == 503
        assert int(response.headers["Retry-After"]) > 0
        assert response.headers["Content-Type"] == "application/problem+json"

    async def test_the_process_is_alive(self, client: AsyncClient) -> None:
        assert (await client.get("/healthz")).json() == {"status": "ok"}


async def test_a_silent_database_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.db.TIMEOUT", 0.1)

    async with engine.connect() as connection:
        with pytest.raises(OperationalError):
            await connection.execute(text("SELECT pg_sleep(60)"))

        assert connection.invalidated


async def test_a_wrong_method_on_the_document_is_not_allowed(client: AsyncClient) -> None:
    response = await client.post("/openapi.json")

    assert (response.status_code, response.headers["Allow"]) == (405, "GET, HEAD")
