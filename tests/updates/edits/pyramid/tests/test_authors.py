"""Listing authors."""

from app.models import User
from tests.factories import new_book
from tests.fixtures import Client, Save


def test_each_author_is_listed_once(client: Client, save: Save, user: User) -> None:
    names = ["Octavia E. Butler", "Stanisław Lem", "Octavia E. Butler"]
    save(*(new_book(user, author=name) for name in names))

    response = client.get("/api/v1/authors")

    assert response.status_code == 200
    assert response.json == {"items": ["Octavia E. Butler", "Stanisław Lem"]}
