"""Origins that are known and not, and their preflights."""

from alike.request import ask
from contract.client import BOOKS, ME, TOKEN, USERS
from contract.service import APP

from .books import BOOK, ONE

ORIGINS = [
    *(
        APP,
        "https://evil.example",
        "null",
        "*",
        "",
        APP.upper(),
        f"{APP}/",
        f"{APP}:443",
        f" {APP} ",
    ),
    *(APP.replace("https", "http"), f"{APP}.evil.example", "https://evil-app.example.org", "\xff"),
    f"{APP}, https://evil.example",
]
METHOD = "Access-Control-Request-Method"
HEADERS = "Access-Control-Request-Headers"

REQUESTS = {
    **{
        f"{method} from {origin!r}": ask(method, BOOKS + query, f"Origin: {origin}")
        for origin in ORIGINS
        for method, query in (("GET", "?search={shelf}"), ("OPTIONS", ""))
    },
    **{
        f"preflight of {method!r} from {origin}": ask(
            "OPTIONS", BOOKS, f"Origin: {origin}", f"{METHOD}: {method}"
        )
        for origin in (APP, "https://evil.example")
        for method in ("GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "BREW", "post", "")
    },
    **{
        f"preflight for {path} from {origin}": ask(
            "OPTIONS", path, f"Origin: {origin}", f"{METHOD}: POST"
        )
        for origin in (APP, "https://evil.example")
        for path in (
            "/healthz",
            "/nope",
            "//healthz",
            f"{BOOKS}/1",
            f"{BOOKS}/x",
            ME,
            TOKEN,
            "/docs",
        )
    },
    **{
        f"preflight with {headers!r:.40}": ask(
            "OPTIONS", BOOKS, f"Origin: {APP}", f"{METHOD}: POST", f"{HEADERS}: {headers}"
        )
        for headers in (
            *("content-type", "content-type,authorization", "Content-Type, X-Mine", "if-match", ""),
            *("*", ",", "x-mine", "x" * 2000),
        )
    },
    "preflight of no origin": ask("OPTIONS", BOOKS, f"{METHOD}: POST"),
    "preflight of two origins": ask(
        "OPTIONS", BOOKS, f"Origin: {APP}", f"Origin: {APP}", f"{METHOD}: POST"
    ),
    "preflight of headers without a method": ask(
        "OPTIONS", BOOKS, f"Origin: {APP}", f"{HEADERS}: content-type"
    ),
    "preflight by a bad token": ask(
        "OPTIONS", BOOKS, f"Origin: {APP}", f"{METHOD}: POST", who="no JWT"
    ),
    "preflight of a private network": ask(
        "OPTIONS",
        BOOKS,
        f"Origin: {APP}",
        f"{METHOD}: GET",
        "Access-Control-Request-Private-Network: true",
    ),
    "preflight by GET": ask("GET", "/healthz", f"Origin: {APP}", f"{METHOD}: POST"),
    **{
        f"from a known origin: {name}": request
        for name, request in {
            "a book": ask("GET", ONE, f"Origin: {APP}"),
            "a book again": ask("GET", ONE, f"Origin: {APP}", "If-None-Match: {tag}"),
            "no book": ask("GET", f"{BOOKS}/{{gone}}", f"Origin: {APP}"),
            "a creation": ask("POST", BOOKS, f"Origin: {APP}", body=BOOK, who="owner"),
            "no token": ask("GET", ME, f"Origin: {APP}"),
            "a wrong method": ask("DELETE", "/healthz", f"Origin: {APP}"),
            "nothing": ask("GET", "/nope", f"Origin: {APP}"),
            "a bad query": ask("GET", f"{BOOKS}?page=0", f"Origin: {APP}"),
            "no JSON": ask("POST", USERS, f"Origin: {APP}", body=b"{"),
            "too much": ask("POST", USERS, f"Origin: {APP}", body=b" " * (2**20 + 1)),
            "health": ask("HEAD", "/healthz", f"Origin: {APP}"),
            "metrics": ask("HEAD", "/metrics", f"Origin: {APP}"),
            "the document": ask("GET", "/openapi.json", f"Origin: {APP}"),
            "a page": ask("GET", "/docs", f"Origin: {APP}"),
            "a deletion": ask("DELETE", ONE, f"Origin: {APP}", who="owner"),
        }.items()
    },
}
