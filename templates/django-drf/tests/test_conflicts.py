"""What the database refuses, told by the constraint that does, and what it makes of a row."""

import pytest
from django.db import connection
from django.db.models import ProtectedError
from rest_framework.test import APIClient

from accounts.models import User
from books.models import Book
from core.conflicts import refusal
from core.serializers import ModelSerializer
from tests.factories import ISBN, book_body, new_book

URL = "/api/v1/books"
UPPER_CASE_TITLES = """
CREATE FUNCTION upper_case() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN NEW.title = upper(NEW.title); RETURN NEW; END $$;
CREATE TRIGGER upper_case BEFORE INSERT OR UPDATE ON books_book
FOR EACH ROW EXECUTE FUNCTION upper_case();
"""


def execute(statements: str) -> None:
    """Tell the database something, once it has checked what it puts off until the commit."""
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute(statements)


def test_a_taken_isbn_is_told_as_such(
    client: APIClient, auth_headers: dict[str, str], user: User
) -> None:
    new_book(user, isbn=ISBN)

    response = client.post(URL, book_body(isbn=ISBN), headers=auth_headers)

    assert response.status_code == 409
    assert response.json()["detail"] == "Another book has this ISBN."


def test_what_else_is_unique_is_not_told_as_an_isbn(
    client: APIClient, auth_headers: dict[str, str], book: Book
) -> None:
    execute("CREATE UNIQUE INDEX ON books_book (title)")

    response = client.post(URL, book_body(title=book.title), headers=auth_headers)

    assert response.status_code == 409
    assert response.json()["detail"] == "Another one has the same values."


def test_a_row_that_another_table_names_is_in_use(
    client: APIClient, auth_headers: dict[str, str], book: Book
) -> None:
    execute("CREATE TABLE orders (book_id bigint REFERENCES books_book)")
    execute("INSERT INTO orders SELECT id FROM books_book")

    response = client.delete(f"{URL}/{book.pk}", headers=auth_headers)

    assert response.status_code == 409
    assert response.json()["detail"] == "It is in use by orders."
    assert client.get(f"{URL}/{book.pk}").status_code == 200


def test_a_row_that_a_model_protects_is_in_use(book: Book, user: User) -> None:
    with pytest.raises(ProtectedError) as caught:
        user.delete()

    answer = refusal(caught.value, "DELETE")

    assert answer is not None
    assert (answer.status_code, answer.detail) == (409, "It is in use by books_book.")


def test_a_reference_to_nothing_is_not_valid(
    client: APIClient, auth_headers: dict[str, str]
) -> None:
    execute("CREATE TABLE known (isbn varchar(13) PRIMARY KEY)")
    execute("ALTER TABLE books_book ADD FOREIGN KEY (isbn) REFERENCES known")

    response = client.post(URL, book_body(isbn=ISBN), headers=auth_headers)

    assert response.status_code == 422
    assert [error["field"] for error in response.json()["errors"]] == ["body"]


def test_another_constraint_that_a_request_breaks_is_a_bug(
    client: APIClient, auth_headers: dict[str, str]
) -> None:
    execute("ALTER TABLE books_book ADD CHECK (title <> 'New')")
    client.raise_request_exception = False

    response = client.post(URL, book_body(title="New"), headers=auth_headers)

    assert response.status_code == 500


@pytest.mark.parametrize("method", ["post", "put", "patch"])
def test_what_is_answered_is_what_the_database_holds(
    client: APIClient, auth_headers: dict[str, str], book: Book, method: str
) -> None:
    execute(UPPER_CASE_TITLES)
    url = URL if method == "post" else f"{URL}/{book.pk}"

    response = getattr(client, method)(url, book_body(title="New"), headers=auth_headers)

    assert response.json()["title"] == "NEW"
    assert client.get(f"{URL}/{response.json()['id']}").json() == response.json()


def test_whether_a_value_is_taken_is_for_the_table_to_tell(user: User) -> None:
    class Serializer(ModelSerializer):
        class Meta:
            model = Book
            fields = ["isbn"]

    new_book(user, isbn=ISBN)

    assert Serializer(data={"isbn": ISBN}).is_valid()
