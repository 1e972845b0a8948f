"""What a write answers, and what it leaves behind, whatever the tables do on their own."""

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from app.models import Book
from tests.factories import book_body
from tests.fixtures import Client

URL = "/api/v1/books"


@pytest.fixture
def _shouting(session: Session) -> None:
    """Have the database change what it is given, as a numeric column rounds."""
    function = (
        "CREATE FUNCTION shout() RETURNS trigger LANGUAGE plpgsql AS"
        " $$BEGIN NEW.title := upper(NEW.title); RETURN NEW; END$$"
    )
    trigger = (
        "CREATE TRIGGER shout BEFORE INSERT OR UPDATE ON books"
        " FOR EACH ROW EXECUTE FUNCTION shout()"
    )
    session.execute(text(function))
    session.execute(text(trigger))


@pytest.mark.usefixtures("_shouting")
@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH"])
def test_what_a_write_answers_is_what_is_stored(
    client: Client, book: Book, auth_headers: dict[str, str], method: str
) -> None:
    path = URL if method == "POST" else f"{URL}/{book.id}"

    written = client.send(method, path, book_body(title="low"), headers=auth_headers)

    assert written.json["title"] == "LOW"
    assert client.get(f"{URL}/{written.json['id']}").body == written.body


def test_a_book_in_use_is_not_deleted(
    client: Client, session: Session, book: Book, auth_headers: dict[str, str]
) -> None:
    session.execute(text("CREATE TABLE loans (book_id bigint REFERENCES books)"))
    session.execute(text("INSERT INTO loans VALUES (:id)"), {"id": book.id})

    response = client.delete(f"{URL}/{book.id}", headers=auth_headers)

    assert (response.status_code, response.json["detail"]) == (409, "It is in use by loans.")
    assert client.get(f"{URL}/{book.id}").status_code == 200


def test_another_unique_value_is_a_conflict(
    client: Client, session: Session, book: Book, auth_headers: dict[str, str]
) -> None:
    session.execute(text("CREATE UNIQUE INDEX ON books (title)"))

    response = client.post_json(URL, book_body(title=book.title), headers=auth_headers)

    assert response.status_code == 409
    assert response.json["detail"] == "Another one has the same values."


def test_a_reference_to_nothing_is_not_valid(
    client: Client, session: Session, book: Book, auth_headers: dict[str, str]
) -> None:
    session.execute(text("CREATE TABLE authors (name text PRIMARY KEY)"))
    reference = (
        "ALTER TABLE books ADD CONSTRAINT fk_books_author"
        " FOREIGN KEY (author) REFERENCES authors NOT VALID"
    )
    session.execute(text(reference))

    response = client.patch_json(f"{URL}/{book.id}", {"author": "None"}, headers=auth_headers)

    assert response.status_code == 422
    assert [error["field"] for error in response.json["errors"]] == ["body.author"]


def test_any_other_constraint_is_a_bug(
    client: Client, session: Session, book: Book, auth_headers: dict[str, str]
) -> None:
    session.execute(text("ALTER TABLE books ADD CHECK (title <> 'No') NOT VALID"))

    response = client.patch_json(f"{URL}/{book.id}", {"title": "No"}, headers=auth_headers)

    assert response.status_code == 500
