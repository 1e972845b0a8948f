"""The list of books: pages, links, filters and order."""

import re
import secrets
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from .client import BOOKS, book, invalid_fields, page_of
from .smoke import some

Make = Callable[..., dict[str, Any]]
TRUE_STORY = "100% true_story \\o/"


@pytest.fixture(scope="module")
def shelf(user: httpx.Client) -> dict[str, Any]:
    """Seven books of a series of their own, with ties in every field that orders them."""
    series = secrets.token_hex(6)
    authors = [f"{name} {series}" for name in ("Ann Leckie", "Zoé Émond", "N. K. Jemisin")]
    rows = [
        (f"{series} B", authors[0], "2013-10-01"),
        (f"{series} A", authors[1], "1885-03-02"),
        (f"{series} C", authors[0], "2013-10-01"),
        (f"{series} A", authors[2], "2015-08-04"),
        (f"{series} D", authors[2], "2015-08-05"),
        (f"{series} {TRUE_STORY}", authors[0], "2016-08-18"),
        (f"{series} 100 per cent trueXstory", authors[1], "2016-08-18"),
    ]
    books = []
    for title, author, day in rows:
        response = user.post(BOOKS, json=book(title=title, author=author, publication_date=day))
        assert response.status_code == 201
        books.append(response.json())
    return {"series": series, "authors": authors, "books": books}


def links(response: httpx.Response) -> dict[str, httpx.URL]:
    """Read the `Link` headers of RFC 8288: each relation with the address it leads to."""
    found = {}
    for value in response.headers.get_list("Link"):
        for target, rel in re.findall(r'<([^>]*)>\s*;\s*rel="?([a-z]+)"?', value):
            assert rel not in found
            found[rel] = response.url.join(target)
    return found


def titles(client: httpx.Client, series: str, **parameters: Any) -> list[str]:
    """Return the titles found, in order, without the series that they share."""
    items = page_of(client, search=series, ordering="title", **parameters)
    return [item["title"].removeprefix(f"{series} ") for item in items]


@pytest.mark.smoke
def test_a_page_says_where_it_is(anonymous: httpx.Client, shelf: dict[str, Any]) -> None:
    """The list is 200 `{"items", "page", "page_size", "total", "pages"}`."""
    response = anonymous.get(BOOKS, params={"search": shelf["series"], "page_size": 3})
    assert response.status_code == 200
    body = response.json()
    assert {*body} == {"items", "page", "page_size", "total", "pages"}
    assert len(body.pop("items")) == 3
    assert body == {"page": 1, "page_size": 3, "total": 7, "pages": 3}


def test_items_are_whole_books(anonymous: httpx.Client, shelf: dict[str, Any]) -> None:
    """Every item is a book as `GET /api/v1/books/{id}` has it."""
    items = page_of(anonymous, search=shelf["series"])
    assert sorted(items, key=lambda item: item["id"]) == shelf["books"]


def test_a_page_has_20_books_by_default(anonymous: httpx.Client, make_book: Make) -> None:
    """`page` is 1 and `page_size` 20 when they are not given."""
    series = secrets.token_hex(6)
    for _ in range(21):
        make_book(author=series)
    body = anonymous.get(BOOKS, params={"author": series}).json()
    assert (body["page"], body["page_size"]) == (1, 20)
    assert (len(body["items"]), body["total"], body["pages"]) == (20, 21, 2)


@pytest.mark.parametrize("size", [1, 100])
def test_a_page_has_1_to_100_books(
    anonymous: httpx.Client, shelf: dict[str, Any], size: int
) -> None:
    """`page_size` goes from 1 to 100."""
    parameters = {"search": shelf["series"], "page_size": size}
    body = anonymous.get(BOOKS, params=parameters).json()
    assert (body["page_size"], len(body["items"])) == (size, min(size, 7))


