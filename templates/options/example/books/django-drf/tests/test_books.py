"""Creating, reading, changing and deleting a book."""

from typing import Any

import pytest
from rest_framework.test import APIClient

from accounts.models import User
from books.models import Book
from tests.factories import ISBN, book_body, new_book

URL = "/api/v1/books"


def test_a_created_book_is_there(client: APIClient, auth_headers: dict[str, str]) -> None:
    body = book_body(isbn=ISBN)

    created = client.post(URL, body, headers=auth_headers)

    assert created.status_code == 201
    assert created.json().items() >= body.items()
    assert created.json()["created_at"] == created.json()["updated_at"]
    read = client.get(created.headers["Location"])
    assert read.json() == created.json()


def test_title_and_author_are_trimmed(client: APIClient, auth_headers: dict[str, str]) -> None:
    body = book_body(title=f"  {'x' * 200} ", author="\tx\n")

    created = client.post(URL, body, headers=auth_headers)

    assert (created.json()["title"], created.json()["author"]) == ("x" * 200, "x")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("title", "   "),
        ("title", "x" * 201),
        ("title", None),
        ("title", "nul\0"),
        ("author", ""),
        ("author", "x" * 201),
        ("author", 7),
        ("publication_date", "1974-5-1"),
        ("publication_date", "1974-02-30"),
        ("publication_date", "1974-05-01T00:00:00Z"),
        ("publication_date", 136598400),
        ("isbn", "9780441478126"),
        ("isbn", "978-0441478125"),
        ("isbn", "٩780441478125"),
        ("isbn", 9780441478125),
        ("pages", 300),
    ],
)
def test_a_bad_field_is_named(
    client: APIClient, auth_headers: dict[str, str], field: str, value: Any
) -> None:
    response = client.post(URL, book_body(**{field: value}), headers=auth_headers)

    assert response.status_code == 422
    assert {error["field"] for error in response.json()["errors"]} == {f"body.{field}"}


@pytest.mark.parametrize("method", ["post", "put"])
def test_a_whole_book_needs_title_author_and_date(
    client: APIClient, auth_headers: dict[str, str], book: Book, method: str
) -> None:
    url = URL if method == "post" else f"{URL}/{book.id}"

    response = getattr(client, method)(url, {}, headers=auth_headers)

    assert response.status_code == 422
    fields = {error["field"] for error in response.json()["errors"]}
    assert fields == {"body.title", "body.author", "body.publication_date"}


def test_duplicate_isbn_is_a_conflict(client: APIClient, auth_headers: dict[str, str]) -> None:
    client.post(URL, book_body(isbn=ISBN), headers=auth_headers)

    response = client.post(URL, book_body(isbn=ISBN), headers=auth_headers)

    assert response.status_code == 409


def test_changing_to_a_taken_isbn_is_a_conflict(
    client: APIClient, auth_headers: dict[str, str], book: Book
) -> None:
    client.post(URL, book_body(isbn=ISBN), headers=auth_headers)

    response = client.patch(f"{URL}/{book.id}", {"isbn": ISBN}, headers=auth_headers)

    assert response.status_code == 409


def test_many_books_may_have_no_isbn(client: APIClient, auth_headers: dict[str, str]) -> None:
    for _ in range(2):
        response = client.post(URL, book_body(isbn=None), headers=auth_headers)
        assert response.status_code == 201


def test_put_replaces_every_field(
    client: APIClient, auth_headers: dict[str, str], user: User
) -> None:
    book = new_book(user, isbn=ISBN)

    response = client.put(f"{URL}/{book.id}", book_body(), headers=auth_headers)

    assert response.status_code == 200
    assert response.json().items() >= book_body(isbn=None).items()
    assert client.get(f"{URL}/{book.id}").json() == response.json()


def test_patch_changes_only_what_it_names(
    client: APIClient, auth_headers: dict[str, str], user: User
) -> None:
    book = new_book(user, isbn=ISBN)
    before = client.get(f"{URL}/{book.id}").json()

    response = client.patch(f"{URL}/{book.id}", {"title": "New"}, headers=auth_headers)

    assert response.status_code == 200
    changed = {field for field, value in response.json().items() if value != before[field]}
    assert changed - {"updated_at"} == {"title"}
    assert client.get(f"{URL}/{book.id}").json() == response.json()


def test_patch_may_take_the_isbn_away(
    client: APIClient, auth_headers: dict[str, str], user: User
) -> None:
    book = new_book(user, isbn=ISBN)

    response = client.patch(f"{URL}/{book.id}", {"isbn": None}, headers=auth_headers)

    assert response.json()["isbn"] is None


def test_patch_may_not_take_the_title_away(
    client: APIClient, auth_headers: dict[str, str], book: Book
) -> None:
    response = client.patch(f"{URL}/{book.id}", {"title": None}, headers=auth_headers)

    assert response.status_code == 422


