"""Headers of any request: what names it, who it came through, what it asks of the answer."""

from alike.request import HOST, ask
from contract.client import BOOKS, ME, TOKEN, USERS

from .books import BOOK, ONE

IDS = [
    *(
        "a",
        "x" * 128,
        "Az09._-",
        "",
        "x" * 129,
        "a b",
        "a/b",
        "<b>",
        "a,b",
        "a;b",
        "\xe9",
        "-",
        ".",
    ),
    "550e8400-e29b-41d4-a716-446655440000",
]
ANY = [
    *(
        "Accept: text/html",
        "Accept: application/xml",
        "Accept: */*;q=0",
        "Accept: nonsense",
        "Accept:",
    ),
    *("Accept: application/json;q=0", "Accept: application/problem+json", "Accept: \xff"),
    *("Accept-Language: de", "Accept-Charset: latin-1", "Accept-Encoding: identity;q=0, *;q=0"),
    *("Expect: nonsense", "Max-Forwards: 0", "Range: bytes=0-1", "TE: trailers", "Upgrade: h2c"),
    *("X-HTTP-Method-Override: DELETE", "X-Original-URL: /nope", "X-Rewrite-URL: /nope"),
    *("X-Forwarded-Proto: https", "X-Forwarded-Host: evil.example", "X-Forwarded-Prefix: /x"),
    *("Forwarded: host=evil.example;proto=https", "X-Forwarded-For: 1.2.3.4", "Via: 1.1 x"),
    *("Cookie: sessionid=x; csrftoken=y", "Connection: close", "Connection: keep-alive", "DNT: 1"),
    *("X-Empty:", "X-Under_Score: x", "Content-Length: 0", "Content-Type: text/plain", "Date: x"),
    *("Sec-Fetch-Mode: cors", "Pragma: no-cache", "Cache-Control: no-store", "User-Agent:"),
]
HOSTS = [
    *("", "Host:", "Host: test:80", "Host: TEST", "Host: [::1]:8000", "Host: a b", "Host: a/b"),
    *("Host: a,b", "Host: test\r\nHost: test", "Host: test\r\nHost: other", "Host: \xff"),
    *("Host: evil.example", "Host: test:x", "Host: test:99999", "Host: user@test", "Host: -"),
]

REQUESTS = {
    **{
        f"X-Request-ID: {given[:40]!r}": ask("GET", "/healthz", f"X-Request-ID: {given}")
        for given in IDS
    },
    "X-Request-ID of what is not there": ask("GET", "/nope", "X-Request-ID: mine"),
    "X-Request-ID twice": ask("GET", "/healthz", "X-Request-ID: a", "X-Request-ID: b"),
    "X-Request-ID of a preflight": ask("OPTIONS", BOOKS, "X-Request-ID: mine"),
    "X-Request-ID of too much": ask("POST", USERS, "X-Request-ID: a", body=b" " * (2**20 + 1)),
    **{f"health with {header}": ask("GET", "/healthz", header) for header in ANY},
    **{f"nothing with {header}": ask("GET", "/nope", header) for header in ANY},
    **{f"a book with {header}": ask("GET", ONE, header, "X-Tag: {tag}") for header in ANY},
    **{f"no user with {header}": ask("GET", ME, header) for header in ANY[:8]},
    **{f"host {host!r}": ask("GET", "/healthz", host=host) for host in HOSTS},
    **{
        f"host {host!r} for a creation": ask("POST", BOOKS, host=host, body=BOOK, who="owner")
        for host in HOSTS[1:5] + HOSTS[-5:]
    },
    "a creation that is to be a page": ask(
        "POST", BOOKS, "Accept: text/html", body=BOOK, who="owner"
    ),
    "a creation through a prefix": ask(
        "POST", BOOKS, "X-Forwarded-Prefix: /x", "X-Forwarded-Host: x", body=BOOK, who="owner"
    ),
    "a method that is overridden": ask(
        "POST", ONE, "X-HTTP-Method-Override: DELETE", body={}, who="owner"
    ),
    "a form with _method": ask(
        "POST", TOKEN, "Content-Type: application/x-www-form-urlencoded", body=b"_method=GET"
    ),
    "an expectation": ask("POST", BOOKS, "Expect: 100-continue", body=BOOK, who="owner"),
    "an expectation that nobody knows": ask("POST", BOOKS, "Expect: x", body=BOOK, who="owner"),
    "HTTP in a header": ask("GET", "/healthz", "X-A: HTTP/1.1 200 OK"),
    "a hundred headers": ask("GET", "/healthz", *(f"X-{n}: x" for n in range(100))),
    "a long header": ask("GET", "/healthz", "X-Long: " + "x" * 30_000),
    "HSTS in plain": ask("GET", "/healthz", "X-Forwarded-Proto: https", "X-Forwarded-Ssl: on"),
    "the host alone": ask("GET", "/healthz", host=HOST),
}
