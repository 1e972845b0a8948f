"""What SQLite has the last word on, whose tables are altered in other ways."""

import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import pytest

from .client import BOOKS, book, problem
from .service import Service

Make = Callable[..., dict[str, Any]]

pytestmark = pytest.mark.database("sqlite")


@contextmanager
def altered(service: Service, make: list[str], undo: list[str]) -> Iterator[None]:
    """Have the file changed by statements; `{books}` in them is the table of the books."""
    [books] = service.database.tables("books")
    service.database.at_once(*[statement.format(books=books) for statement in make])
    try:
        yield
    finally:
        service.database.at_once(*[statement.format(books=books) for statement in undo])


def test_a_new_column_that_refers_to_nothing_is_not_valid(
    service: Service, user: httpx.Client, make_book: Make
) -> None:
    """A value that has to name another row, and names none, is a 422 also where it came later."""
    made = make_book()
    author = f"Unknown {secrets.token_hex(8)}"
    make = [
        "CREATE TABLE authors (name text PRIMARY KEY)",
        "INSERT INTO authors SELECT DISTINCT author FROM {books}",
        "CREATE TABLE held AS SELECT id, author FROM {books}",
        "ALTER TABLE {books} DROP COLUMN author",
        "ALTER TABLE {books} ADD COLUMN author text REFERENCES authors (name)",
        "UPDATE {books} SET author = held.author FROM held WHERE held.id = {books}.id",
    ]
    undo = [
        "ALTER TABLE {books} DROP COLUMN author",
        "ALTER TABLE {books} ADD COLUMN author text NOT NULL DEFAULT ''",
        "UPDATE {books} SET author = held.author FROM held WHERE held.id = {books}.id",
        "DROP TABLE held",
        "DROP TABLE authors",
    ]
    with altered(service, make, undo):
        for answer in (
            user.post(BOOKS, json=book(author=author)),
            user.put(f"{BOOKS}/{made['id']}", json=book(author=author)),
            user.patch(f"{BOOKS}/{made['id']}", json={"author": author}),
        ):
            [error] = problem(answer, 422)["errors"]
            assert error["field"] in {"body.author", "body"}
            assert error["message"]
    assert user.get(f"{BOOKS}/{made['id']}").json() == made


def test_what_a_trigger_refuses_is_a_bug(service: Service, user: httpx.Client) -> None:
    """What validation should have refused, and only a trigger does, is a 500."""
    title = f"Refused {secrets.token_hex(8)}"
    trigger = (
        f"CREATE TRIGGER refused BEFORE INSERT ON {{books}} WHEN new.title = '{title}'"
        " BEGIN SELECT RAISE(ABORT, 'refused'); END"
    )
    with altered(service, [trigger], ["DROP TRIGGER refused"]):
        body = problem(user.post(BOOKS, json=book(title=title)), 500)
    assert title not in body["detail"]


def test_what_a_write_answers_is_what_a_trigger_has_stored(
    service: Service, user: httpx.Client
) -> None:
    """A write answers with what is there once triggers have run: what a reader sees."""
    author = f"A trigger of {secrets.token_hex(8)}"
    make = [
        f"CREATE TRIGGER spelling_{event} AFTER {event} ON {{books}} WHEN new.author = '{author}'"
        " BEGIN UPDATE {books} SET title = upper(title) WHERE id = new.id; END"
        for event in ("INSERT", "UPDATE")
    ]
    undo = ["DROP TRIGGER spelling_INSERT", "DROP TRIGGER spelling_UPDATE"]
    with altered(service, make, undo):
        created = user.post(BOOKS, json=book(author=author, title="Kindred"))
        path = f"{BOOKS}/{created.json()['id']}"
        for answer, title in (
            (created, "KINDRED"),
            (user.put(path, json=book(author=author, title="Fledgling")), "FLEDGLING"),
            (user.patch(path, json={"title": "Dawn"}), "DAWN"),
        ):
            assert answer.is_success, answer.text
            assert answer.json()["title"] == title
        assert answer.content == user.get(path).content
