"""Bodies by their type, their coding and their syntax, and how long they are."""

import gzip
import json

from alike.request import JSON, Request, ask
from contract.client import BOOKS, REPORTS, USERS

from .books import BOOK, ONE

GOOD = json.dumps(BOOK).encode()
TYPES = [
    *("", "text/plain", "application/x-www-form-urlencoded", "application/xml", "text/json", "x"),
    *("application/problem+json", "application/merge-patch+json", "application/vnd.api+json"),
    *("application/jsonx", "application/json, text/plain", "application/json+x", "*/*", ";"),
    *("multipart/form-data; boundary=x", "application/*", "json", "application/json/x"),
]
FINE = [
    *(
        "application/json",
        "Application/JSON",
        "application/json; charset=utf-8",
        " application/json ",
    ),
    *("application/json;charset=UTF-8", 'application/json; charset="utf-8"', "application/json;"),
    *(
        "application/json; charset=latin-1",
        "application/json; charset=utf-16",
        "application/json;x",
    ),
    *("application/json; charset=nonsense", "application/json; version=1", "application/json ;x=y"),
    *("application/json; charset=us-ascii", "application/json;charset="),
]
SYNTAX = {
    "nothing": b"",
    "blanks": b"  \n",
    "a brace": b"{",
    "a word": b"nonsense",
    "two": GOOD + b"{}",
    "something after it": GOOD + b" x",
    "a comma too many": GOOD[:-1] + b",}",
    "single quotes": GOOD.replace(b'"', b"'"),
    "a comment": b"/* x */" + GOOD,
    "NaN": b'{"title": NaN}',
    "NaN alone": b"NaN",
    "Infinity": b'{"title": -Infinity}',
    "Infinity in an unknown field": GOOD[:-1] + b', "x": Infinity}',
    "1e400": b'{"title": 1e400}',
    "a huge integer": b'{"title": ' + b"9" * 5000 + b"}",
    "a number with a zero": b'{"title": 01}',
    "not UTF-8": GOOD.replace(b"Kindred", b"Kindr\xe9d"),
    "half a letter": GOOD.replace(b"Kindred", b"\xf0\x9f"),
    "a surrogate in UTF-8": GOOD.replace(b"Kindred", b"\xed\xa0\x80"),
    "an overlong letter": GOOD.replace(b"Kindred", b"\xc0\xaf"),
    "UTF-16": GOOD.decode().encode("utf-16"),
    "UTF-16 without a mark": GOOD.decode().encode("utf-16-le"),
    "UTF-32": GOOD.decode().encode("utf-32-be"),
    "a line break in a text": GOOD.replace(b"Kindred", b"Kin\ndred"),
    "a control in a text": GOOD.replace(b"Kindred", b"Kin\x01dred"),
    "a NUL in a text": GOOD.replace(b"Kindred", b"Kin\0dred"),
    "a bad escape": GOOD.replace(b"Kindred", b"\\x41"),
    "half an escape": GOOD.replace(b"Kindred", b"\\ud8"),
    "deep lists": b"[" * 100_000,
    "deep and closed": b"[" * 100_000 + b"]" * 100_000,
    "deep objects": b'{"a":' * 50_000 + b"1" + b"}" * 50_000,
    "deep in a field": b'{"title":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    "somewhat deep in a field": b'{"title":' + b"[" * 150 + b"]" * 150 + b"}",
    "deeper in a field": b'{"title":' + b"[" * 400 + b"]" * 400 + b"}",
    "deep in an unknown field": GOOD[:-1] + b',"x":' + b"[" * 2000 + b"]" * 2000 + b"}",
    "a list": b"[]",
    "a list of it": b"[" + GOOD + b"]",
    "null": b"null",
    "true": b"true",
    "a number": b"1",
    "a text": b'"x"',
    "a text of it": json.dumps(GOOD.decode()).encode(),
    "a byte order mark": b"\xef\xbb\xbf" + GOOD,
    "a byte order mark alone": b"\xef\xbb\xbf",
    "a field twice": GOOD[:-1] + b', "title": "Kindred again"}',
    "a field twice, once wrong": b'{"title": 1, ' + GOOD[1:],
    "a surrogate": GOOD.replace(b"Kindred", b"\\ud800"),
    "a pair of surrogates": GOOD.replace(b"Kindred", b"\\ud83d\\udcda"),
    "surrogates in a wrong order": GOOD.replace(b"Kindred", b"\\udcda\\ud83d"),
    "a NUL": GOOD.replace(b"Kindred", b"Kin\\u0000dred"),
    "a NUL in a name": GOOD[:-1] + b', "x\\u0000": 1}',
    "a surrogate in a name": GOOD[:-1] + b', "\\ud800": 1}',
    "escapes": GOOD.replace(b"Kindred", b"\\u004b\\/\\t"),
    "a surrogate in an unknown field": GOOD[:-1] + b', "x": "\\ud800"}',
}
LONG = b'{"title": "' + b"x" * 2**20
CHUNKED = "Transfer-Encoding: chunked"


def post(body: bytes, *headers: str, who: str = "owner") -> Request:
    return ask("POST", BOOKS, *headers, body=body, who=who)


def chunks(body: bytes) -> bytes:
    return b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body)


