"""One client for all: made of the one document, it knows what every framework answers."""

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from types import ModuleType
from typing import Any

import httpx
import pytest

from .client import PASSWORD, isbn, token_of
from .document import OPERATIONS, SCHEMAS
from .generated import Generated, operations
from .processes import until
from .service import Target

MEBIBYTE = 2**20
OAUTH = {"grant_token": "unsupported_grant_type", "revoke_token": "invalid_request"}
# Provoked where attempts are counted, where reports wait, and where the database is lost.
ELSEWHERE = {429, 503}
IN_USE = ("delete_book", 409)  # provoked in test_constraints.py: it takes another table
REFUSALS = [
    (name, status)
    for name, (*_, statuses) in OPERATIONS.items()
    for status in sorted(statuses - ELSEWHERE)
    if status >= 400 and (name, status) != IN_USE
]


@dataclass
class People:
    """Two users of a service and nobody, all with the same client, and what they say to it."""

    models: ModuleType
    nobody: Generated
    user: Generated
    other: Generated

    def account(self) -> Any:
        return self.models.UserIn(f"{secrets.token_hex(8)}@example.org", PASSWORD)

    def grant(self) -> Any:
        """Register somebody, and return what they sign in with."""
        account = self.account()
        self.nobody.register(body=account)
        names = {"username": account.email, "password": account.password}
        return self.models.GrantTokenBody("password", **names)

    def book(self, **fields: Any) -> Any:
        fields = {"title": "Kindred", "author": "Octavia E. Butler", **fields}
        return self.models.BookIn(publication_date=date(1979, 6, 1), **fields)

    def arguments(self, name: str) -> dict[str, Any]:
        """Return what an operation takes, so that all goes well for the user."""
        models, found = self.models, dict[str, Any]()
        if name in {"read_book", "replace_book", "change_book", "delete_book"}:
            found["id"] = self.user.create_book(body=self.book()).parsed.id
        match name:
            case "create_book" | "replace_book":
                found["body"] = self.book()
            case "change_book":
                found["body"] = models.BookPatch(title="Dawn")
            case "register":
                found["body"] = self.account()
            case "grant_token":
                found["body"] = self.grant()
            case "revoke_token":
                pair = self.nobody.grant_token(body=self.grant()).parsed
                found["body"] = models.RevokeTokenBody(pair.refresh_token)
            case "read_report":
                found["id"] = self.user.request_report().parsed.id
        return found


@pytest.fixture(scope="module")
def people(
    package: ModuleType, base_url: str, user: httpx.Client, other_user: httpx.Client
) -> People:
    mine, theirs = (Generated(package, base_url, token_of(one)) for one in (user, other_user))
    return People(package.models, Generated(package, base_url), mine, theirs)


def parsed(answer: Any, status: int, kind: type) -> Any:
    """Check what an answer is; return what was made of its body."""
    assert answer.status_code == status
    assert type(answer.parsed) is kind
    return answer.parsed


def test_the_client_has_what_the_document_names(package: ModuleType) -> None:
    """It has a function for each operation, in a package for each tag, and a class by schema."""
    places = {name: place.split(".")[-2] for name, place in operations(package).items()}
    assert places == {name: tag for name, (_, _, tag, _) in OPERATIONS.items()}
    assert {*package.models.__all__} >= SCHEMAS


def test_somebody_registers_and_signs_in(people: People, package: ModuleType) -> None:
    """Register, grant, refresh, and revoke: then the tokens are good for nothing."""
    models, nobody, account = people.models, people.nobody, people.account()
    registered = parsed(nobody.register(body=account), 201, models.User)
    assert registered.email == account.email

    def grant(kind: str, **fields: str) -> Any:
        return nobody.grant_token(body=models.GrantTokenBody(kind, **fields))

    given = grant("password", username=account.email, password=account.password)
    pair = parsed(given, 200, models.TokenPair)
    pair = parsed(grant("refresh_token", refresh_token=pair.refresh_token), 200, models.TokenPair)
    signed_in = Generated(package, nobody.base_url, pair.access_token)
    assert parsed(signed_in.read_current_user(), 200, models.User) == registered
    ended = nobody.revoke_token(body=models.RevokeTokenBody(pair.refresh_token))
    assert ended.status_code == 200
    refused = grant("refresh_token", refresh_token=pair.refresh_token)
    assert parsed(refused, 400, models.TokenError).error == "invalid_grant"


def test_a_book_is_written_and_read(people: People) -> None:
    """Create, read, read again if it has changed, replace, change and delete, if it has not."""
    models, nobody, user = people.models, people.nobody, people.user
    created = user.create_book(body=people.book(isbn=isbn()))
    book = parsed(created, 201, models.Book)
    assert created.headers["Location"] == f"/api/v1/books/{book.id}"
    read = nobody.read_book(book.id)
    assert parsed(read, 200, models.Book) == book
    unchanged = nobody.read_book(book.id, if_none_match=read.headers["ETag"])
    assert (unchanged.status_code, unchanged.parsed) == (304, None)
    replacement = people.book(title="Dawn")
    replaced = user.replace_book(book.id, body=replacement, if_match=read.headers["ETag"])
    assert parsed(replaced, 200, models.Book).isbn is None
    patch = models.BookPatch(publication_date=date(1987, 5, 1))
    changed = parsed(user.change_book(book.id, body=patch), 200, models.Book)
    assert (changed.title, changed.publication_date) == ("Dawn", date(1987, 5, 1))
    read = nobody.read_book(book.id, if_match="*")
    assert parsed(read, 200, models.Book) == changed
    assert user.delete_book(book.id, if_match=read.headers["ETag"]).status_code == 204
    parsed(nobody.read_book(book.id), 404, models.Problem)


