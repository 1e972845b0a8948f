"""Rows and bodies to test with; what a test does not care about has a default."""

from datetime import date
from typing import Any

from app.models import Book, User
from app.security import create_access_token, hash_password

PASSWORD = "correct horse battery staple"
PASSWORD_HASH = hash_password(PASSWORD).result()  # once: it takes its time, by design
ISBN = "9780441478125"

DATABASE_OUT_OF_REACH = "postgresql://nobody@127.0.0.1:1/nothing"


def new_user(email: str) -> User:
    """Return a user whose password is `PASSWORD`."""
    return User(email=email, password_hash=PASSWORD_HASH)


def new_book(creator: User, **fields: Any) -> Book:
    """Return a book of this creator, who has an id already."""
    defaults = {
        "title": "The Left Hand of Darkness",
        "author": "Ursula K. Le Guin",
        "publication_date": date(1969, 3, 1),
    }
    return Book(**{**defaults, **fields}, creator_id=creator.id)


def book_body(**fields: Any) -> dict[str, Any]:
    """Return the JSON with which a book is created."""
    defaults = {
        "title": "The Dispossessed",
        "author": "Ursula K. Le Guin",
        "publication_date": "1974-05-01",
    }
    return {**defaults, **fields}


def bearer(user: User) -> dict[str, str]:
    """Return the headers of a request by this user."""
    return {"Authorization": f"Bearer {create_access_token(user.id)}"}
