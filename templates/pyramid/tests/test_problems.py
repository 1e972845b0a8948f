"""Errors: `application/problem+json`, whatever goes wrong."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from psycopg.errors import DeadlockDetected
from sqlalchemy import create_engine, orm, text
from sqlalchemy.exc import DBAPIError, OperationalError
from structlog.contextvars import merge_contextvars
from structlog.testing import capture_logs

from app.db import Session, engine
from app.listing import find_page
from app.models import Book
from tests.factories import DATABASE_OUT_OF_REACH, book_body
from tests.fixtures import Client

URL = "/api/v1/books"
RAISE = "DO $$ BEGIN RAISE EXCEPTION USING ERRCODE = '{}'; END $$"
JSON = {"Content-Type": "application/json"}


def test_a_problem_says_what_where_and_in_which_request(client: Client) -> None:
    response = client.get("/nowhere?q=1", headers={"X-Request-ID": "r-1"})

    assert response.headers["Content-Type"] == "application/problem+json"
    assert response.json == {
        "type": "about:blank",
        "title": "Not Found",
        "status": 404,
        "detail": "There is nothing at this path.",
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
def test_a_body_that_is_not_json_in_utf8_is_a_bad_request(
    client: Client, auth_headers: dict[str, str], body: bytes
) -> None:
    response = client.send("POST", URL, body, headers=auth_headers)

    assert response.status_code == 400
    assert response.headers["Content-Type"] == "application/problem+json"


@pytest.mark.parametrize("body", [b"[]", b"null", b'"x"', b'{"x": 1}'])
def test_json_of_another_shape_is_not_valid(
    client: Client, auth_headers: dict[str, str], body: bytes
) -> None:
    response = client.send("POST", URL, body, headers=auth_headers)

    assert response.status_code == 422
    assert response.json["errors"]


@pytest.mark.parametrize("name", ["title", "\ud800"])
def test_a_lone_surrogate_is_not_valid(
    client: Client, auth_headers: dict[str, str], name: str
) -> None:
    body = book_body(**{name: "\ud800"})

    response = client.send("POST", URL, body, headers=auth_headers)

    assert response.status_code == 422
    assert [error["field"] for error in response.json["errors"]] == [f"body.{name}"]


@pytest.mark.parametrize("content_type", ["text/plain", "application/jsonp", ""])
def test_a_body_that_is_not_declared_as_json_is_unsupported(
    client: Client, auth_headers: dict[str, str], content_type: str
) -> None:
    headers = {**auth_headers, "Content-Type": content_type}

    response = client.send("POST", URL, book_body(), headers=headers)

    assert response.status_code == 415


def test_the_charset_of_json_may_be_named(client: Client, auth_headers: dict[str, str]) -> None:
    headers = {**auth_headers, "Content-Type": "Application/JSON; charset=utf-8"}

    response = client.send("POST", URL, book_body(), headers=headers)

    assert response.status_code == 201


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("DELETE", URL, "GET, HEAD, OPTIONS, POST"),
        ("POST", f"{URL}/1", "DELETE, GET, HEAD, OPTIONS, PATCH, PUT"),
        ("GET", "/api/v1/users", "OPTIONS, POST"),
        ("GET", "/api/v1/auth/token", "OPTIONS, POST"),
        ("POST", "/healthz", "GET, HEAD, OPTIONS"),
        ("POST", "/docs", "GET, HEAD, OPTIONS"),
        ("POST", "/openapi.json", "GET, HEAD, OPTIONS"),
    ],
)
def test_a_wrong_method_is_told_the_right_ones(
    client: Client, method: str, path: str, allowed: str
) -> None:
    refused, asked = client.send(method, path), client.options(path)

    assert (refused.status_code, refused.headers["Allow"]) == (405, allowed)
    assert (asked.status_code, asked.headers["Allow"], asked.body) == (204, allowed, b"")


def test_a_body_of_up_to_1_mib_is_read(client: Client, auth_headers: dict[str, str]) -> None:
    body = json.dumps(book_body()).ljust(1024 * 1024).encode()

    response = client.send("POST", URL, body, headers=auth_headers)

    assert response.status_code == 201


@pytest.mark.parametrize("path", [URL, "/api/v1/auth/token"])
def test_a_larger_body_is_refused(client: Client, auth_headers: dict[str, str], path: str) -> None:
    response = client.send("POST", path, b" " * (1024 * 1024 + 1), headers=auth_headers)

    assert response.status_code == 413
    assert response.headers["Content-Type"] == "application/problem+json"


def test_a_bug_is_told_to_the_log_and_not_to_the_client(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def explode(*_: object) -> None:
        raise RuntimeError("a secret")

    monkeypatch.setattr("app.views.books.show", explode)
    with capture_logs([merge_contextvars]) as logs:
        response = client.get(f"{URL}/1")

    assert response.status_code == 500
    assert "secret" not in response.text
    (error,) = [line for line in logs if line["log_level"] == "error"]
    assert error["exc_info"]
    assert error["request_id"] == response.json["request_id"]


class TestDatabaseOutOfReach:
    @pytest.fixture
    def tm(self, committed: None) -> None:
        """Give no transaction: requests have their own, which meets the lost database."""

    @pytest.fixture(autouse=True)
    def _database_out_of_reach(self, book: Book) -> Iterator[None]:
        Session.configure(bind=create_engine(DATABASE_OUT_OF_REACH))
        yield
        Session.configure(bind=engine)

    @pytest.mark.parametrize(
        ("method", "path"),
        [("GET", URL), ("GET", f"{URL}/1"), ("POST", URL), ("POST", "/api/v1/users")],
    )
    def test_the_client_is_asked_to_come_back(
        self, client: Client, auth_headers: dict[str, str], method: str, path: str
    ) -> None:
        account = {"email": "new@example.org", "password": "twelve or more"}
        body = None if method == "GET" else account if "users" in path else book_body()

        response = client.send(method, path, body, headers=auth_headers)

        assert response.status_code == 503
        assert int(response.headers["Retry-After"]) > 0
        assert response.headers["Content-Type"] == "application/problem+json"

    def test_the_process_is_alive(self, client: Client) -> None:
        assert client.get("/healthz").json == {"status": "ok"}


def test_a_silent_database_is_given_up() -> None:
    with engine.connect() as connection:
        driver: Any = connection.connection.driver_connection
        driver.timeout = 0.1
        with pytest.raises(OperationalError):
            connection.execute(text("SELECT pg_sleep(60)"))

        assert connection.invalidated


@pytest.mark.parametrize("code", ["08006", "25006", "25P03", "53100", "57P03", "58030"])
def test_a_database_of_no_use_is_left(code: str) -> None:
    with engine.connect() as connection:
        with pytest.raises(OperationalError):
            connection.execute(text(RAISE.format(code)))

        assert connection.invalidated


@pytest.mark.parametrize("code", ["23505", "40001", "40P01", "57014"])
def test_what_one_statement_is_refused_costs_no_connection(code: str) -> None:
    with engine.connect() as connection:
        with pytest.raises(DBAPIError):
            connection.execute(text(RAISE.format(code)))

        assert not connection.invalidated


def test_a_path_that_is_not_utf8_names_nothing(client: Client) -> None:
    assert client.get("/%FF").status_code == 404


def test_a_line_break_is_part_of_a_path(client: Client) -> None:
    assert client.get("/healthz%0A").status_code == 404


def test_a_query_that_is_not_utf8_is_a_bad_request_where_it_is_read(client: Client) -> None:
    assert client.get(f"{URL}?unknown=%FF").status_code == 400
    assert client.get("/healthz?unknown=%FF").status_code == 200


@pytest.mark.parametrize("depth", [300, 900, 950, 980])
def test_a_deeply_nested_body_is_bad_input(
    client: Client, auth_headers: dict[str, str], depth: int
) -> None:
    body = b'{"title": ' + b"[" * depth + b"]" * depth + b"}"

    response = client.send("POST", URL, body, headers=auth_headers)

    assert response.status_code in (400, 422)


class TestTransactions:
    @pytest.fixture
    def tm(self, committed: None) -> None:
        """Give no transaction: requests have their own."""

    @pytest.mark.parametrize("end", ["begin", "commit"])
    def test_what_fails_around_a_view_is_a_problem_too(
        self, client: Client, monkeypatch: pytest.MonkeyPatch, end: str
    ) -> None:
        def explode(*_: object) -> None:
            raise RuntimeError("a secret")

        monkeypatch.setattr(f"transaction.TransactionManager.{end}", explode)

        response = client.get("/healthz")

        assert response.status_code == 500
        assert response.headers["Content-Type"] == "application/problem+json"

    def test_a_request_that_met_a_deadlock_is_tried_again(
        self, client: Client, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        attempts: list[orm.Session] = []

        def collide(session: orm.Session, *args: Any) -> dict[str, Any]:
            attempts.append(session)
            page = find_page(session, *args)
            if len(attempts) < 3:
                raise OperationalError("", None, DeadlockDetected())
            return page

        monkeypatch.setattr("app.listing.find_page", collide)
        with capture_logs() as logs:
            response = client.get(URL)

        assert response.status_code == 200
        assert len(set(attempts)) == 3
        assert len([line for line in logs if line["event"] == "request"]) == 1
