"""Listing authors."""

from sqlalchemy.orm import Session

from app.models import User
from tests.factories import new_book
from tests.fixtures import Client


def test_each_author_is_listed_once(client: Client, session: Session, user: User) -> None:
    names = ["Octavia E. Butler", "Stanisław Lem", "Octavia E. Butler"]
    session.add_all(new_book(user, author=name) for name in names)
    session.commit()

    response = client.get("/api/v1/authors")

    assert response.status_code == 200
    assert response.json == {"items": ["Octavia E. Butler", "Stanisław Lem"]}
