"""The list of books, with every kind of query."""

from alike.request import ask
from contract.client import BOOKS

GOOD = [
    *("", "?", "page_size=2", "page_size=2&page=2", "page_size=2&page=3", "page=9", "page_size=1"),
    *("page_size=100", "ordering=title", "ordering=-title", "ordering=author", "ordering=-author"),
    *("ordering=publication_date", "ordering=-publication_date", "ordering=created_at"),
    *("ordering=-created_at&page_size=2", "published_from=2013-10-01", "published_to=2013-10-01"),
    *("published_from=2013-10-01&published_to=2015-08-04", "published_from=2020-01-01"),
    *("published_to=2013-10-01&published_from=2015-08-04", "published_from=0001-01-01"),
    *("published_to=9999-12-31", "author=", "author=&page_size=2", "x=1", "x=1&x=2", "x", "x=&y"),
    *("page=1&page_size=2&x=%C3%A9", "author=Ann+Leckie", "author=Ann%20Leckie", "author=ann"),
    *("author=ANN+LECKIE&page_size=1&ordering=title", "author=zo%C3%89+%C3%89mond", "author=+"),
    *("author=%20Ann%20Leckie%20", "author=Ann%2520Leckie", "author=Ann;x=1", "&page_size=2&&"),
    *("author=Ann+Leckie&published_from=2013-01-01&published_to=2014-01-01&page_size=1",),
    *("author=%", "author=%zz", "author=%2", "author=%u0041", "author=a%26b", "author=a=b"),
    *(
        "author=<b>%22'",
        "author=%E5%9B%B3",
        "author=\u00e9".encode().decode("latin-1"),
    ),
    *("author=%F0%9F%93%9A%7E~*-._!()", "author=%0a%0d%09", "page_size=%32", "p%61ge=2"),
    *("page_size=2#page=2", "author=" + "x" * 300, "author=" + "x" * 3000, "page=2147483648"),
    *(f"page={2**63 - 1}", f"page={2**63}", "Page=0", "page%00=0", "author[]=x", "ordering%20=x"),
]
SEARCHES = [
    *("B+100%25+true_story", "b+100%25", "%25", "_", "100", "%E5%9B%B3", "c", "C%20", "%5C", ""),
    *("%C3%A9%CC%81", "e%CC%81", "%EF%BF%BD"),
]
BAD = [
    *("page=0", "page=-1", "page=1.5", "page=one", "page=", "page", "page=%201", "page=1%20"),
    *("page=+1", "page=%2B1", "page=1_0", "page=01", "page=00", "page=%D9%A1", "page=%EF%BC%91"),
    *("page=1e3", "page=0x1", "page=NaN", "page=1%00", "page=true", f"page={'9' * 5000}"),
    *("page=1&page=1", "page=1&page=2", "page=&page=", "page=0&page=0", "page=1;page=2"),
    *(
        "page_size=0",
        "page_size=101",
        "page_size=-1",
        "page_size=all",
        "page_size=",
        "page_size=+1",
    ),
    *("page_size=5&page_size=6", "page_size=020", "page_size=%D9%A1", f"page_size={2**63}"),
    *("published_from=", "published_from=2023-02-29", "published_from=20230105"),
    *("published_from=2023-1-5", "published_from=1672876800", "published_from=2023-01-05T00:00"),
    *("published_from=2023-01-05T00:00:00Z", "published_from=0000-01-01", "published_from=now"),
    *("published_from=10000-01-01", "published_from=2023-W01-1", "published_from=%202023-01-05"),
    *("published_from=2023-01-05%20", "published_from=-2023-01-05", "published_from=٢٠٢٣-٠١-٠٥"),
    *("published_to=yesterday", "published_to=", "published_to=2023-13-01", "published_to=2023-01"),
    *("published_to=2023-01-01&published_to=2023-01-02", "ordering=", "ordering=isbn"),
    *("ordering=--title", "ordering=title,author", "ordering=Title", "ordering=+title"),
    *("ordering=%20title", "ordering=title&ordering=author", "ordering=password_hash"),
    *("search=a&search=b", "search=&search=", "search=a&search=", "author=a&author=b"),
    *("search=a%00b", "author=%00", "search=%FF", "author=%ED%A0%80", "search=%F0%9F", "x=%FF"),
    *("%FF=1", "search=\xff", "page=%FF", "ordering=%FF", "page=0&x=%FF", "page=0&search=%00"),
    *("page=0&page_size=0&ordering=x&published_from=x&published_to=x&search=%00&author=%00",),
    *("ordering=x&page=0", "search=a&search=b&page=0", "author=a&page=x&author=b"),
]

REQUESTS = {
    **{f"all: {query}": ask("GET", f"{BOOKS}{query}") for query in ("", "?", "?page_size=1")},
    **{f"list: {query[:50]}": ask("GET", f"{BOOKS}?search={{shelf}}&{query}") for query in GOOD},
    **{
        f"search: {words}": ask("GET", f"{BOOKS}?search={{shelf}}+{words}&ordering=title")
        for words in SEARCHES
    },
    "an empty search": ask("GET", f"{BOOKS}?search=&author=Ann+Leckie&page_size=1"),
    "a search of blanks": ask("GET", f"{BOOKS}?search=+&author=Ann+Leckie&page_size=1"),
    "a search first in the query's end": ask("GET", f"{BOOKS}?page_size=2&search={{shelf}}"),
    **{
        f"bad query: {query[:50]}": ask("GET", f"{BOOKS}?{query.encode().decode('latin-1')}")
        if not query.isascii() and "\xff" not in query
        else ask("GET", f"{BOOKS}?{query}")
        for query in BAD
    },
    "HEAD of a list": ask("HEAD", f"{BOOKS}?search={{shelf}}&page_size=2"),
    "HEAD of a bad query": ask("HEAD", f"{BOOKS}?page=0"),
    "a bad query by somebody": ask("GET", f"{BOOKS}?page=0", who="no JWT"),
    "a list by somebody": ask("GET", f"{BOOKS}?search={{shelf}}&page_size=1", who="no JWT"),
    "a list with conditions": ask(
        "GET", f"{BOOKS}?search={{shelf}}", 'If-Match: "x"', "If-None-Match: *"
    ),
    "a list with a body": ask("GET", f"{BOOKS}?search={{shelf}}", body={"page": 2}),
    "a list, please, as XML": ask("GET", f"{BOOKS}?search={{shelf}}", "Accept: application/xml"),
    "a list as page, please": ask("GET", f"{BOOKS}?search={{shelf}}", "Accept: text/html"),
    "a part of a list": ask("GET", f"{BOOKS}?search={{shelf}}", "Range: bytes=0-9"),
    "a list for a query of format": ask("GET", f"{BOOKS}?search={{shelf}}&format=api"),
    "a list, packed": ask("GET", f"{BOOKS}?search={{shelf}}", "Accept-Encoding: gzip, br"),
}