@pytest.mark.parametrize(
    ("parameter", "value"),
    [
        ("page", "0"),
        ("page", "-1"),
        ("page", "1.5"),
        ("page", "one"),
        ("page", ""),
        ("page", "+1"),
        ("page", "1_0"),
        ("page", " 1"),
        ("page", "\N{ARABIC-INDIC DIGIT ONE}"),
        ("published_from", ""),
        ("page_size", "0"),
        ("page_size", "101"),
        ("page_size", "-1"),
        ("page_size", "all"),
        ("published_from", "2023-02-29"),
        ("published_from", "20230105"),
        ("published_from", "1672876800"),
        ("published_to", "yesterday"),
        ("published_to", "2023-01-05T00:00:00"),
        ("ordering", "isbn"),
        ("ordering", "--title"),
        ("ordering", "title,author"),
        ("ordering", "Title"),
        ("ordering", "password_hash"),
    ],
)
def test_a_bad_parameter_is_named(anonymous: httpx.Client, parameter: str, value: str) -> None:
    """A list parameter outside its range or form is 422, and the answer names it."""
    response = anonymous.get(BOOKS, params={parameter: value})
    assert invalid_fields(response) == {f"query.{parameter}"}


@pytest.mark.parametrize("parameter", ["page", "author", "search", "ordering", "published_to"])
def test_a_parameter_is_given_once(anonymous: httpx.Client, parameter: str) -> None:
    """422 for one that is given twice, also with the same value."""
    value = {"ordering": "title", "published_to": "2023-01-05"}.get(parameter, "1")
    response = anonymous.get(BOOKS, params=[(parameter, value)] * 2)
    assert invalid_fields(response) == {f"query.{parameter}"}


def test_what_is_unknown_or_empty_asks_for_nothing(
    anonymous: httpx.Client, shelf: dict[str, Any]
) -> None:
    """A parameter that nobody knows is ignored, and so is an empty `search` or `author`."""
    query = [("search", shelf["series"]), ("page_size", 3)]
    expected = anonymous.get(BOOKS, params=query)
    more = [("author", ""), ("colour", "blue"), ("colour", "red"), ("Page", "2")]
    response = anonymous.get(BOOKS, params=query + more)
    assert (response.status_code, response.json()) == (200, expected.json())
    assert response.headers["Link"] == expected.headers["Link"]
    assert "search" not in anonymous.get(BOOKS, params={"search": ""}).headers["Link"]


def test_a_page_past_the_end_is_empty(anonymous: httpx.Client, shelf: dict[str, Any]) -> None:
    """A page past the end is an empty `items`, not an error."""
    parameters = {"search": shelf["series"], "page_size": 3, "page": 4}
    response = anonymous.get(BOOKS, params=parameters)
    assert response.status_code == 200
    assert response.json() == {"items": [], "page": 4, "page_size": 3, "total": 7, "pages": 3}


def test_no_books_are_no_pages(anonymous: httpx.Client) -> None:
    """A list of nothing is 200, an empty `items`."""
    body = anonymous.get(BOOKS, params={"author": secrets.token_hex(8)}).json()
    assert body == {"items": [], "page": 1, "page_size": 20, "total": 0, "pages": 0}


def test_pages_hold_every_book_once(anonymous: httpx.Client, shelf: dict[str, Any]) -> None:
    """The pages together hold each book once, also where the order has ties."""
    parameters = {"search": shelf["series"], "ordering": "author", "page_size": 2}
    pages = [page_of(anonymous, page=number, **parameters) for number in range(1, 5)]
    ids = [item["id"] for page in pages for item in page]
    assert sorted(ids) == [item["id"] for item in shelf["books"]]


@pytest.mark.parametrize(
    ("page", "expected"),
    [
        (1, {"first": 1, "next": 2, "last": 3}),
        pytest.param(2, {"first": 1, "prev": 1, "next": 3, "last": 3}, marks=pytest.mark.smoke),
        (3, {"first": 1, "prev": 2, "last": 3}),
    ],
)
def test_links_lead_to_the_other_pages(
    anonymous: httpx.Client, shelf: dict[str, Any], page: int, expected: dict[str, int]
) -> None:
    """`Link` has `first`, `prev`, `next` and `last`, but none that leads nowhere."""
    parameters = {"search": shelf["series"], "page_size": 3, "page": page}
    found = links(anonymous.get(BOOKS, params=parameters))
    assert {rel: int(url.params["page"]) for rel, url in found.items()} == expected


def test_links_keep_the_other_parameters(anonymous: httpx.Client, shelf: dict[str, Any]) -> None:
    """A link leads to a page of the same list: the filters and the order stay."""
    parameters = {
        "search": f"{shelf['series']} 100% true",
        "author": shelf["authors"][0],
        "published_from": "1900-01-01",
        "published_to": "2100-01-01",
        "ordering": "-title",
        "page_size": "1",
        "page": "2",
    }
    for url in links(anonymous.get(BOOKS, params=parameters)).values():
        query = parse_qs(urlsplit(str(url)).query, keep_blank_values=True)
        assert {key: value for key, [value] in query.items()} | {"page": "2"} == parameters


