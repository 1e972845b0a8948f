"""Requests at the same time, on connections of their own."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

from django.db import connection
from rest_framework.test import APIClient

from accounts.models import User
from books.models import Book
from tests.factories import ISBN, PASSWORD, as_form, book_body

URL = "/api/v1/books"


def at_once(send: Callable[[APIClient, str], Any]) -> list[int]:
    """Send a request for each of "abcd", by clients of their own; return the sorted statuses."""
    start = Barrier(4, timeout=10)

    def status(letter: str) -> int:
        client = APIClient()
        client.get("/healthz")  # loads the middleware
        connection.ensure_connection()
        try:
            start.wait()
            return int(send(client, letter).status_code)
        finally:
            connection.close()  # this thread's

    with ThreadPoolExecutor(4) as threads:
        return sorted(threads.map(status, "abcd"))


def test_of_two_creators_with_one_isbn_one_wins(auth_headers: dict[str, str]) -> None:
    body = book_body(isbn=ISBN)

    statuses = at_once(lambda client, _: client.post(URL, body, headers=auth_headers))

    assert statuses == [201, 409, 409, 409]


def test_of_two_writers_with_one_if_match_one_wins(
    client: APIClient, auth_headers: dict[str, str], book: Book
) -> None:
    etag = client.get(f"{URL}/{book.id}").headers["ETag"]
    headers = {**auth_headers, "If-Match": etag}

    statuses = at_once(
        lambda client, title: client.patch(f"{URL}/{book.id}", {"title": title}, headers=headers)
    )

    assert statuses == [200, 412, 412, 412]


def test_of_two_uses_of_a_refresh_token_one_wins(client: APIClient, user: User) -> None:
    form = {"grant_type": "password", "username": user.email, "password": PASSWORD}
    tokens = client.post("/api/v1/auth/token", **as_form(form)).json()
    form = {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"]}

    statuses = at_once(lambda client, _: client.post("/api/v1/auth/token", **as_form(form)))

    assert statuses == [200, 400, 400, 400]
