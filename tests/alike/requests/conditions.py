"""Conditional requests."""

from alike.request import ask
from contract.client import BOOKS, ME

from .books import BOOK, ONE

OTHER = '"0000000000000000"'
MATCHES = [
    *("{tag}", "W/{tag}", "*", f"{OTHER}, {{tag}}", f"{{tag}} ,{OTHER}", OTHER, '""', "unquoted"),
    *("", " ", ",", ",,,", '"', 'W/"', 'W/"x"', f"W/{OTHER}, W/{{tag}}", "*, {tag}", "{tag}, *"),
    *("w/{tag}", "{tag}{tag}", "{tag} {tag}", "{tag};", "{tag}x", '"a" "b"', '"*"', "'x'", "\xff"),
    *(",{tag},", f"{OTHER},,{{tag}}", '"a,b", {tag}', '"a\\"b", {tag}', '"\xe9", {tag}'),
    '"' * 2000,
]

REQUESTS = {
    **{
        f"GET with {header}: {match[:30]!r}": ask("GET", ONE, f"{header}: {match}", "X-Tag: {tag}")
        for header in ("If-None-Match", "If-Match")
        for match in MATCHES
    },
    **{
        f"{method} with {header}: {match!r}": ask(
            method, ONE, f"{header}: {match}", body=body, who="owner"
        )
        for method, body in (("PUT", BOOK), ("PATCH", {"title": "x"}), ("DELETE", None))
        for header, matches in (
            ("If-Match", ["{tag}", "W/{tag}", "*", OTHER, f"{OTHER}, {{tag}}", "", "unquoted"]),
            ("If-None-Match", ["{tag}", "*", OTHER]),
        )
        for match in matches
    },
    "HEAD that is not modified": ask("HEAD", ONE, "If-None-Match: {tag}"),
    "HEAD with a stale If-Match": ask("HEAD", ONE, f"If-Match: {OTHER}"),
    "GET with both, both hold": ask("GET", ONE, "If-Match: {tag}", "If-None-Match: {tag}"),
    "GET with both, If-Match is stale": ask(
        "GET", ONE, f"If-Match: {OTHER}", "If-None-Match: {tag}"
    ),
    "GET with lines": ask("GET", ONE, f"If-None-Match: {OTHER}", "If-None-Match: {tag}"),
    "GET with lines of If-Match": ask("GET", ONE, f"If-Match: {OTHER}", "If-Match: {tag}"),
    "PUT with lines": ask(
        "PUT", ONE, f"If-Match: {OTHER}", "If-Match: {tag}", body=BOOK, who="owner"
    ),
    **{
        f"gone with {header}: {match}": ask("GET", f"{BOOKS}/{{gone}}", f"{header}: {match}")
        for header in ("If-None-Match", "If-Match")
        for match in ("*", OTHER)
    },
    "a time long ago": ask("GET", ONE, "If-Modified-Since: Mon, 01 Jan 1990 00:00:00 GMT"),
    "a time to come": ask("GET", ONE, "If-Modified-Since: Fri, 01 Jan 2100 00:00:00 GMT"),
    "unmodified since long ago": ask(
        "GET", ONE, "If-Unmodified-Since: Mon, 01 Jan 1990 00:00:00 GMT"
    ),
    "a part of a book": ask("GET", ONE, "Range: bytes=0-3"),
    "a part of a book, if it is the same": ask("GET", ONE, "Range: bytes=0-3", "If-Range: {tag}"),
    "a user, if": ask("GET", ME, 'If-Match: "x"', who="owner"),
    "a user, if none": ask("GET", ME, "If-None-Match: *", who="owner"),
    "a creation, if": ask("POST", BOOKS, 'If-Match: "x"', body=BOOK, who="owner"),
    "a creation, if none": ask("POST", BOOKS, "If-None-Match: *", body=BOOK, who="owner"),
    "health, if": ask("GET", "/healthz", 'If-Match: "x"', "If-None-Match: *"),
    "the document, if none": ask("GET", "/openapi.json", "If-None-Match: *"),
}