def test_following_next_reads_the_whole_list(
    anonymous: httpx.Client, shelf: dict[str, Any]
) -> None:
    """From the first page, `next` after `next` leads through the whole list and ends."""
    response = anonymous.get(BOOKS, params={"search": shelf["series"], "page_size": 2})
    ids = [item["id"] for item in response.json()["items"]]
    while following := links(response).get("next"):
        response = anonymous.get(following)
        ids += [item["id"] for item in response.json()["items"]]
        assert len(ids) <= 7
    assert sorted(ids) == [item["id"] for item in shelf["books"]]


@pytest.mark.parametrize("spell", [str, str.upper, str.lower], ids=["same", "upper", "lower"])
@pytest.mark.parametrize("author", [0, 1], ids=["ascii", "accented"])
def test_an_author_is_found_in_any_case(
    anonymous: httpx.Client, shelf: dict[str, Any], author: int, spell: Callable[[str], str]
) -> None:
    """`author` is case-insensitive, in every alphabet."""
    name = shelf["authors"][author]
    items = page_of(anonymous, author=spell(name))
    assert {item["author"] for item in items} == {name}
    assert len(items) == sum(item["author"] == name for item in shelf["books"])


def test_an_author_is_matched_whole(anonymous: httpx.Client, shelf: dict[str, Any]) -> None:
    """`author` is the whole name: neither a part of it nor a pattern."""
    name = shelf["authors"][0]
    for part in (name[:-1], name[1:], f"%{name[1:]}", f"_{name[1:]}", f"{name[:-1]}%"):
        assert page_of(anonymous, author=part) == []


@pytest.mark.smoke
def test_search_finds_a_part_of_title_or_author(
    anonymous: httpx.Client, shelf: dict[str, Any]
) -> None:
    """`search` is a case-insensitive part of the title or the author."""
    series = shelf["series"]
    assert len(page_of(anonymous, search=f"leckie {series}")) == 3
    assert titles(anonymous, f"{series} 100 PER") == [f"{series} 100 per cent trueXstory"]
    assert page_of(anonymous, search=f"leckie {series} B") == []


def test_search_knows_every_alphabet(anonymous: httpx.Client, shelf: dict[str, Any]) -> None:
    """`search` is case-insensitive beyond ASCII too."""
    assert len(page_of(anonymous, search=f"zOÉ éMOND {shelf['series']}")) == 2


@pytest.mark.parametrize(
    ("name", "spelling"),
    [
        ("Οδυσσεύς", "ΟΔΥΣΣΕΎΣ"),
        ("ΟΔΥΣΣΕΎΣ", "οδυσσεύσ"),
        ("Достоевский", "ДОСТОЕВСКИЙ"),
        ("Straße", "STRASSE"),
        ("İnci", "İNCI"),
        ("ılık", "ILIK"),
        ("ﬁn", "FIN"),
    ],
)
def test_case_is_as_unicode_has_it(
    anonymous: httpx.Client, make_book: Make, name: str, spelling: str
) -> None:
    """Two texts are alike that are in Unicode's full upper case, which no language changes.

    That is so for `author` and `search`, whatever the locale of the database: here it has none.
    """
    series = secrets.token_hex(6)
    created = make_book(title=f"Of {name} {series}", author=f"{name} {series}")
    assert page_of(anonymous, author=f"{spelling} {series}") == [created]
    for part in (f"{spelling} {series}", f"OF {spelling}"):
        assert created in page_of(anonymous, search=part)


@pytest.mark.database("mysql", "mariadb")
def test_a_letter_of_several_capitals_is_found_as_it_is(
    anonymous: httpx.Client, make_book: Make
) -> None:
    """A letter whose capital is several, such as the ligature ﬁ, is found as itself; ß as "SS"."""
    series = secrets.token_hex(6)
    created = make_book(title=f"Of ﬁn {series}", author=f"ﬁn {series}")
    assert page_of(anonymous, author=f"ﬁN {series.upper()}") == [created]
    assert created in page_of(anonymous, search=f"OF ﬁN {series}")


