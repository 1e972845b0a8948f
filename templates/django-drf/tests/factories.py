"""Rows and bodies to test with; what a test does not care about has a default."""

from datetime import date
from typing import Any
from urllib.parse import urlencode

from django.contrib.auth.hashers import make_password

from accounts.models import User
from accounts.tokens import access_token
from books.models import Book

PASSWORD = "correct horse battery staple"
PASSWORD_HASH = make_password(PASSWORD)  # once: it takes its time, by design
ISBN = "9780441478125"


def new_user(email: str, **fields: Any) -> User:
    """Return a user, stored, whose password is `PASSWORD`."""
    return User.objects.create(email=email, password=PASSWORD_HASH, **fields)


def new_book(creator: User, **fields: Any) -> Book:
    """Return a book of this creator, stored."""
    defaults = {
        "title": "The Left Hand of Darkness",
        "author": "Ursula K. Le Guin",
        "publication_date": date(1969, 3, 1),
    }
    return Book.objects.create(**{**defaults, **fields}, creator=creator)


def book_body(**fields: Any) -> dict[str, Any]:
    """Return the JSON with which a book is created."""
    defaults = {
        "title": "The Dispossessed",
        "author": "Ursula K. Le Guin",
        "publication_date": "1974-05-01",
    }
    return {**defaults, **fields}


def as_form(fields: dict[str, Any]) -> dict[str, Any]:
    """Return what to call a client with for these fields to be sent as a form."""
    data = urlencode(fields, doseq=True)
    return {"data": data, "content_type": "application/x-www-form-urlencoded"}


def bearer(user: User) -> dict[str, str]:
    """Return the headers of a request by this user."""
    return {"Authorization": f"Bearer {access_token(user.pk)}"}
