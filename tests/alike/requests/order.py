"""Several things wrong at once: which of them is told."""

from itertools import product

from alike.request import JSON, ask
from contract.client import BOOKS, ME, REPORTS

from .bodies import GOOD

METHODS = ["PUT", "PATCH", "DELETE"]
WHO = ["nobody", "a bad signature", "another", "owner"]
ROWS = {"there": "{book}", "gone": "{gone}", "no id": "x"}
BODIES = {
    "good": (JSON, GOOD),
    "of a wrong type": ("Content-Type: text/plain", GOOD),
    "no JSON": (JSON, b"{"),
    "not valid": (JSON, b'{"title": 1}'),
    "taken": (JSON, GOOD[:-1] + b', "isbn": "9780306406157"}'),
}
STALE = {"": (), ", stale": ('If-Match: "x"',)}

REQUESTS = {
    "a book whose ISBN others want": ask("POST", BOOKS, JSON, body=BODIES["taken"][1], who="owner"),
    **{
        f"{method} by {who}, {row}, {body}{stale}": ask(
            method,
            f"{BOOKS}/{ROWS[row]}",
            *STALE[stale],
            BODIES[body][0],
            body=BODIES[body][1],
            who=who,
        )
        for method, who, row, body, stale in product(METHODS, WHO, ROWS, BODIES, STALE)
        if method != "DELETE" or body in {"good", "no JSON"}
        if row == "there" or (body, stale) in {("no JSON", ""), ("good", ", stale")}
    },
    **{
        f"POST by {who}, {body}": ask("POST", BOOKS, BODIES[body][0], body=BODIES[body][1], who=who)
        for who, body in product(("nobody", "a bad signature", "owner"), BODIES)
    },
    **{
        f"report by {who}, {row}": ask("GET", f"{REPORTS}/{number}", who=who)
        for who in WHO
        for row, number in {"there": "{report}", "gone": "999999999", "no id": "x"}.items()
    },
    **{
        f"{method} {path} by {who}": ask(method, path, who=who)
        for method, path in (("GET", ME), ("POST", REPORTS), ("DELETE", ME), ("GET", REPORTS))
        for who in WHO
    },
    "a report with a stale condition": ask(
        "GET", f"{REPORTS}/{{report}}", 'If-Match: "x"', "If-None-Match: *", who="owner"
    ),
    "HEAD of a report": ask("HEAD", f"{REPORTS}/{{report}}", who="owner"),
    "HEAD of a report by nobody": ask("HEAD", f"{REPORTS}/{{report}}"),
    "HEAD of oneself": ask("HEAD", ME, who="owner"),
    "HEAD of oneself by nobody": ask("HEAD", ME),
}
