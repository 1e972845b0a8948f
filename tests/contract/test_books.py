"""Books: their shape, their fields, who may change them, and races for an ISBN."""

from collections.abc import Callable
from functools import partial
from typing import Any

import httpx
import pytest

from .client import (
    BOOKS,
    at_once,
    bearer,
    book,
    eight,
    invalid_fields,
    isbn,
    problem,
    token_of,
    utc,
)
from .smoke import some

Make = Callable[..., dict[str, Any]]

FIELDS = {"id", "title", "author", "publication_date", "isbn", "created_at", "updated_at"}
BAD_ISBNS = {
    "a wrong check digit": "9780306406158",
    "12 digits": "978030640615",
    "14 digits": "97803064061577",
    "10 digits": "0306406152",
    "hyphens": "978-0-306-40615-7",
    "blanks around": " 9780306406157 ",
    "letters": "978030640615X",
    "digits of another script": "".join(chr(0x660 + int(digit)) for digit in "9780306406157"),
    "fullwidth digits": "".join(chr(0xFF10 + int(digit)) for digit in "9780306406157"),
    "nothing": "",
    "a number": 9780306406157,
}
BAD_DATES = {
    "no such day": "2023-02-29",
    "no such month": "2023-13-01",
    "no dashes": "20230105",
    "short numbers": "2023-1-5",
    "a week": "2023-W01-4",
    "a time": "2023-01-05T00:00:00",
    "a time in UTC": "2023-01-05T00:00:00Z",
    "seconds in text": "1672876800",
    "seconds": 1672876800,
    "the year 0": "0000-01-01",
    "words": "yesterday",
    "nothing": "",
    "null": None,
    "digits of another script": "\u0662\u0660\u0662\u0663-01-05",
}


@pytest.mark.smoke
def test_a_created_book_is_told_in_full(user: httpx.Client) -> None:
    """`POST /api/v1/books` is 201, the book, with `Location: /api/v1/books/{id}`."""
    body = book(isbn=isbn())
    response = user.post(BOOKS, json=body)
    assert response.status_code == 201
    created = response.json()
    assert {*created} == FIELDS
    assert {key: created[key] for key in body} == body
    assert type(created["id"]) is int
    assert response.headers["Location"] == f"{BOOKS}/{created['id']}"
    utc(created["created_at"])
    utc(created["updated_at"])


def test_a_book_is_read_by_anybody(anonymous: httpx.Client, make_book: Make) -> None:
    """`GET /api/v1/books/{id}` is 200, the book, also without a token."""
    created = make_book(isbn=isbn())
    response = anonymous.get(f"{BOOKS}/{created['id']}")
    assert response.status_code == 200
    assert response.json() == created


def test_an_isbn_may_be_missing(make_book: Make) -> None:
    """`isbn` is null when it is not given, and any number of books may lack one."""
    assert make_book()["isbn"] is None
    assert make_book(isbn=None)["isbn"] is None


@pytest.mark.parametrize("field", ["title", "author", "publication_date"])
def test_other_fields_are_required(user: httpx.Client, field: str) -> None:
    """A book without a title, an author or a date is 422."""
    body = book()
    del body[field]
    assert invalid_fields(user.post(BOOKS, json=body)) == {f"body.{field}"}


@pytest.mark.parametrize("field", ["title", "author"])
@pytest.mark.parametrize("character", ["x", "\N{BOOKS}"])
@pytest.mark.parametrize("length", [1, 200])
def test_names_have_1_to_200_characters(
    make_book: Make, field: str, character: str, length: int
) -> None:
    """A title and an author of 1 to 200 characters are accepted and kept."""
    assert make_book(**{field: character * length})[field] == character * length


@pytest.mark.parametrize("field", ["title", "author"])
@pytest.mark.parametrize("value", ["", "x" * 201, 7, None, ["x"], {"x": "y"}, True])
def test_other_names_are_refused(user: httpx.Client, field: str, value: object) -> None:
    """A title or an author that is empty, longer than 200 characters or no text is 422."""
    response = user.post(BOOKS, json=book(**{field: value}))
    assert {name.split("[")[0] for name in invalid_fields(response)} == {f"body.{field}"}


def test_a_title_is_trimmed(make_book: Make) -> None:
    """A title is kept without the blanks around it, which do not count for its length."""
    assert make_book(title=f" \t{'x' * 200}\n ")["title"] == "x" * 200


def test_a_title_of_blanks_is_refused(user: httpx.Client) -> None:
    """A title that is empty after trimming is 422."""
    assert invalid_fields(user.post(BOOKS, json=book(title=" \t\n "))) == {"body.title"}


