"""Errors: `application/problem+json`, whatever goes wrong."""

import json
from typing import Any

import pytest
from flask import Flask, abort
from sqlalchemy import create_engine, text
from sqlalchemy.exc import DBAPIError, OperationalError
from structlog.contextvars import merge_contextvars
from structlog.testing import capture_logs
from werkzeug.exceptions import Forbidden

from app.db import Session, engine, get_session
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
    response = client.post(URL, data=body, headers={**auth_headers, **JSON})

    assert response.status_code == 400
    assert response.headers["Content-Type"] == "application/problem+json"


@pytest.mark.parametrize("body", [b"[]", b"null", b'"x"', rb'{"\ud800": 1}'])
def test_json_of_another_shape_is_not_valid(
    client: Client, auth_headers: dict[str, str], body: bytes
) -> None:
    response = client.post(URL, data=body, headers={**auth_headers, **JSON})

    assert response.status_code == 422
    assert response.json["errors"]


def test_a_lone_surrogate_is_not_valid(client: Client, auth_headers: dict[str, str]) -> None:
    body = json.dumps(book_body(title="\ud800"))

    response = client.post(URL, data=body, headers={**auth_headers, **JSON})

    assert response.status_code == 422


def test_fields_are_told_in_order_each_once(client: Client, auth_headers: dict[str, str]) -> None:
    body = {"z": 1, "isbn": "1", "b": 1, "author": "", "publication_date": "1974-05-01", "a": 1}

    response = client.post(URL, json=body, headers=auth_headers)

    fields = [error["field"] for error in response.json["errors"]]
    assert fields == ["body.title", "body.author", "body.isbn", "body.z", "body.b", "body.a"]


@pytest.mark.parametrize("content_type", ["text/plain", "application/jsonp", ""])
def test_a_body_that_is_not_declared_as_json_is_unsupported(
    client: Client, auth_headers: dict[str, str], content_type: str
) -> None:
    headers = {**auth_headers, "Content-Type": content_type}

    response = client.post(URL, data=json.dumps(book_body()), headers=headers)

    assert response.status_code == 415


def test_the_charset_of_json_may_be_named(client: Client, auth_headers: dict[str, str]) -> None:
    headers = {**auth_headers, "Content-Type": "Application/JSON; charset=utf-8"}

    response = client.post(URL, data=json.dumps(book_body()), headers=headers)

    assert response.status_code == 201


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("DELETE", URL, "GET, HEAD, OPTIONS, POST"),
        ("POST", f"{URL}/1", "DELETE, GET, HEAD, OPTIONS, PATCH, PUT"),
        ("GET", "/api/v1/users", "OPTIONS, POST"),
        ("GET", "/api/v1/auth/token", "OPTIONS, POST"),
        ("POST", "/healthz", "GET, HEAD, OPTIONS"),
        ("POST", "/openapi.json", "GET, HEAD, OPTIONS"),
    ],
)
def test_a_wrong_method_is_told_the_right_ones_as_is_who_asks(
    client: Client, method: str, path: str, allowed: str
) -> None:
    wrong, asked = client.open(path, method=method), client.options(path)

    assert (wrong.status_code, wrong.headers["Allow"]) == (405, allowed)
    assert (asked.status_code, asked.headers["Allow"], asked.data) == (204, allowed, b"")


@pytest.mark.parametrize(
    "path", ["//healthz", "healthz", "/healthz/", f"{URL}/{2**63}", f"{URL}/007"]
)
def test_a_path_that_is_nearly_right_is_none(client: Client, path: str) -> None:
    for method in ("GET", "PUT", "OPTIONS"):
        response = client.open(method=method, environ_overrides={"PATH_INFO": path})

        assert (response.status_code, response.json["instance"]) == (404, path)


def test_a_body_of_up_to_1_mib_is_read(client: Client, auth_headers: dict[str, str]) -> None:
    body = json.dumps(book_body()).ljust(1024 * 1024)

    response = client.post(URL, data=body, headers={**auth_headers, **JSON})

    assert response.status_code == 201


@pytest.mark.parametrize(
    ("path", "content_type"),
    [(URL, "application/json"), ("/api/v1/auth/token", "application/x-www-form-urlencoded")],
)
def test_a_larger_body_is_refused(
    client: Client, auth_headers: dict[str, str], path: str, content_type: str
) -> None:
    response = client.post(
        path, data=b" " * (1024 * 1024 + 1), headers={**auth_headers, "Content-Type": content_type}
    )

    assert response.status_code == 413
    assert response.headers["Content-Type"] == "application/problem+json"


def test_an_error_without_words_of_ours_has_those_of_its_class(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        abort(403)

    monkeypatch.setattr("app.resources.find", refuse)
    response = client.get(f"{URL}/1")

    assert (response.status_code, response.json["detail"]) == (403, Forbidden.description)


def test_a_bug_is_told_to_the_log_and_not_to_the_client(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def explode(*_: object) -> None:
        raise RuntimeError("a secret")

    monkeypatch.setattr("app.resources.find", explode)
    with capture_logs([merge_contextvars]) as logs:
        response = client.get(f"{URL}/1")

    assert response.status_code == 500
    assert "secret" not in response.text
    (error,) = [line for line in logs if line["log_level"] == "error"]
    assert error["exc_info"]
    assert error["request_id"] == response.json["request_id"]


class TestDatabaseOutOfReach:
    @pytest.fixture(autouse=True)
    def _database_out_of_reach(self, book: Book, isolation: None) -> None:
        Session.configure(bind=create_engine(DATABASE_OUT_OF_REACH))

    @pytest.mark.parametrize(
        ("method", "path"),
        [("GET", URL), ("GET", f"{URL}/1"), ("POST", URL), ("POST", "/api/v1/users")],
    )
    def test_the_client_is_asked_to_come_back(
        self, client: Client, auth_headers: dict[str, str], method: str, path: str
    ) -> None:
        account = {"email": "new@example.org", "password": "twelve or more"}
        body = None if method == "GET" else account if "users" in path else book_body()

        response = client.open(path, method=method, json=body, headers=auth_headers)

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


def test_a_database_lost_after_the_last_query_costs_no_answer(app: Flask) -> None:
    with app.app_context():
        pid = get_session().scalar(text("SELECT pg_backend_pid()"))
        with Session() as other:
            other.execute(text("SELECT pg_terminate_backend(:pid, 5000)"), {"pid": pid})
