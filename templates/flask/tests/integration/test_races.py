"""Requests at the same time, on connections of their own."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

from flask import Flask
from werkzeug.test import TestResponse

from app.models import Book, User
from tests.factories import ISBN, book_body
from tests.fixtures import AuthActions, Client

URL = "/api/v1/books"


def at_once(app: Flask, send: Callable[[Client, str], TestResponse]) -> list[int]:
    """Send a request for each of "abcd", by clients of their own; return the sorted statuses."""
    start = Barrier(4, timeout=10)

    def status(letter: str) -> int:
        client = Client(app)
        start.wait()
        return send(client, letter).status_code

    with ThreadPoolExecutor(4) as threads:
        return sorted(threads.map(status, "abcd"))


def test_of_two_creators_with_one_isbn_one_wins(app: Flask, auth_headers: dict[str, str]) -> None:
    body = book_body(isbn=ISBN)

    statuses = at_once(app, lambda client, _: client.post(URL, json=body, headers=auth_headers))

    assert statuses == [201, 409, 409, 409]


def test_of_two_writers_with_one_if_match_one_wins(
    app: Flask, client: Client, auth_headers: dict[str, str], book: Book
) -> None:
    url = f"{URL}/{book.id}"
    headers = {**auth_headers, "If-Match": client.get(url).headers["ETag"]}

    statuses = at_once(
        app, lambda client, title: client.patch(url, json={"title": title}, headers=headers)
    )

    assert statuses == [200, 412, 412, 412]


def test_of_two_uses_of_a_refresh_token_one_wins(app: Flask, auth: AuthActions, user: User) -> None:
    token = auth.login(user.email).json["refresh_token"]

    statuses = at_once(app, lambda client, _: AuthActions(client).refresh(token))

    assert statuses == [200, 400, 400, 400]