@pytest.mark.parametrize("text", ["Ünïcødé 図書館 \N{BOOKS}", "<b>\"so\"</b> & 'so'", "a\\b%_c"])
def test_text_is_kept_as_it_is(anonymous: httpx.Client, make_book: Make, text: str) -> None:
    """All text is UTF-8 and comes back as it was sent."""
    created = make_book(title=text, author=text)
    read = anonymous.get(f"{BOOKS}/{created['id']}").json()
    assert (read["title"], read["author"]) == (text, text)


@pytest.mark.parametrize("day", ["0001-01-01", "1605-01-16", "2024-02-29", "9999-12-31"])
def test_a_date_is_kept(anonymous: httpx.Client, make_book: Make, day: str) -> None:
    """All dates are `YYYY-MM-DD`, of any year that it can write."""
    created = make_book(publication_date=day)
    assert anonymous.get(f"{BOOKS}/{created['id']}").json()["publication_date"] == day


@pytest.mark.parametrize("kind", BAD_DATES)
def test_what_is_no_date_is_refused(user: httpx.Client, kind: str) -> None:
    """A `publication_date` in any other form is 422."""
    response = user.post(BOOKS, json=book(publication_date=BAD_DATES[kind]))
    assert invalid_fields(response) == {"body.publication_date"}


@pytest.mark.parametrize("kind", some(BAD_ISBNS, "a wrong check digit"))
def test_what_is_no_isbn_is_refused(user: httpx.Client, kind: str) -> None:
    """An ISBN is 13 digits with a right check digit, or null; anything else is 422."""
    response = user.post(BOOKS, json=book(isbn=BAD_ISBNS[kind]))
    assert invalid_fields(response) == {"body.isbn"}


@pytest.mark.parametrize("field", ["colour", "id", "created_at", "updated_at"])
@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH"])
def test_unknown_fields_are_refused(
    user: httpx.Client, make_book: Make, method: str, field: str
) -> None:
    """A field that is not the client's to set is 422."""
    created = make_book()
    path = BOOKS if method == "POST" else f"{BOOKS}/{created['id']}"
    body = book(**{field: created.get(field, "blue")})
    assert invalid_fields(user.request(method, path, json=body)) == {f"body.{field}"}


@pytest.mark.smoke
def test_a_taken_isbn_is_a_conflict(user: httpx.Client, make_book: Make) -> None:
    """`POST` with an ISBN that a book has already is 409."""
    taken = make_book(isbn=isbn())
    problem(user.post(BOOKS, json=book(isbn=taken["isbn"])), 409)


@pytest.mark.parametrize("method", ["PUT", "PATCH"])
def test_a_book_cannot_take_another_ones_isbn(
    user: httpx.Client, make_book: Make, method: str
) -> None:
    """A change to an ISBN that another book has is 409, and changes nothing."""
    taken, created = make_book(isbn=isbn()), make_book(isbn=isbn())
    path = f"{BOOKS}/{created['id']}"
    problem(user.request(method, path, json=book(isbn=taken["isbn"])), 409)
    assert user.get(path).json() == created


def test_an_isbn_is_free_again_after_its_book(user: httpx.Client, make_book: Make) -> None:
    """A deleted book's ISBN may be used again."""
    created = make_book(isbn=isbn())
    assert user.delete(f"{BOOKS}/{created['id']}").status_code == 204
    assert make_book(isbn=created["isbn"])["id"] != created["id"]


def test_of_eight_creators_of_one_isbn_one_wins(user: httpx.Client, base_url: str) -> None:
    """Two creators with the same ISBN: exactly one wins, and the others are told 409."""
    for _ in range(3):
        body = book(isbn=isbn())
        with eight(base_url, token_of(user)) as clients:
            answers = at_once([partial(client.post, BOOKS, json=body) for client in clients])
        assert sorted(answer.status_code for answer in answers) == [201, *[409] * 7]


@pytest.mark.smoke
def test_put_replaces_the_whole_book(user: httpx.Client, make_book: Make) -> None:
    """`PUT` is 200, the book as it was sent: what is left out is gone."""
    created = make_book(isbn=isbn())
    body = {"title": "Kindred", "author": "Octavia E. Butler", "publication_date": "1979-06-01"}
    response = user.put(f"{BOOKS}/{created['id']}", json=body)
    assert response.status_code == 200
    changed = response.json()
    assert {*changed} == FIELDS
    assert {key: changed[key] for key in [*body, "isbn"]} == body | {"isbn": None}
    assert user.get(f"{BOOKS}/{created['id']}").json() == changed