REQUESTS = {
    **{f"type: {kind!r}": post(GOOD, f"Content-Type: {kind}") for kind in TYPES},
    **{f"fine type: {kind!r}": post(GOOD, f"Content-Type: {kind}") for kind in FINE},
    "no type": post(GOOD),
    "no type and no body": post(b""),
    "two types": post(GOOD, JSON, "Content-Type: text/plain"),
    "the type twice": post(GOOD, JSON, JSON),
    **{f"JSON: {name}": post(body, JSON) for name, body in SYNTAX.items()},
    **{
        f"JSON of a user: {name}": ask("POST", USERS, JSON, body=SYNTAX[name])
        for name in ("nothing", "a brace", "a list", "null", "not UTF-8", "NaN", "deep objects")
    },
    **{
        f"JSON of a {method}: {name}": ask(method, ONE, JSON, body=SYNTAX[name], who="owner")
        for method in ("PUT", "PATCH")
        for name in ("nothing", "a brace", "a list", "null", "a text", "not UTF-8", "a field twice")
    },
    "a PATCH of no type": ask("PATCH", ONE, body=b"{}", who="owner"),
    "a PATCH of no type and no body": ask("PATCH", ONE, who="owner"),
    "a merge patch": ask(
        "PATCH", ONE, "Content-Type: application/merge-patch+json", body=b"{}", who="owner"
    ),
    **{
        f"packed by {coding}": post(
            gzip.compress(GOOD, mtime=0), JSON, f"Content-Encoding: {coding}"
        )
        for coding in ("gzip", "br", "x")
    },
    "packed by identity": post(GOOD, JSON, "Content-Encoding: identity"),
    "in chunks": post(chunks(GOOD), JSON, CHUNKED),
    "in chunks, no JSON": post(chunks(b"{"), JSON, CHUNKED),
    "in chunks, nothing": post(b"0\r\n\r\n", JSON, CHUNKED),
    "in chunks, by nobody": post(chunks(GOOD), JSON, CHUNKED, who="nobody"),
    "in chunks, 1 MiB and one": post(chunks(b" " * (2**20 + 1)), JSON, CHUNKED),
    "in chunks, 1 MiB and one, by nobody": post(
        chunks(b" " * (2**20 + 1)), JSON, CHUNKED, who="nobody"
    ),
    "1 MiB": post(b" " * (2**20 - len(GOOD)) + GOOD, JSON),
    "1 MiB of a title": post(LONG[: 2**20 - 2] + b'"}', JSON),
    **{
        f"1 MiB and one{name}": post(b" " * (2**20 + 1), *headers, who=who)
        for name, headers, who in (
            ("", (JSON,), "owner"),
            (", by nobody", (JSON,), "nobody"),
            (", of no type", (), "owner"),
            (", of another type", ("Content-Type: text/plain",), "owner"),
        )
    },
    "3 MiB": post(b" " * 3 * 2**20, JSON),
    "much that is announced": post(b"{", JSON, "Content-Length: 9000000000"),
    "1 MiB and one for a user": ask("POST", USERS, JSON, body=b" " * (2**20 + 1)),
    "1 MiB and one for a book": ask("PUT", ONE, JSON, body=b" " * (2**20 + 1), who="owner"),
    "1 MiB and one for a book that is gone": ask(
        "PUT", f"{BOOKS}/{{gone}}", JSON, body=b" " * (2**20 + 1), who="owner"
    ),
    "1 MiB and one to delete": ask("DELETE", ONE, body=b" " * (2**20 + 1), who="owner"),
    "1 MiB and one to read": ask("GET", ONE, body=b" " * (2**20 + 1)),
    "a report of a body": ask("POST", REPORTS, body={"x": 1}, who="owner"),
    "a report of no JSON": ask("POST", REPORTS, JSON, body=b"{", who="owner"),
    "a report of a form": ask("POST", REPORTS, "Content-Type: text/plain", body=b"x", who="owner"),
}
