"""What the database has the last word on: constraints, and what is stored.

An owner adds tables, constraints and triggers; here plain SQL does, and takes them away again.
"""

import secrets
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import httpx
import pymysql
import pytest

from .alterations import (
    ALTERATIONS,
    AUTHORS,
    CHANGED,
    CREATED,
    FUNCTION,
    ITS_ROWS,
    REFERENCE,
    UNIQUE_AUTHOR,
)
from .client import BOOKS, book, page_of, problem
from .service import Service, database_of

Make = Callable[..., dict[str, Any]]

RULES = {
    "no action": "",
    "restrict": "ON DELETE RESTRICT",
    "at the commit": "DEFERRABLE INITIALLY DEFERRED",
}


@contextmanager
def altered(service: Service, make: str, undo: str) -> Iterator[None]:
    """Have the database changed by a statement; `{books}` in it is the table of the books."""
    [books] = service.database.tables("books")
    service.database.execute(make.format(books=books))
    try:
        yield
    finally:
        service.database.execute(undo.format(books=books))


@contextmanager
def with_added(service: Service, *names: str, author: str = "") -> Iterator[None]:
    """Have what an owner adds, in this order, as the database of the service is told."""
    alterations = ALTERATIONS[database_of(service.project.path)]
    with ExitStack() as stack:
        for name in names:
            make, undo = alterations[name]
            stack.enter_context(altered(service, make.replace("{author}", author), undo))
        yield


@pytest.mark.parametrize("rule", RULES)
def test_a_row_in_use_is_not_deleted(
    service: Service, user: httpx.Client, make_book: Make, rule: str
) -> None:
    """A row that another table names is a 409, "in use", which names that table; it stays."""
    made = make_book()
    path = f"{BOOKS}/{made['id']}"
    before = [user.get(path) for _ in range(2)][-1]
    reference = f"FOREIGN KEY (book_id) REFERENCES {{books}} (id) {RULES[rule]}"
    loans = f"CREATE TABLE loans (book_id bigint, {reference})"
    with altered(service, loans, "DROP TABLE loans"):
        service.database.execute("INSERT INTO loans VALUES (%s)", made["id"])
        body = problem(user.delete(path), 409)
        assert body["detail"] == "It is in use by loans."
        assert "errors" not in body
        after = user.get(path)
        assert (after.status_code, after.json()) == (200, made)
        assert after.headers["ETag"] == before.headers["ETag"]
        assert page_of(user, author=made["author"]) == [made]
    assert user.delete(path).status_code == 204


@pytest.mark.database("mysql", "mariadb")
def test_a_row_in_use_is_found_out_by_the_statement(
    service: Service, user: httpx.Client, make_book: Make
) -> None:
    """No reference waits for the commit: what names no row is refused at once, then and there."""
    made = make_book()
    loans = "CREATE TABLE loans (book_id bigint, FOREIGN KEY (book_id) REFERENCES {books} (id))"
    with altered(service, loans, "DROP TABLE loans"), service.database.connected() as cursor:
        cursor.execute("BEGIN")
        with pytest.raises(pymysql.IntegrityError):
            cursor.execute("INSERT INTO loans VALUES (0)")
        cursor.execute("INSERT INTO loans VALUES (%s)", [made["id"]])
        cursor.execute("COMMIT")
        assert problem(user.delete(f"{BOOKS}/{made['id']}"), 409)


def test_any_unique_constraint_is_a_conflict(
    service: Service, user: httpx.Client, make_book: Make
) -> None:
    """A value that has to be unique and is taken is a 409, which names no other column's rule."""
    author = f"Only one {secrets.token_hex(8)}"
    one, other = make_book(author=author), make_book()
    with with_added(service, UNIQUE_AUTHOR, author=author):
        for answer in (
            user.post(BOOKS, json=book(author=author)),
            user.put(f"{BOOKS}/{other['id']}", json=book(author=author)),
            user.patch(f"{BOOKS}/{other['id']}", json={"author": author}),
        ):
            assert problem(answer, 409)["detail"] == "Another one has the same values."
        assert page_of(user, author=author) == [one]
        assert user.get(f"{BOOKS}/{other['id']}").json() == other


def test_a_reference_to_nothing_is_not_valid(
    service: Service, user: httpx.Client, make_book: Make
) -> None:
    """A value that has to name another row, and names none, is a 422 as any bad value."""
    made = make_book()
    author = f"Unknown {secrets.token_hex(8)}"
    with with_added(service, AUTHORS, ITS_ROWS, REFERENCE):
        for answer in (
            user.post(BOOKS, json=book(author=author)),
            user.put(f"{BOOKS}/{made['id']}", json=book(author=author)),
            user.patch(f"{BOOKS}/{made['id']}", json={"author": author}),
        ):
            [error] = problem(answer, 422)["errors"]
            assert error["field"] in {"body.author", "body"}
            assert error["message"]
    assert user.get(f"{BOOKS}/{made['id']}").json() == made


def test_any_other_constraint_is_a_bug(service: Service, user: httpx.Client) -> None:
    """What validation should have refused, and only the database does, is a 500."""
    title = f"Refused {secrets.token_hex(8)}"
    check = f"ALTER TABLE {{books}} ADD CONSTRAINT refused CHECK (title <> '{title}')"
    with altered(service, check, "ALTER TABLE {books} DROP CONSTRAINT refused"):
        body = problem(user.post(BOOKS, json=book(title=title)), 500)
    assert title not in body["detail"]


def test_what_a_write_answers_is_what_is_stored(
    service: Service, user: httpx.Client, make_book: Make
) -> None:
    """A write answers with what the database then holds: what a reader sees, byte for byte."""
    author = f"A trigger of {secrets.token_hex(8)}"
    with with_added(service, FUNCTION, CREATED, CHANGED):
        created = user.post(BOOKS, json=book(author=author, title="Kindred"))
        path = f"{BOOKS}/{created.json()['id']}"
        etag = same_as_read(user, path, created)
        replacement = book(author=author, title="Fledgling")
        etag = same_as_read(
            user, path, user.put(path, json=replacement, headers={"If-Match": etag})
        )
        same_as_read(
            user, path, user.patch(path, json={"title": "Dawn"}, headers={"If-Match": etag})
        )


def same_as_read(client: httpx.Client, path: str, answer: httpx.Response) -> str:
    """Check that what a write has answered is what is read next; return its entity tag."""
    assert answer.is_success, answer.text
    assert answer.json()["title"] == answer.json()["title"].upper()
    read = client.get(path)
    assert answer.content == read.content
    assert answer.headers.get("ETag", read.headers["ETag"]) == read.headers["ETag"]
    assert page_of(client, author=answer.json()["author"]) == [answer.json()]
    return read.headers["ETag"]