@pytest.mark.parametrize("field", ["title", "author", "publication_date"])
def test_put_needs_the_whole_book(user: httpx.Client, make_book: Make, field: str) -> None:
    """`PUT` without a required field is 422."""
    body = book()
    del body[field]
    response = user.put(f"{BOOKS}/{make_book()['id']}", json=body)
    assert invalid_fields(response) == {f"body.{field}"}


@pytest.mark.parametrize(
    ("field", "value"),
    [
        pytest.param("title", "Kindred", marks=pytest.mark.smoke),
        ("author", "Octavia E. Butler"),
        ("publication_date", "1979-06-01"),
        ("isbn", None),
    ],
)
def test_patch_changes_what_it_names(
    user: httpx.Client, make_book: Make, field: str, value: object
) -> None:
    """`PATCH` is 200, the book, with the fields given changed and the others as they were."""
    created = make_book(isbn=isbn())
    response = user.patch(f"{BOOKS}/{created['id']}", json={field: value})
    assert response.status_code == 200
    changed = response.json()
    ours = {*created} - {"updated_at"}
    expected = created | {field: value}
    assert {key: changed[key] for key in ours} == {key: expected[key] for key in ours}
    assert user.get(f"{BOOKS}/{created['id']}").json() == changed


def test_an_empty_patch_changes_nothing(user: httpx.Client, make_book: Make) -> None:
    """`PATCH` with no fields is 200 and leaves every field as it was."""
    created = make_book(isbn=isbn())
    response = user.patch(f"{BOOKS}/{created['id']}", json={})
    assert response.status_code == 200
    assert response.json() | {"updated_at": created["updated_at"]} == created


@pytest.mark.parametrize("method", ["PUT", "PATCH"])
@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("title", ""),
        ("title", None),
        ("author", None),
        ("publication_date", None),
        ("author", "x" * 201),
        ("publication_date", "2023-02-29"),
        ("isbn", "9780306406158"),
    ],
)
def test_a_change_obeys_the_rules_of_creation(
    user: httpx.Client, make_book: Make, method: str, field: str, value: object
) -> None:
    """A field that no book may be created with is 422 in a change too, and changes nothing."""
    created = make_book()
    path = f"{BOOKS}/{created['id']}"
    body = book(**{field: value}) if method == "PUT" else {field: value}
    assert invalid_fields(user.request(method, path, json=body)) == {f"body.{field}"}
    assert user.get(path).json() == created


def test_a_change_moves_updated_at_alone(user: httpx.Client, make_book: Make) -> None:
    """`updated_at` is the time of the last change; `created_at` never moves."""
    created = make_book()
    changed = user.patch(f"{BOOKS}/{created['id']}", json={"title": "Kindred"}).json()
    assert changed["created_at"] == created["created_at"]
    assert utc(changed["updated_at"]) > utc(created["updated_at"])


@pytest.mark.smoke
def test_a_deleted_book_is_gone(user: httpx.Client, make_book: Make) -> None:
    """`DELETE` is 204 without a body; then the book is 404."""
    path = f"{BOOKS}/{make_book()['id']}"
    response = user.delete(path)
    assert response.status_code == 204
    assert response.content == b""
    for method in ("GET", "DELETE"):
        problem(user.request(method, path), 404)
    problem(user.patch(path, json={}), 404)


@pytest.mark.smoke
@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE"])
def test_only_its_creator_changes_a_book(
    other_user: httpx.Client, make_book: Make, method: str
) -> None:
    """Another user's change is 403, and changes nothing."""
    created = make_book()
    path = f"{BOOKS}/{created['id']}"
    body = None if method == "DELETE" else book(title="Mine now")
    problem(other_user.request(method, path, json=body), 403)
    assert other_user.get(path).json() == created


@pytest.mark.parametrize("method", ["GET", "PUT", "PATCH", "DELETE"])
@pytest.mark.parametrize("number", [2**31, 2**63 - 1])
def test_a_book_that_does_not_exist_is_404(user: httpx.Client, method: str, number: int) -> None:
    """An id of no book is 404, for every method."""
    body = book() if method in {"PUT", "PATCH"} else None
    problem(user.request(method, f"{BOOKS}/{number}", json=body), 404)


def test_reading_ignores_a_bad_token(anonymous: httpx.Client, make_book: Make) -> None:
    """What needs no token is not refused for one that has just expired."""
    response = anonymous.get(f"{BOOKS}/{make_book()['id']}", headers=bearer("a.b.c"))
    assert response.status_code == 200
