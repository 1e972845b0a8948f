"""Listing authors."""

from httpx import AsyncClient
from sqlalchemy.ext.asyncio import AsyncSession

from app.models import User
from tests.factories import new_book


async def test_each_author_is_listed_once(
    client: AsyncClient, session: AsyncSession, user: User
) -> None:
    names = ["Octavia E. Butler", "Stanisław Lem", "Octavia E. Butler"]
    session.add_all(new_book(user, author=name) for name in names)
    await session.commit()

    response = await client.get("/api/v1/authors")

    assert response.status_code == 200
    assert response.json() == {"items": ["Octavia E. Butler", "Stanisław Lem"]}
