"""Listing books: pages, filters, order."""

from datetime import UTC, date, datetime

import pytest
from httpx import AsyncClient
from sqlalchemy.ext.asyncio import AsyncSession

from app.models import User
from tests.factories import new_book

URL = "/api/v1/books"


@pytest.fixture(autouse=True)
async def _catalogue(session: AsyncSession, user: User) -> None:
    """Five books, of which the last two were created in the same moment."""
    books = [
        ("Emma", "Jane Austen", date(1815, 12, 23)),
        ("Persuasion", "Jane Austen", date(1817, 12, 20)),
        ("100% Wool", "A. Knitter", date(1999, 1, 1)),
        ("1000 Wools", "A. Knitter", date(2000, 1, 1)),
        ("snake_case", "D. Veloper", date(2000, 1, 1)),
    ]
    for number, (title, author, published) in enumerate(books):
        created_at = datetime(2026, 1, 1, min(number, 3), tzinfo=UTC)
        session.add(
            new_book(
                user,
                title=title,
                author=author,
                publication_date=published,
                created_at=created_at,
            )
        )
        await session.flush()  # ids in this order
    await session.commit()


async def titles(client: AsyncClient, **parameters: str | int) -> list[str]:
    response = await client.get(URL, params=parameters)
    assert response.status_code == 200
    return [item["title"] for item in response.json()["items"]]


async def test_the_newest_come_first(client: AsyncClient) -> None:
    assert await titles(client) == ["1000 Wools", "snake_case", "100% Wool", "Persuasion", "Emma"]


@pytest.mark.parametrize(
    ("ordering", "expected"),
    [
        ("author", ["100% Wool", "1000 Wools", "snake_case", "Emma", "Persuasion"]),
        ("-author", ["Emma", "Persuasion", "snake_case", "100% Wool", "1000 Wools"]),
        ("publication_date", ["Emma", "Persuasion", "100% Wool", "1000 Wools", "snake_case"]),
        ("-publication_date", ["1000 Wools", "snake_case", "100% Wool", "Persuasion", "Emma"]),
        ("created_at", ["Emma", "Persuasion", "100% Wool", "1000 Wools", "snake_case"]),
    ],
)
async def test_ties_are_ordered_by_id(
    client: AsyncClient, ordering: str, expected: list[str]
) -> None:
    assert await titles(client, ordering=ordering) == expected


async def test_descending_is_the_reverse_of_ascending(client: AsyncClient) -> None:
    assert (await titles(client, ordering="title"))[::-1] == await titles(client, ordering="-title")


@pytest.mark.parametrize(
    ("parameter", "value", "expected"),
    [
        ("author", "jane AUSTEN", {"Emma", "Persuasion"}),
        ("author", "austen", set()),
        ("published_from", "1999-01-01", {"100% Wool", "1000 Wools", "snake_case"}),
        ("published_to", "1817-12-20", {"Emma", "Persuasion"}),
        ("search", "EMMA", {"Emma"}),
        ("search", "veloper", {"snake_case"}),
        ("search", "0%", {"100% Wool"}),
        ("search", "_", {"snake_case"}),
        ("search", "\\", set()),
    ],
)
async def test_a_filter_narrows_the_list(
    client: AsyncClient, parameter: str, value: str, expected: set[str]
) -> None:
    assert set(await titles(client, **{parameter: value})) == expected


async def test_an_empty_term_is_as_none(client: AsyncClient) -> None:
    response = await client.get(URL, params={"search": "", "author": ""})

    assert response.json()["total"] == 5
    assert "search" not in response.headers["Link"]


async def test_filters_add_up(client: AsyncClient) -> None:
    found = await titles(client, author="Jane Austen", published_from="1816-01-01", search="u")

    assert found == ["Persuasion"]


async def test_a_page_tells_where_it_is(client: AsyncClient) -> None:
    page = (await client.get(URL, params={"page": 2, "page_size": 2})).json()

    assert [item["title"] for item in page.pop("items")] == ["100% Wool", "Persuasion"]
    assert page == {"page": 2, "page_size": 2, "total": 5, "pages": 3}


async def test_links_lead_to_the_pages_around(client: AsyncClient) -> None:
    response = await client.get(URL, params={"search": "o", "page": 2, "page_size": 1})

    followed = {rel: (await client.get(link["url"])).json() for rel, link in response.links.items()}

    pages = {rel: page["page"] for rel, page in followed.items()}
    assert pages == {"first": 1, "prev": 1, "next": 3, "last": 4}
    assert {page["total"] for page in followed.values()} == {4}


async def test_the_first_page_has_no_previous_and_the_last_no_next(client: AsyncClient) -> None:
    first = await client.get(URL, params={"page_size": 3})
    last = await client.get(URL, params={"page_size": 3, "page": 2})

    assert set(first.links) == {"first", "next", "last"}
    assert set(last.links) == {"first", "prev", "last"}


async def test_a_page_past_the_end_is_empty(client: AsyncClient) -> None:
    response = await client.get(URL, params={"page": 2**70})

    assert response.status_code == 200
    assert response.json()["items"] == []
    assert response.json()["total"] == 5


@pytest.mark.parametrize(
    ("parameter", "value"),
    [
        ("page", "0"),
        ("page", "x"),
        ("page", "+1"),
        ("page", ["1", "1"]),
        ("page_size", "0"),
        ("page_size", "101"),
        ("published_from", "2000-13-01"),
        ("published_to", "yesterday"),
        ("ordering", "isbn"),
        ("ordering", ""),
        ("search", "\0"),
        ("author", "\0"),
    ],
)
async def test_a_bad_parameter_is_named(
    client: AsyncClient, parameter: str, value: str | list[str]
) -> None:
    response = await client.get(URL, params={parameter: value})

    assert response.status_code == 422
    assert [error["field"] for error in response.json()["errors"]] == [f"query.{parameter}"]