@pytest.mark.parametrize(("name", "other"), [("Zoé", "Zoe"), ("İnci", "inci"), ("Jörg", "Joerg")])
def test_letters_that_differ_in_more_than_case_differ(
    anonymous: httpx.Client, make_book: Make, name: str, other: str
) -> None:
    """An accent counts, and a dot; nothing is spelt out."""
    series = secrets.token_hex(6)
    make_book(title=series, author=f"{name} {series}")
    assert page_of(anonymous, author=f"{other} {series}") == []
    assert page_of(anonymous, search=f"{other} {series}") == []


@pytest.mark.parametrize(
    ("part", "found"),
    [
        (" 100% true_story \\o/", 1),
        (" 100%", 1),
        (" 100%cent", 0),
        (" 100%story", 0),
        ("_100", 0),
        (" 100% true_story", 1),
        (" 100 per cent true_story", 0),
        (" 100\\%", 0),
        (" 100% true\\_story", 0),
        (" B\\", 0),
    ],
)
def test_wildcards_are_ordinary_characters(
    anonymous: httpx.Client, shelf: dict[str, Any], part: str, found: int
) -> None:
    """In `search`, `%`, `_` and the backslash stand for themselves."""
    assert len(page_of(anonymous, search=f"{shelf['series']}{part}")) == found


@pytest.mark.parametrize(
    ("bounds", "expected"),
    [
        (
            {"published_from": "2015-08-05"},
            ["100 per cent trueXstory", TRUE_STORY, "D"],
        ),
        ({"published_to": "2013-10-01"}, ["A", "B", "C"]),
        pytest.param(
            {"published_from": "2015-08-04", "published_to": "2015-08-05"},
            ["A", "D"],
            marks=pytest.mark.smoke,
        ),
        ({"published_from": "2015-08-05", "published_to": "2015-08-05"}, ["D"]),
        ({"published_from": "2017-01-01"}, []),
    ],
)
def test_dates_bound_the_list_inclusively(
    anonymous: httpx.Client, shelf: dict[str, Any], bounds: dict[str, str], expected: list[str]
) -> None:
    """`published_from` and `published_to` are inclusive."""
    assert sorted(titles(anonymous, shelf["series"], **bounds)) == sorted(expected)


def test_filters_narrow_each_other(anonymous: httpx.Client, shelf: dict[str, Any]) -> None:
    """A book has to match every filter that is given."""
    found = titles(
        anonymous, shelf["series"], author=shelf["authors"][2], published_to="2015-08-04"
    )
    assert found == ["A"]


@pytest.mark.smoke
def test_the_total_counts_what_is_filtered(anonymous: httpx.Client, shelf: dict[str, Any]) -> None:
    """`total` counts the books that match, not those on the page or in the catalogue."""
    parameters = {"author": shelf["authors"][0], "page_size": 2}
    body = anonymous.get(BOOKS, params=parameters).json()
    assert (body["total"], body["pages"]) == (3, 2)


@pytest.mark.parametrize(
    "field", some(["title", "author", "publication_date", "created_at"], "publication_date")
)
@pytest.mark.parametrize("sign", ["", "-"])
def test_the_list_is_ordered(
    anonymous: httpx.Client, shelf: dict[str, Any], field: str, sign: str
) -> None:
    """`ordering` is by a field, with `-` descending; ties are by `id`."""
    items = page_of(anonymous, search=shelf["series"], ordering=f"{sign}{field}")
    expected = sorted(shelf["books"], key=lambda item: item["id"])
    expected.sort(key=lambda item: item[field], reverse=bool(sign))
    assert [item["id"] for item in items] == [item["id"] for item in expected]


def test_the_newest_book_comes_first(anonymous: httpx.Client, shelf: dict[str, Any]) -> None:
    """Without `ordering` the list is ordered by `-created_at`."""
    items = page_of(anonymous, search=shelf["series"])
    assert [item["id"] for item in items] == [item["id"] for item in shelf["books"]][::-1]


def test_a_change_shows_in_the_list_at_once(user: httpx.Client, make_book: Make) -> None:
    """Who reads the list after a write has been answered sees what was written."""
    created = make_book(author=secrets.token_hex(8))
    changed = user.patch(f"{BOOKS}/{created['id']}", json={"title": "Kindred"}).json()
    assert page_of(user, author=created["author"]) == [changed]
    user.delete(f"{BOOKS}/{created['id']}")
    assert page_of(user, author=created["author"]) == []
