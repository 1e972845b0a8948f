"""Requests at the same time, on connections of their own."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from app.models import Book, User
from tests.factories import ISBN, book_body
from tests.fixtures import AuthActions

URL = "/api/v1/books"

Send = Callable[[FlaskClient, str], TestResponse]


@pytest.fixture
def at_once(app: Flask) -> Callable[[Send], list[int]]:
    """Give a function that sends a request for each of "abcd"; it returns the sorted statuses."""

    def at_once(send: Send) -> list[int]:
        start = Barrier(4, timeout=10)

        def status(letter: str) -> int:
            start.wait()
            return send(app.test_client(), letter).status_code

        with ThreadPoolExecutor(4) as threads:
            return sorted(threads.map(status, "abcd"))

    return at_once


def test_of_two_creators_with_one_isbn_one_wins(
    client: FlaskClient, auth_headers: dict[str, str], at_once: Callable[[Send], list[int]]
) -> None:
    body = book_body(isbn=ISBN)

    statuses = at_once(lambda client, _: client.post(URL, json=body, headers=auth_headers))

    assert statuses == [201, 409, 409, 409]


def test_of_two_writers_with_one_if_match_one_wins(
    client: FlaskClient,
    auth_headers: dict[str, str],
    book: Book,
    at_once: Callable[[Send], list[int]],
) -> None:
    url = f"{URL}/{book.id}"
    headers = {**auth_headers, "If-Match": client.get(url).headers["ETag"]}

    statuses = at_once(
        lambda client, title: client.patch(url, json={"title": title}, headers=headers)
    )

    assert statuses == [200, 412, 412, 412]


def test_of_two_uses_of_a_refresh_token_one_wins(
    auth: AuthActions, user: User, at_once: Callable[[Send], list[int]]
) -> None:
    token = auth.login(user.email).json["refresh_token"]

    statuses = at_once(lambda client, _: AuthActions(client).refresh(token))

    assert statuses == [200, 400, 400, 400]
