"""Errors: `application/problem+json`, whatever goes wrong."""

import json
import logging
from typing import Any

import pytest
from django.db import DatabaseError, OperationalError, connections
from django.http import Http404
from pytest_django import Settings
from rest_framework.test import APIClient

from tests.factories import book_body

URL = "/api/v1/books"
RAISE = "DO $$ BEGIN RAISE EXCEPTION USING ERRCODE = '{}'; END $$"
JSON = "application/json"


def test_a_problem_says_what_where_and_in_which_request(client: APIClient) -> None:
    response = client.get("/nowhere?q=1", headers={"X-Request-ID": "r-1"})

    assert response.headers["Content-Type"] == "application/problem+json"
    assert response.json() == {
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
    client: APIClient, auth_headers: dict[str, str], body: bytes
) -> None:
    response = client.post(URL, body, content_type=JSON, headers=auth_headers)

    assert response.status_code == 400
    assert response.headers["Content-Type"] == "application/problem+json"


@pytest.mark.parametrize("body", [b"[]", b"null", b'"x"', rb'{"\ud800": 1}'])
def test_json_of_another_shape_is_not_valid(
    client: APIClient, auth_headers: dict[str, str], body: bytes
) -> None:
    response = client.post(URL, body, content_type=JSON, headers=auth_headers)

    assert response.status_code == 422
    assert response.json()["errors"]


def test_a_lone_surrogate_is_not_valid(client: APIClient, auth_headers: dict[str, str]) -> None:
    body = json.dumps(book_body(title="\ud800"))

    response = client.post(URL, body, content_type=JSON, headers=auth_headers)

    assert response.status_code in (400, 422)


@pytest.mark.parametrize("content_type", ["text/plain", "application/jsonp", ""])
def test_a_body_that_is_not_declared_as_json_is_unsupported(
    client: APIClient, auth_headers: dict[str, str], content_type: str
) -> None:
    body = json.dumps(book_body())

    response = client.generic("POST", URL, body, content_type, headers=auth_headers)

    assert response.status_code == 415


def test_the_charset_of_json_may_be_named(client: APIClient, auth_headers: dict[str, str]) -> None:
    body, content_type = json.dumps(book_body()), "Application/JSON; charset=utf-8"

    response = client.post(URL, body, content_type=content_type, headers=auth_headers)

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
def test_the_methods_of_a_path_are_told(
    client: APIClient, method: str, path: str, allowed: str
) -> None:
    wrong, asked = client.generic(method, path), client.options(path)

    assert (wrong.status_code, wrong.headers["Allow"]) == (405, allowed)
    assert (asked.status_code, asked.headers["Allow"]) == (204, allowed)


def test_a_body_of_up_to_1_mib_is_read(client: APIClient, auth_headers: dict[str, str]) -> None:
    body = json.dumps(book_body()).ljust(1024 * 1024)

    response = client.post(URL, body, content_type=JSON, headers=auth_headers)

    assert response.status_code == 201


@pytest.mark.parametrize("path", [URL, "/api/v1/auth/token"])
def test_a_larger_body_is_refused(
    client: APIClient, auth_headers: dict[str, str], path: str
) -> None:
    body = b" " * (1024 * 1024 + 1)

    response = client.post(path, body, content_type=JSON, headers=auth_headers)

    assert response.status_code == 413
    assert response.headers["Content-Type"] == "application/problem+json"


def test_a_bug_is_told_to_the_log_and_not_to_the_client(
    client: APIClient, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def explode(*_: object, **__: object) -> None:
        raise RuntimeError("a secret")

    monkeypatch.setattr("books.views.BookViewSet.retrieve", explode)
    client.raise_request_exception = False
    response = client.get(f"{URL}/1")

    assert response.status_code == 500
    assert "secret" not in response.text
    (error,) = [line for line in caplog.records if line.levelno >= logging.ERROR]
    assert error.exc_info


def test_a_view_of_no_table_may_find_nothing(
    client: APIClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def find(*_: object) -> None:
        raise Http404("No such part.")

    monkeypatch.setattr("core.health.LivenessView.get", find)
    response = client.get("/healthz")

    assert (response.status_code, response.json()["detail"]) == (404, "No such part.")


def test_the_admin_site_answers_to_the_allowed_hosts_alone(
    client: APIClient, settings: Settings
) -> None:
    settings.ALLOWED_HOSTS = ["books.example"]
    evil = {"Host": "evil.example"}

    assert client.get("/admin/login/", headers={"Host": "books.example"}).status_code == 200
    response = client.get("/admin/login/", headers=evil)

    assert response.status_code == 400
    assert response.headers["Content-Type"] == "application/problem+json"
    assert client.get(URL, headers=evil).status_code == 200


@pytest.mark.usefixtures("book", "database_out_of_reach")
class TestDatabaseOutOfReach:
    @pytest.mark.parametrize(
        ("method", "path"),
        [("get", URL), ("get", f"{URL}/1"), ("post", URL), ("post", "/api/v1/users")],
    )
    def test_the_client_is_asked_to_come_back(
        self, client: APIClient, auth_headers: dict[str, str], method: str, path: str
    ) -> None:
        account = {"email": "new@example.org", "password": "twelve or more"}
        body = None if method == "get" else account if "users" in path else book_body()

        response = getattr(client, method)(path, body, headers=auth_headers)

        assert response.status_code == 503
        assert int(response.headers["Retry-After"]) > 0
        assert response.headers["Content-Type"] == "application/problem+json"

    def test_it_is_no_error_of_ours(
        self, client: APIClient, caplog: pytest.LogCaptureFixture
    ) -> None:
        client.get(URL)

        assert not [line for line in caplog.records if line.levelno >= logging.ERROR]

    def test_the_process_is_alive(self, client: APIClient) -> None:
        assert client.get("/healthz").json() == {"status": "ok"}


@pytest.mark.django_db
def test_a_silent_database_is_given_up(application: Any) -> None:
    connection = connections.create_connection("default")  # of the pool
    with connection.cursor() as cursor:
        connection.connection.timeout = 0.1
        with pytest.raises(OperationalError):
            cursor.execute("SELECT pg_sleep(1)")

    assert not connection.is_usable()
    connection.close()


@pytest.mark.django_db
@pytest.mark.parametrize("code", ["08006", "25006", "25P03", "53100", "57P03", "58030"])
def test_a_database_of_no_use_is_left(application: Any, code: str) -> None:
    connection = connections.create_connection("default")
    with connection.cursor() as cursor, pytest.raises(OperationalError):
        cursor.execute(RAISE.format(code))

    assert connection.connection.closed
    connection.close()


@pytest.mark.django_db
@pytest.mark.parametrize("code", ["23505", "40001", "40P01", "57014"])
def test_what_one_statement_is_refused_costs_no_connection(application: Any, code: str) -> None:
    connection = connections.create_connection("default")
    with connection.cursor() as cursor, pytest.raises(DatabaseError):
        cursor.execute(RAISE.format(code))

    assert not connection.connection.closed
    connection.close()
