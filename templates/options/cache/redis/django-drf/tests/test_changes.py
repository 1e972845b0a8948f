"""What follows a change of a row, whoever makes it: nobody is shown it as it was."""

from contextlib import AbstractContextManager

import pytest
from django.test import TestCase
from rest_framework.test import APIClient

from accounts.authentication import find_user
from accounts.models import User
from books.models import Book
from tests.factories import new_user

ME = "/api/v1/users/me"
BOOKS = "/api/v1/books"


def committed() -> AbstractContextManager[object]:
    """Do at the end of the context what waits for a commit."""
    return TestCase.captureOnCommitCallbacks(execute=True)


def test_a_changed_user_is_known_as_such_at_once(
    client: APIClient, user: User, auth_headers: dict[str, str]
) -> None:
    assert client.get(ME, headers=auth_headers).json()["email"] == user.email

    with committed():
        user.email = "renamed@example.org"
        user.save()

    assert client.get(ME, headers=auth_headers).json()["email"] == "renamed@example.org"


@pytest.mark.parametrize("leave", ["delete", "deactivate"])
def test_a_user_who_has_left_is_known_no_more(
    client: APIClient, user: User, auth_headers: dict[str, str], leave: str
) -> None:
    assert client.get(ME, headers=auth_headers).status_code == 200

    with committed():
        if leave == "delete":
            user.delete()
        else:
            user.is_active = False
            user.save()

    assert client.get(ME, headers=auth_headers).status_code == 401


def test_what_is_not_kept_of_a_user_is_read_when_it_is_asked_for(client: APIClient) -> None:
    user = new_user("editor@example.org", is_staff=True)

    known = [find_user(user.pk) for _ in range(2)]

    assert [found and (found.is_staff, found.created_at) for found in known] == [
        (True, user.created_at)
    ] * 2


def test_a_changed_book_is_shown_as_such_at_once(client: APIClient, book: Book) -> None:
    url = f"{BOOKS}/{book.pk}"
    for path in (url, BOOKS):
        client.get(path)
    assert client.get(url).headers["X-Cache"] == "hit"

    with committed():
        book.title = "New"
        book.save()

    assert client.get(url).json()["title"] == "New"
    assert client.get(BOOKS).json()["items"][0]["title"] == "New"
