"""Listing books: pages, filters, order."""

import gc
import re
import tracemalloc
from datetime import UTC, date, datetime

import pytest
from webtest import TestResponse

from app.models import User
from tests.factories import new_book
from tests.fixtures import Client, Save

URL = "/api/v1/books"


@pytest.fixture(autouse=True)
def _catalogue(save: Save, user: User) -> None:
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
        save(  # one by one: ids in this order
            new_book(
                user,
                title=title,
                author=author,
                publication_date=published,
                created_at=created_at,
            )
        )


def titles(client: Client, **parameters: str | int) -> list[str]:
    response = client.get(URL, params=parameters)
    assert response.status_code == 200
    return [item["title"] for item in response.json["items"]]


def links(response: TestResponse) -> dict[str, str]:
    """Return the URLs of the `Link` header by what they lead to."""
    found = re.findall(r'<([^>]+)>; rel="(\w+)"', response.headers["Link"])
    return {rel: url for url, rel in found}


def test_the_newest_come_first(client: Client) -> None:
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
def test_ties_are_ordered_by_id(client: Client, ordering: str, expected: list[str]) -> None:
    assert titles(client, ordering=ordering) == expected


def test_descending_is_the_reverse_of_ascending(client: Client) -> None:
    assert titles(client, ordering="title")[::-1] == titles(client, ordering="-title")


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
    client: Client, parameter: str, value: str, expected: set[str]
) -> None:
    assert set(titles(client, **{parameter: value})) == expected


def test_an_empty_filter_is_none(client: Client) -> None:
    assert len(titles(client, search="", author="")) == 5


@pytest.mark.parametrize("query", ["search=emma;search=x", "search=e%2"])
def test_a_query_is_read_as_browsers_write_it(client: Client, query: str) -> None:
    assert client.get(f"{URL}?{query}").json["items"] == []


def test_filters_add_up(client: Client) -> None:
    found = titles(client, author="Jane Austen", published_from="1816-01-01", search="u")

    assert found == ["Persuasion"]


def test_a_page_tells_where_it_is(client: Client) -> None:
    page = client.get(URL, params={"page": 2, "page_size": 2}).json

    assert [item["title"] for item in page.pop("items")] == ["100% Wool", "Persuasion"]
    assert page == {"page": 2, "page_size": 2, "total": 5, "pages": 3}


def test_links_lead_to_the_pages_around(client: Client) -> None:
    response = client.get(URL, params={"search": "o", "page": 2, "page_size": 1})

    followed = {rel: client.get(url).json for rel, url in links(response).items()}

    pages = {rel: page["page"] for rel, page in followed.items()}
    assert pages == {"first": 1, "prev": 1, "next": 3, "last": 4}
    assert {page["total"] for page in followed.values()} == {4}


def test_the_first_page_has_no_previous_and_the_last_no_next(client: Client) -> None:
    first = client.get(URL, params={"page_size": 3})
    last = client.get(URL, params={"page_size": 3, "page": 2})

    assert set(links(first)) == {"first", "next", "last"}
    assert set(links(last)) == {"first", "prev", "last"}


def test_a_page_past_the_end_is_empty(client: Client) -> None:
    response = client.get(URL, params={"page": 2**70})

    assert response.status_code == 200
    assert response.json["items"] == []
    assert response.json["total"] == 5


@pytest.mark.parametrize(
    ("parameter", "value"),
    [
        ("page", "0"),
        ("page", "x"),
        ("page", "+1"),
        ("page", "1_0"),
        ("page", "\u0661"),
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
def test_a_bad_parameter_is_named(client: Client, parameter: str, value: str) -> None:
    response = client.get(URL, params={parameter: value})

    assert response.status_code == 422
    assert [error["field"] for error in response.json["errors"]] == [f"query.{parameter}"]


def test_a_parameter_that_is_given_twice_is_named(client: Client) -> None:
    response = client.get(f"{URL}?search=a&page=1&search=a")

    assert response.status_code == 422
    assert [error["field"] for error in response.json["errors"]] == ["query.search"]


def test_what_is_known_of_a_query_is_good_for_no_other(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.openapi.REMEMBERED", 1)

    for _ in range(2):
        assert titles(client, search="emma") == ["Emma"]
        assert titles(client, search="persuasion") == ["Persuasion"]
        assert client.get(URL, params={"page": 0}).status_code == 422


def test_long_queries_are_not_remembered(client: Client) -> None:
    client.get(URL)
    tracemalloc.start()

    for number in range(100):
        assert client.get(URL, params={"unknown": f"{number:0100000}"}).status_code == 200

    gc.collect()  # a request and its session know each other
    kept, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert kept < 5_000_000  # bytes, of the 10 million that were sent
