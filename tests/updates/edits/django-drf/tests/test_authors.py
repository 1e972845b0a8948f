"""Listing authors."""

from rest_framework.test import APIClient

from accounts.models import User
from tests.factories import new_book


def test_each_author_is_listed_once(client: APIClient, user: User) -> None:
    for name in ["Octavia E. Butler", "Stanisław Lem", "Octavia E. Butler"]:
        new_book(user, author=name)

    response = client.get("/api/v1/authors")

    assert response.status_code == 200
    assert response.json() == {"items": ["Octavia E. Butler", "Stanisław Lem"]}
