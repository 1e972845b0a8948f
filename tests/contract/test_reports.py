"""Reports: asked for, computed by the worker, and told to nobody but their creator."""

import secrets
from collections import Counter
from collections.abc import Callable
from functools import partial
from types import ModuleType
from typing import Any

import httpx
import pytest

from .client import (
    BOOKS,
    REPORTS,
    at_once,
    connect,
    eight,
    login,
    problem,
    register,
    utc,
)
from .generated import Generated
from .processes import until
from .service import Service

pytestmark = pytest.mark.usefixtures("with_tasks")

Make = Callable[..., dict[str, Any]]


def ask(client: httpx.Client) -> dict[str, Any]:
    response = client.post(REPORTS)
    assert response.status_code == 202, response.text
    return response.json()


def finished(client: httpx.Client, report: dict[str, Any], within: float = 20) -> dict[str, Any]:
    """Wait for a report to end, and return it."""

    def ended() -> dict[str, Any] | None:
        response = client.get(f"{REPORTS}/{report['id']}")
        assert response.status_code == 200, response.text
        found = response.json()
        return found if found["status"] in {"done", "failed"} else None

    return until(ended, within=within, failing=f"report {report['id']} does not end")


def catalogue(client: httpx.Client) -> list[dict[str, Any]]:
    """Return every book there is."""
    books: list[dict[str, Any]] = []
    page = 1
    while True:
        body = client.get(BOOKS, params={"page": page, "page_size": 100}).json()
        books += body["items"]
        if page >= body["pages"]:
            return books
        page += 1


def test_a_report_is_accepted(user: httpx.Client) -> None:
    """`POST /api/v1/reports` is 202, a pending report, with its `Location`."""
    response = user.post(REPORTS)
    assert response.status_code == 202
    report = response.json()
    assert {*report} == {"id", "status", "created_at", "finished_at", "result"}
    assert (report["status"], report["finished_at"], report["result"]) == ("pending", None, None)
    assert response.headers["Location"] == f"{REPORTS}/{report['id']}"
    utc(report["created_at"])


def test_the_location_is_the_report(user: httpx.Client) -> None:
    """`Location` leads to the report."""
    response = user.post(REPORTS)
    found = user.get(response.headers["Location"])
    assert found.status_code == 200
    assert found.json()["id"] == response.json()["id"]


@pytest.mark.smoke
def test_a_report_is_done_in_the_end(user: httpx.Client) -> None:
    """The worker computes the report: `done`, with a result and the time that it ended."""
    asked = ask(user)
    report = finished(user, asked)
    assert {*report} == {*asked}
    assert report["status"] == "done"
    assert {*report["result"]} == {"total_books", "books_by_author", "books_by_decade"}
    assert report["created_at"] == asked["created_at"]
    assert utc(report["finished_at"]) >= utc(report["created_at"])


def test_a_report_counts_the_catalogue(user: httpx.Client, make_book: Make) -> None:
    """The result has all books, the top 10 authors by count then name, and every decade."""
    series = secrets.token_hex(4)
    for number in range(12):
        make_book(author=f"{number:02} {series}", publication_date=f"{1890 + number}-12-31")
        make_book(author=f"{number:02} {series}", publication_date="0009-01-01")
    books = catalogue(user)
    result = finished(user, ask(user))["result"]
    authors = Counter(item["author"] for item in books)
    decades = Counter(int(item["publication_date"][:4]) // 10 * 10 for item in books)
    top = sorted(authors.items(), key=lambda pair: (-pair[1], pair[0]))[:10]
    by_decade = [{"decade": decade, "count": decades[decade]} for decade in sorted(decades)]
    assert result == {
        "total_books": len(books),
        "books_by_author": [{"author": author, "count": count} for author, count in top],
        "books_by_decade": by_decade,
    }


def test_authors_with_as_many_books_are_in_order_of_name(
    user: httpx.Client, make_book: Make
) -> None:
    """Of authors with the same count the report names the first by name."""
    most = max(Counter(item["author"] for item in catalogue(user)).values())
    names = [f"{name} {secrets.token_hex(4)}" for name in ("Le Guin", "Butler", "Adams")]
    for name in names:
        for _ in range(most + 1):
            make_book(author=name)
    top = finished(user, ask(user))["result"]["books_by_author"]
    assert top[:3] == [{"author": name, "count": most + 1} for name in sorted(names)]


@pytest.mark.smoke
def test_a_report_is_told_to_its_creator_alone(
    user: httpx.Client, other_user: httpx.Client
) -> None:
    """Another user's report is 404: not even that it exists is told."""
    known = ask(user)["id"]
    theirs = problem(other_user.get(f"{REPORTS}/{known}"), 404)
    missing = problem(other_user.get(f"{REPORTS}/{known + 10**6}"), 404)
    own = {"instance", "request_id"}
    assert {k: v for k, v in theirs.items() if k not in own} == {
        k: v for k, v in missing.items() if k not in own
    }


def test_a_user_has_ten_unfinished_reports_at_most(
    service: Service, anonymous: httpx.Client, user: httpx.Client, package: ModuleType
) -> None:
    """429 with `Retry-After` beyond 10, also at the same moment; others may go on asking."""
    token = login(anonymous, register(anonymous))["access_token"]
    with connect(service.base_url, token) as asking:
        with service.database.counted_slowly("book"):  # by the worker
            reports = [ask(asking) for _ in range(9)]
            with eight(service.base_url, token) as clients:
                answers = at_once([partial(client.post, REPORTS) for client in clients])
            accepted = [answer for answer in answers if answer.status_code == 202]
            refused = [answer for answer in answers if answer.status_code != 202]
            assert len(accepted) == 1
            for answer in refused:
                problem(answer, 429)
                assert int(answer.headers["Retry-After"]) > 0
            generated = Generated(package, service.base_url, token).request_report()
            assert (generated.status_code, generated.parsed.status) == (429, 429)
            another = ask(user)
        # In SQLite what has begun goes on counting slowly, to its end.
        assert finished(user, another, within=60)["status"] == "done"
        for report in reports:
            assert finished(asking, report, within=60)["status"] == "done"
        ask(asking)


@pytest.mark.parametrize("name", ["0", "-1", str(2**63), "9" * 40, "x", "%00", "%FF", "a%20b"])
def test_an_id_that_can_be_no_report_s_is_nothing(user: httpx.Client, name: str) -> None:
    """404, as any path that names nothing."""
    found = problem(user.get(f"{REPORTS}/{name}"), 404)
    assert found["detail"] == "There is nothing at this path."


def test_reports_do_not_wait_for_each_other(user: httpx.Client) -> None:
    """Each of many reports is done, under an id of its own."""
    asked = [ask(user) for _ in range(5)]
    assert len({report["id"] for report in asked}) == 5
    assert {finished(user, report)["status"] for report in asked} == {"done"}
