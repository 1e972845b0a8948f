"""Listing books: pages, filters, order."""

import re
from datetime import UTC, date, datetime
from typing import Any

import pytest
from django.http import QueryDict
from rest_framework.test import APIClient

from accounts.models import User
from books.models import Book
from core.filters import BooleanFilter, FilterSet
from tests.factories import new_book

URL = "/api/v1/books"


@pytest.fixture(autouse=True)
def _catalogue(user: User) -> None:
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
        book = new_book(user, title=title, author=author, publication_date=published)
        Book.objects.filter(pk=book.pk).update(created_at=created_at)


def titles(client: APIClient, **parameters: str | int) -> list[str]:
    response = client.get(URL, parameters)
    assert response.status_code == 200
    return [item["title"] for item in response.json()["items"]]


def links(response: Any) -> dict[str, str]:
    """Return the URLs of the `Link` header by what they lead to."""
    found = re.findall(r'<([^>]+)>; rel="(\w+)"', response.headers["Link"])
    return {rel: url for url, rel in found}


def test_the_newest_come_first(client: APIClient) -> None:
    assert titles(client) == ["1000 Wools", "snake_case", "100% Wool", "Persuasion", "Emma"]


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
def test_ties_are_ordered_by_id(client: APIClient, ordering: str, expected: list[str]) -> None:
    assert titles(client, ordering=ordering) == expected


def test_descending_is_the_reverse_of_ascending(client: APIClient) -> None:
    assert (titles(client, ordering="title"))[::-1] == titles(client, ordering="-title")


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
def test_a_filter_narrows_the_list(
    client: APIClient, parameter: str, value: str, expected: set[str]
) -> None:
    assert set(titles(client, **{parameter: value})) == expected


def test_filters_add_up(client: APIClient) -> None:
    found = titles(client, author="Jane Austen", published_from="1816-01-01", search="u")

    assert found == ["Persuasion"]


def test_a_page_tells_where_it_is(client: APIClient) -> None:
    page = client.get(URL, {"page": 2, "page_size": 2}).json()

    assert [item["title"] for item in page.pop("items")] == ["100% Wool", "Persuasion"]
    assert page == {"page": 2, "page_size": 2, "total": 5, "pages": 3}


def test_links_lead_to_the_pages_around(client: APIClient) -> None:
    response = client.get(f"{URL}?search=o&page=2&page_size=1")

    followed = {rel: client.get(url).json() for rel, url in links(response).items()}

    pages = {rel: page["page"] for rel, page in followed.items()}
    assert pages == {"first": 1, "prev": 1, "next": 3, "last": 4}
    assert {page["total"] for page in followed.values()} == {4}


def test_the_first_page_has_no_previous_and_the_last_no_next(client: APIClient) -> None:
    first = client.get(URL, {"page_size": 3})
    last = client.get(URL, {"page_size": 3, "page": 2})

    assert set(links(first)) == {"first", "next", "last"}
    assert set(links(last)) == {"first", "prev", "last"}


def test_a_page_past_the_end_is_empty(client: APIClient) -> None:
    response = client.get(URL, {"page": 2**70})

    assert response.status_code == 200
    assert response.json()["items"] == []
    assert response.json()["total"] == 5


@pytest.mark.parametrize(
    ("parameter", "value"),
    [
        ("page", "0"),
        ("page", "x"),
        ("page_size", "0"),
        ("page_size", "101"),
        ("page_size", "1_0"),
        ("page_size", "\u0661"),
        ("published_from", "2000-13-01"),
        ("published_to", "yesterday"),
        ("ordering", "isbn"),
        ("ordering", ""),
        ("search", "\0"),
        ("author", "\0"),
    ],
)
def test_a_bad_parameter_is_named(client: APIClient, parameter: str, value: str) -> None:
    response = client.get(URL, {parameter: value})

    assert response.status_code == 422
    assert [error["field"] for error in response.json()["errors"]] == [f"query.{parameter}"]


def test_a_parameter_may_not_be_given_twice(client: APIClient) -> None:
    response = client.get(f"{URL}?search=a&unknown=1&page_size=x&search=a&unknown=2")

    assert response.status_code == 422
    fields = [error["field"] for error in response.json()["errors"]]
    assert fields == ["query.page_size", "query.search"]


def test_a_query_is_utf_8(client: APIClient) -> None:
    assert client.get(f"{URL}?unknown=%FF").status_code == 400


def test_a_boolean_is_a_parameter_as_well() -> None:
    class Filter(FilterSet):
        active = BooleanFilter("creator__is_active")

    def found(query: str) -> int:
        return Filter(QueryDict(query), Book.objects.all()).qs.count()

    assert [found(""), found("active=true"), found("active=false")] == [5, 5, 0]
    for query in ("active=yes", "active=", "active=true&active=true"):
        assert not Filter(QueryDict(query), Book.objects.all()).is_valid()
