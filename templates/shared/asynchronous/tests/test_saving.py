"""What a write answers, and what it leaves behind, whatever the tables do on their own."""

import pytest
from httpx import AsyncClient
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from app.models import Book
from tests.factories import book_body

URL = "/api/v1/books"


@pytest.fixture
async def _shouting(session: AsyncSession) -> None:
    """Have the database change what it is given, as a numeric column rounds."""
    function = (
        "CREATE FUNCTION shout() RETURNS trigger LANGUAGE plpgsql AS"
        " $$BEGIN NEW.title := upper(NEW.title); RETURN NEW; END$$"
    )
    trigger = (
        "CREATE TRIGGER shout BEFORE INSERT OR UPDATE ON books"
        " FOR EACH ROW EXECUTE FUNCTION shout()"
    )
    await session.execute(text(function))
    await session.execute(text(trigger))
    await session.commit()


@pytest.mark.usefixtures("_shouting")
@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH"])
async def test_what_a_write_answers_is_what_is_stored(
    client: AsyncClient, book: Book, auth_headers: dict[str, str], method: str
) -> None:
    path = URL if method == "POST" else f"{URL}/{book.id}"

    written = await client.request(method, path, json=book_body(title="low"), headers=auth_headers)

    assert written.json()["title"] == "LOW"
    read = await client.get(f"{URL}/{written.json()['id']}")
    assert read.json() == written.json()


async def test_a_book_in_use_is_not_deleted(
    client: AsyncClient, session: AsyncSession, book: Book, auth_headers: dict[str, str]
) -> None:
    await session.execute(text("CREATE TABLE loans (book_id bigint REFERENCES books (id))"))
    await session.execute(text("INSERT INTO loans VALUES (:id)"), {"id": book.id})
    await session.commit()

    response = await client.delete(f"{URL}/{book.id}", headers=auth_headers)

    assert (response.status_code, response.json()["detail"]) == (409, "It is in use by loans.")
    assert (await client.get(f"{URL}/{book.id}")).status_code == 200


async def test_another_unique_value_is_a_conflict(
    client: AsyncClient, session: AsyncSession, book: Book, auth_headers: dict[str, str]
) -> None:
    await session.execute(text("CREATE UNIQUE INDEX ON books (title)"))
    await session.commit()

    response = await client.post(URL, json=book_body(title=book.title), headers=auth_headers)

    assert response.status_code == 409
    assert response.json()["detail"] == "Another one has the same values."


async def test_a_reference_to_nothing_is_not_valid(
    client: AsyncClient, session: AsyncSession, book: Book, auth_headers: dict[str, str]
) -> None:
    await session.execute(text("CREATE TABLE authors (name text PRIMARY KEY)"))
    reference = (
        "ALTER TABLE books ADD CONSTRAINT fk_books_author"
        " FOREIGN KEY (author) REFERENCES authors NOT VALID"
    )
    await session.execute(text(reference))
    await session.commit()

    response = await client.patch(f"{URL}/{book.id}", json={"author": "None"}, headers=auth_headers)

    assert response.status_code == 422
    assert [error["field"] for error in response.json()["errors"]] == ["body.author"]


async def test_any_other_constraint_is_a_bug(
    client: AsyncClient, session: AsyncSession, book: Book, auth_headers: dict[str, str]
) -> None:
    await session.execute(text("ALTER TABLE books ADD CHECK (title <> 'No') NOT VALID"))
    await session.commit()

    response = await client.patch(f"{URL}/{book.id}", json={"title": "No"}, headers=auth_headers)

    assert response.status_code == 500