def test_a_deleted_book_is_gone(
    client: APIClient, auth_headers: dict[str, str], book: Book
) -> None:
    response = client.delete(f"{URL}/{book.id}", headers=auth_headers)

    assert (response.status_code, response.content) == (204, b"")
    assert client.get(f"{URL}/{book.id}").status_code == 404
    assert not Book.objects.exists()


@pytest.mark.parametrize("method", ["put", "patch", "delete"])
def test_only_its_creator_may_change_a_book(
    client: APIClient, book: Book, stranger_headers: dict[str, str], method: str
) -> None:
    body = None if method == "delete" else book_body()

    response = getattr(client, method)(f"{URL}/{book.id}", body, headers=stranger_headers)

    assert response.status_code == 403


@pytest.mark.parametrize("method", ["post", "put", "patch", "delete"])
def test_writing_needs_a_token(client: APIClient, book: Book, method: str) -> None:
    url = URL if method == "post" else f"{URL}/{book.id}"

    response = getattr(client, method)(url, book_body())

    assert response.status_code == 401
    assert response.headers["WWW-Authenticate"] == "Bearer"


@pytest.mark.parametrize("method", ["get", "put", "patch", "delete"])
def test_an_unknown_book_is_not_found(
    client: APIClient, auth_headers: dict[str, str], method: str
) -> None:
    body = book_body() if method in ("put", "patch") else None

    response = getattr(client, method)(f"{URL}/{2**63 - 1}", body, headers=auth_headers)

    assert response.status_code == 404


@pytest.mark.parametrize("book_id", ["0", "-1", "01", str(2**63), "x", "1.5", "%00", "%ED%A0%80"])
def test_an_id_that_no_book_can_have_is_not_found(client: APIClient, book_id: str) -> None:
    response = client.get(f"{URL}/{book_id}")

    assert response.status_code == 404


class TestConditionalRequests:
    def test_a_current_copy_is_not_sent_again(self, client: APIClient, book: Book) -> None:
        etag = client.get(f"{URL}/{book.id}").headers["ETag"]

        for condition in (etag, f"W/{etag}", f'"other", {etag}', "*"):
            response = client.get(f"{URL}/{book.id}", headers={"If-None-Match": condition})
            assert (response.status_code, response.content) == (304, b"")
            assert response.headers["ETag"] == etag

    def test_an_outdated_copy_is_sent_anew(
        self, client: APIClient, auth_headers: dict[str, str], book: Book
    ) -> None:
        etag = client.get(f"{URL}/{book.id}").headers["ETag"]
        client.patch(f"{URL}/{book.id}", {"title": "New"}, headers=auth_headers)

        response = client.get(f"{URL}/{book.id}", headers={"If-None-Match": etag})

        assert response.status_code == 200
        assert response.headers["ETag"] != etag

    @pytest.mark.parametrize("method", ["put", "patch", "delete"])
    def test_no_book_is_changed_of_which_the_client_wants_none(
        self, client: APIClient, auth_headers: dict[str, str], book: Book, method: str
    ) -> None:
        body = None if method == "delete" else book_body()
        headers = {**auth_headers, "If-None-Match": "*"}

        response = getattr(client, method)(f"{URL}/{book.id}", body, headers=headers)

        assert response.status_code == 412

    def test_another_copy_than_the_one_asked_for_is_not_sent(
        self, client: APIClient, book: Book
    ) -> None:
        for condition in ('"other"', "nonsense", ""):
            response = client.get(f"{URL}/{book.id}", headers={"If-Match": condition})
            assert response.status_code == 412

    @pytest.mark.parametrize("method", ["put", "patch"])
    def test_a_bad_body_is_told_before_a_stale_if_match(
        self, client: APIClient, auth_headers: dict[str, str], book: Book, method: str
    ) -> None:
        headers = {**auth_headers, "If-Match": '"other"'}

        response = getattr(client, method)(f"{URL}/{book.id}", {"title": ""}, headers=headers)

        assert response.status_code == 422

    @pytest.mark.parametrize("method", ["put", "patch", "delete"])
    def test_a_stale_if_match_changes_nothing(
        self, client: APIClient, auth_headers: dict[str, str], book: Book, method: str
    ) -> None:
        before = client.get(f"{URL}/{book.id}")
        body = None if method == "delete" else book_body()

        for stale in ('"other"', f"W/{before.headers['ETag']}"):  # If-Match compares strongly
            response = getattr(client, method)(
                f"{URL}/{book.id}", body, headers={**auth_headers, "If-Match": stale}
            )
            assert response.status_code == 412

        assert client.get(f"{URL}/{book.id}").json() == before.json()

    @pytest.mark.parametrize("method", ["put", "patch", "delete"])
    def test_a_holding_if_match_lets_a_change_through(
        self, client: APIClient, auth_headers: dict[str, str], book: Book, method: str
    ) -> None:
        etag = client.get(f"{URL}/{book.id}").headers["ETag"]
        body = None if method == "delete" else book_body()

        response = getattr(client, method)(
            f"{URL}/{book.id}", body, headers={**auth_headers, "If-Match": etag}
        )

        assert response.status_code in (200, 204)
