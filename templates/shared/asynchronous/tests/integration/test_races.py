"""Requests at the same time, on connections of their own."""

import asyncio

from httpx import AsyncClient

from app.models import Book, User
from tests.factories import ISBN, PASSWORD, book_body

URL = "/api/v1/books"


async def test_of_two_creators_with_one_isbn_one_wins(
    client: AsyncClient, auth_headers: dict[str, str]
) -> None:
    body = book_body(isbn=ISBN)

    responses = await asyncio.gather(
        *(client.post(URL, json=body, headers=auth_headers) for _ in range(4))
    )

    assert sorted(response.status_code for response in responses) == [201, 409, 409, 409]


async def test_of_two_writers_with_one_if_match_one_wins(
    client: AsyncClient, auth_headers: dict[str, str], book: Book
) -> None:
    etag = (await client.get(f"{URL}/{book.id}")).headers["ETag"]
    headers = {**auth_headers, "If-Match": etag}

    responses = await asyncio.gather(
        *(
            client.patch(f"{URL}/{book.id}", json={"title": title}, headers=headers)
            for title in "abcd"
        )
    )

    assert sorted(response.status_code for response in responses) == [200, 412, 412, 412]


async def test_of_two_uses_of_a_refresh_token_one_wins(client: AsyncClient, user: User) -> None:
    form = {"grant_type": "password", "username": user.email, "password": PASSWORD}
    tokens = (await client.post("/api/v1/auth/token", data=form)).json()
    form = {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"]}

    responses = await asyncio.gather(
        *(client.post("/api/v1/auth/token", data=form) for _ in range(4))
    )

    assert sorted(response.status_code for response in responses) == [200, 400, 400, 400]
