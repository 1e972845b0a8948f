"""Books that are created and changed: valid, at the limits, and not valid."""

from typing import Any

from alike.request import ask
from contract.client import BOOKS

BOOK = {"title": "Kindred", "author": "Octavia E. Butler", "publication_date": "1979-06-01"}
ONE = f"{BOOKS}/{{book}}"

GOOD: dict[str, dict[str, Any]] = {
    "plain": {},
    "with an ISBN": {"isbn": "{isbn}"},
    "with no ISBN": {"isbn": None},
    "trimmed": {"title": " \t Kindred\n ", "author": "\u00a0Butler\u2003"},
    "trimmed to one": {"title": " x ", "author": "\ny\t"},
    "200 letters": {"title": "x" * 200, "author": "é" * 200},
    "200 letters after trimming": {"title": " " * 50 + "x" * 200 + " ", "author": "a" + " " * 300},
    "200 of two units each": {"title": "📚" * 200},
    "blanks within": {"title": "a  b\tc\nd", "author": "a\u2028b"},
    "other alphabets": {"title": "図書館の本 – “x” \\ / </script>", "author": "Zoé \u007f \x01"},
    "marks that combine": {"title": "e\u0301 \ufb01", "author": "\ufeffx\u200b"},
    "separators of old": {"title": "\x1cx\x1f", "author": "\x85y\u180e"},
    "the first day": {"publication_date": "0001-01-01"},
    "the last day": {"publication_date": "9999-12-31"},
    "a leap day": {"publication_date": "2024-02-29"},
    "a day to come": {"publication_date": "2999-01-01"},
}
BAD: dict[str, dict[str, Any]] = {
    **{
        f"{field}: {value!r:.30}": {field: value}
        for field in ("title", "author")
        for value in (
            "",
            " ",
            "\n\t",
            "x" * 201,
            None,
            1,
            1.5,
            True,
            [],
            ["x"],
            {},
            "a\0b",
            "\ud800",
        )
    },
    **{
        f"publication_date: {value!r:.30}": {"publication_date": value}
        for value in (
            *("", "2023-02-29", "20230105", "2023-1-5", "2023-01-05T00:00:00", " 2023-01-05"),
            *("2023-01-05 ", "2023-W01-1", "2023-005", "0000-01-01", "10000-01-01", "05.01.2023"),
            *("٢٠٢٣-٠١-٠٥", "+2023-01-05", "today", "2023-01-05Z", None, 0, 1672876800, 1.5, True),
            *([], {}, "2023-01-05\0", "1672876800"),
        )
    },
    **{
        f"isbn: {value!r:.30}": {"isbn": value}
        for value in (
            *("", " ", "978030640615", "97803064061570", "9780306406158", "978-0-306-40615-7"),
            *(" 9780306406157", "9780306406157 ", "978030640615X", "0306406152", "٩٧٨٠٣٠٦٤٠٦١٥٧"),
            *(9780306406157, 1.5, True, [], {}, "9780306406157\0", "\ud800"),
        )
    },
    "one field more": {"colour": "red"},
    "fields more": {"zebra": 1, "colour": None, "id": 1, "created_at": "x", "title": ""},
    "an id": {"id": 1},
    "a creator": {"owner_id": 1},
    "an odd name": {'a"b\\c\n\u00e9': 1},
    "an empty name": {"": 1},
    "a name with a dot": {"a.b": 1},
    "all wrong": {"isbn": 1, "publication_date": 1, "author": 1, "title": 1, "x": 1},
}
PARTS: dict[str, Any] = {
    "nothing": {},
    "a title": {"title": " Parable "},
    "an author": {"author": "x"},
    "a day": {"publication_date": "1993-10-01"},
    "an ISBN": {"isbn": "{isbn}"},
    "its own ISBN": {"isbn": "{taken}"},
    "no ISBN any more": {"isbn": None},
    "all": {**BOOK, "isbn": None},
    "the same again": {"title": "The Dispossessed"},
    "no title": {"title": None},
    "no author": {"author": None},
    "no day": {"publication_date": None},
    "an empty title": {"title": " "},
    "a long author": {"author": "x" * 201},
    "a bad day": {"publication_date": "2023-02-29"},
    "a bad ISBN": {"isbn": "9780306406158"},
    "an unknown field": {"colour": "red"},
    "known and unknown": {"title": "x", "id": 3},
    "all wrong": {"zebra": 1, "isbn": 1, "publication_date": 1, "author": 1, "title": 1},
}

REQUESTS = {
    **{
        f"create: {name}": ask("POST", BOOKS, body=BOOK | more, who="owner")
        for name, more in GOOD.items()
    },
    **{
        f"create, not valid: {name}": ask("POST", BOOKS, body=BOOK | more, who="owner")
        for name, more in BAD.items()
    },
    **{
        f"create without {field}": ask(
            "POST", BOOKS, body={k: v for k, v in BOOK.items() if k != field}, who="owner"
        )
        for field in BOOK
    },
    "create from nothing": ask("POST", BOOKS, body={}, who="owner"),
    "create with an ISBN that is taken": ask(
        "POST", BOOKS, body=BOOK | {"isbn": "{taken}"}, who="owner"
    ),
    "create with an ISBN that another has taken": ask(
        "POST", BOOKS, body=BOOK | {"isbn": "{taken}"}, who="another"
    ),
    "create with a query": ask("POST", f"{BOOKS}?page=0&x=%FF", body=BOOK, who="owner"),
    "read": ask("GET", ONE),
    "read by its creator": ask("GET", ONE, who="owner"),
    "read by a bad token": ask("GET", ONE, who="no JWT"),
    "read again": ask("GET", ONE, "X-Tag: {tag}"),
    "read with a query": ask("GET", f"{ONE}?page=0&search=a&search=b&x=%FF"),
    "HEAD of a book": ask("HEAD", ONE),
    "HEAD of a book again": ask("HEAD", ONE, "X-Tag: {tag}"),
    "HEAD of a book that is gone": ask("HEAD", f"{BOOKS}/{{gone}}"),
    **{
        f"replace: {name}": ask("PUT", ONE, body=BOOK | more, who="owner")
        for name, more in GOOD.items()
        if name in {"plain", "with an ISBN", "trimmed"}
    },
    **{
        f"replace with {name}": ask("PUT", ONE, body=body, who="owner")
        for name, body in PARTS.items()
    },
    **{f"change {name}": ask("PATCH", ONE, body=body, who="owner") for name, body in PARTS.items()},
    "replace by another": ask("PUT", ONE, body=BOOK, who="another"),
    "change by another": ask("PATCH", ONE, body={}, who="another"),
    "delete by another": ask("DELETE", ONE, who="another"),
    "delete": ask("DELETE", ONE, who="owner"),
    "delete with a body": ask("DELETE", ONE, body={"x": 1}, who="owner"),
    "delete with no JSON": ask("DELETE", ONE, body=b"{", who="owner"),
    "delete a book that is gone": ask("DELETE", f"{BOOKS}/{{gone}}", who="owner"),
    "delete with a query": ask("DELETE", f"{ONE}?x=%FF", who="owner"),
}