def test_the_list_takes_every_parameter(people: People) -> None:
    """Each parameter of the list narrows, orders or pages what is found."""
    models, series = people.models, secrets.token_hex(4)
    for title, year in (("A", 1979), ("B", 1987), ("C", 1993)):
        body = people.book(title=f"{title} {series}", author=f"{title} Butler {series}")
        body.publication_date = date(year, 1, 1)
        parsed(people.user.create_book(body=body), 201, models.Book)

    def titles(**parameters: Any) -> str:
        page = parsed(people.nobody.list_books(**parameters), 200, models.BookPage)
        return "".join(book.title[0] for book in page.items)

    assert titles(search=series) == "CBA"
    assert titles(search=series, ordering="-title") == "CBA"
    assert titles(search=series, ordering="publication_date") == "ABC"
    assert titles(author=f"b butler {series}") == "B"
    assert titles(search=series, published_from=date(1987, 1, 1)) == "CB"
    assert titles(search=series, published_to=date(1987, 1, 1)) == "BA"
    assert titles(search=series, page_size=2, page=2) == "A"


@pytest.mark.usefixtures("with_tasks")
def test_a_report_is_asked_for_until_it_is_done(people: People) -> None:
    """Its status and its result are what the document says of them."""
    models, asked = people.models, parsed(people.user.request_report(), 202, people.models.Report)
    assert (asked.status, asked.finished_at, asked.result) == ("pending", None, None)

    def done() -> Any:
        found = parsed(people.user.read_report(asked.id), 200, models.Report)
        return found if found.status == "done" else None

    report = until(done, within=20, failing="the report is never done")
    assert report.finished_at >= report.created_at
    assert type(report.result) is models.Summary
    assert {type(one) for one in report.result.books_by_author} <= {models.AuthorCount}
    assert sum(one.count for one in report.result.books_by_decade) == report.result.total_books


def test_operators_ask_too(people: People, target: Target) -> None:
    """Whether it lives, whether it is ready, and what it has counted."""
    models, nobody = people.models, people.nobody
    assert parsed(nobody.liveness(), 200, models.Health).status == "ok"
    checks = parsed(nobody.readiness(), 200, models.Health).checks
    optional = {"cache": target.has_cache, "replica": target.may_have_replica}
    assert checks.additional_keys == ["database", *(name for name in optional if optional[name])]
    assert "http_requests_total" in parsed(nobody.metrics(), 200, str)


def sending(content: bytes) -> Callable[[httpx.Request], None]:
    """Put other bytes in the place of a body."""

    def change(request: httpx.Request) -> None:
        request.stream = httpx.ByteStream(content)
        request.headers["Content-Length"] = str(len(content))

    return change


def as_text(request: httpx.Request) -> None:
    request.headers["Content-Type"] = "text/plain"


def not_in_utf_8(request: httpx.Request) -> None:
    request.url = request.url.copy_with(query=b"search=%FF")


def who_is_refused(people: People, name: str, status: int) -> Generated:
    """Return who is refused with a status, whatever it is that they ask for."""
    who = people.user
    match name, status:
        case "list_books", 400:
            who = people.user.altering(not_in_utf_8)
        case _, 400 if name not in OAUTH:
            who = people.user.altering(sending(b"{"))
        case _, 401:
            who = people.nobody
        case (_, 403) | ("read_report", 404):
            who = people.other
        case _, 413:
            who = people.user.altering(sending(b" " * (MEBIBYTE + 1)))
        case _, 415:
            who = people.user.altering(as_text)
    return who


def what_is_refused(people: People, name: str, status: int) -> dict[str, Any]:
    """Return what is refused with a status, whoever asks for it."""
    given = people.arguments(name)
    match name, status:
        case "grant_token", 400:
            given["body"].grant_type = "unknown"
        case "revoke_token", 400:
            given["body"].token = ""
        case _, 404 if name != "read_report":
            given["id"] = 2**62
        case "register", 409:
            people.nobody.register(**given)
        case _, 409:
            given["body"].isbn = isbn()
            people.user.create_book(body=people.book(isbn=given["body"].isbn))
        case _, 412:
            given["if_match"] = '"none"'
        case "list_books", 422:
            given["page"] = 0
        case "register", 422:
            given["body"].email = "nobody"
        case _, 422:
            given["body"].title = ""
    return given


@pytest.mark.parametrize(("name", "status"), REFUSALS)
def test_every_refusal_is_what_the_document_says(
    people: People, target: Target, name: str, status: int
) -> None:
    """Each documented status of an error can be provoked, and its body is of the schema."""
    if OPERATIONS[name][2] == "reports" and not target.has_tasks:
        pytest.skip("generated without tasks")
    ask = getattr(who_is_refused(people, name, status), name)
    answer = ask(**what_is_refused(people, name, status))
    if status == 400 and name in OAUTH:
        assert parsed(answer, status, people.models.TokenError).error == OAUTH[name]
        return
    problem = parsed(answer, status, people.models.Problem)
    assert problem.status == status
    assert bool(problem.errors) is (status == 422)
