"""Conditional requests: entity tags, 304, 412, and writers that race."""

from collections.abc import Callable
from functools import partial
from typing import Any

import httpx
import pytest

from .client import at_once, common_headers, connect, eight, problem, token_of
from .service import Service
from .smoke import some
from .subjects import Subject

pytestmark = pytest.mark.resources("books")

Make = Callable[..., dict[str, Any]]
OTHER = '"0000000000000000"'


@pytest.fixture
def row(make: Make) -> dict[str, Any]:
    return make()


@pytest.fixture
def path(subject: Subject, row: dict[str, Any]) -> str:
    return f"{subject.path}/{row['id']}"


@pytest.fixture
def body(subject: Subject, method: str) -> dict[str, Any] | None:
    """What a change says."""
    bodies = {"PUT": subject.body(), "PATCH": {subject.text: "Kindred"}}
    return bodies.get(method)


def etag(client: httpx.Client, path: str) -> str:
    response = client.get(path)
    assert response.status_code == 200, response.text
    return response.headers["ETag"]


def test_a_book_has_a_strong_etag(anonymous: httpx.Client, path: str) -> None:
    """`GET /api/v1/books/{id}` has a strong `ETag`: quoted, and without `W/`."""
    tag = etag(anonymous, path)
    assert len(tag) > 2
    assert (tag[0], tag[-1]) == ('"', '"')
    assert '"' not in tag[1:-1]


def test_an_etag_stays_while_the_book_does(service: Service, path: str) -> None:
    """Every process tells the same `ETag` of the same book, from the cache or not."""
    tags = set()
    for process in service.web_processes():
        with service.only(process) as client:
            tags |= {etag(client, path), etag(client, path)}
    assert len(tags) == 1


def test_an_etag_moves_with_every_change(user: httpx.Client, subject: Subject, path: str) -> None:
    """Each version of a book has an `ETag` of its own, also when an old text comes back."""
    tags = [etag(user, path)]
    for text in ("Kindred", "The Dispossessed", "Kindred"):
        assert user.patch(path, json={subject.text: text}).status_code == 200
        tags.append(etag(user, path))
    assert len({*tags}) == 4


@pytest.mark.parametrize(
    "match",
    some(["{}", "W/{}", "*", OTHER + ", {}", "{}," + OTHER, 'W/"x" , W/{}'], "{}"),
    ids=["same", "weak", "any", "last of a list", "first of a list", "weak in a list"],
)
def test_what_the_client_has_is_not_modified(
    anonymous: httpx.Client, path: str, match: str
) -> None:
    """A matching `If-None-Match`, by weak comparison, is 304 with the `ETag` and no body."""
    tag = etag(anonymous, path)
    response = anonymous.get(path, headers={"If-None-Match": match.format(tag)})
    assert response.status_code == 304
    assert response.content == b""
    assert response.headers["ETag"] == tag
    common_headers(response)


@pytest.mark.parametrize("match", [OTHER, f'W/{OTHER}, "x"', '""', "unquoted", ""])
def test_what_the_client_has_not_is_sent(
    anonymous: httpx.Client, row: dict[str, Any], path: str, match: str
) -> None:
    """An `If-None-Match` that matches nothing is a plain 200."""
    response = anonymous.get(path, headers={"If-None-Match": match})
    assert response.status_code == 200
    assert response.json() == row


def test_an_old_etag_no_longer_matches(user: httpx.Client, subject: Subject, path: str) -> None:
    """After a change the client that has the old book is sent the new one."""
    tag = etag(user, path)
    user.patch(path, json={subject.text: "Kindred"})
    response = user.get(path, headers={"If-None-Match": tag})
    assert response.status_code == 200
    assert response.json()[subject.text] == "Kindred"


@pytest.mark.parametrize("match", ["*", OTHER])
def test_a_missing_book_is_never_not_modified(user: httpx.Client, path: str, match: str) -> None:
    """`If-None-Match` on a book that is gone is 404."""
    user.delete(path)
    problem(user.get(path, headers={"If-None-Match": match}), 404)


CHANGES = ["PUT", "PATCH", "DELETE"]


@pytest.mark.parametrize("method", CHANGES)
@pytest.mark.parametrize(
    "match",
    some(["{}", "*", OTHER + ", {}", "{} ," + OTHER], "{}"),
    ids=["same", "any", "last", "first"],
)
def test_a_change_is_made_while_if_match_holds(
    user: httpx.Client, path: str, method: str, body: dict[str, Any] | None, match: str
) -> None:
    """`If-Match` with the book's `ETag`, alone or in a list, or `*`, lets a change through."""
    headers = {"If-Match": match.format(etag(user, path))}
    response = user.request(method, path, json=body, headers=headers)
    assert response.status_code == (204 if method == "DELETE" else 200)


@pytest.mark.parametrize("method", CHANGES)
@pytest.mark.parametrize(
    "match", [OTHER, "W/{}", f"W/{{}}, {OTHER}"], ids=["other", "weak", "weak in a list"]
)
def test_a_change_is_not_made_when_if_match_does_not_hold(
    user: httpx.Client, path: str, method: str, body: dict[str, Any] | None, match: str
) -> None:
    """An `If-Match` that does not hold, by strong comparison, is 412 and changes nothing."""
    tag = etag(user, path)
    before = user.get(path).json()
    response = user.request(method, path, json=body, headers={"If-Match": match.format(tag)})
    problem(response, 412)
    assert user.get(path).json() == before


@pytest.mark.smoke
@pytest.mark.parametrize("method", CHANGES)
def test_a_stale_if_match_is_412(
    user: httpx.Client, subject: Subject, path: str, method: str, body: dict[str, Any] | None
) -> None:
    """412 on an `If-Match` that held once and no longer does."""
    tag = etag(user, path)
    changed = user.patch(path, json={subject.text: "Somebody else's"}).json()
    problem(user.request(method, path, json=body, headers={"If-Match": tag}), 412)
    assert user.get(path).json() == changed


@pytest.mark.parametrize("match", [OTHER, "W/{}", "unquoted", ""])
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_a_book_that_is_not_the_one_expected_is_not_read(
    user: httpx.Client, subject: Subject, path: str, method: str, match: str
) -> None:
    """An `If-Match` on `GET` that does not hold, or cannot be parsed, is 412."""
    headers = {"If-Match": match.format(etag(user, path))}
    assert user.request(method, path, headers=headers).status_code == 412
    assert user.get(path, headers={"If-Match": etag(user, path)}).status_code == 200
    problem(user.get(f"{subject.path}/{2**62}", headers=headers), 404)


@pytest.mark.parametrize("method", CHANGES)
@pytest.mark.parametrize("match", ["{}", "W/{}", "*"])
def test_what_must_not_be_there_is_not_changed(
    user: httpx.Client, path: str, method: str, body: dict[str, Any] | None, match: str
) -> None:
    """RFC 9110, section 13.1.2: an `If-None-Match` that matches is 412 for a change."""
    headers = {"If-None-Match": match.format(etag(user, path))}
    before = user.get(path).json()
    problem(user.request(method, path, json=body, headers=headers), 412)
    assert user.get(path).json() == before


@pytest.mark.parametrize("method", CHANGES)
def test_not_the_creator_comes_before_a_stale_if_match(
    other_user: httpx.Client, path: str, method: str, body: dict[str, Any] | None
) -> None:
    """RFC 9110 section 13.2.1: what is refused without the condition is refused with it: 403."""
    response = other_user.request(method, path, json=body, headers={"If-Match": OTHER})
    problem(response, 403)


@pytest.mark.parametrize("method", CHANGES)
def test_a_missing_book_is_404_whatever_if_match_says(
    user: httpx.Client, path: str, method: str, body: dict[str, Any] | None
) -> None:
    """RFC 9110 section 13.2.1: a change of a book that is gone is 404 with a condition too."""
    user.delete(path)
    for match in ("*", OTHER):
        problem(user.request(method, path, json=body, headers={"If-Match": match}), 404)


@pytest.fixture
def race(
    user: httpx.Client, subject: Subject, row: dict[str, Any], method: str
) -> Callable[[list[str]], None]:
    """Let eight writers change a row under one `If-Match`, and check that one of them has."""
    told, path = {name: row[name] for name in subject.body()}, f"{subject.path}/{row['id']}"

    def run(texts: list[str]) -> None:
        headers = {"If-Match": etag(user, path)}
        bodies = [told | {subject.text: text} for text in texts]
        with eight(str(user.base_url), token_of(user)) as clients:
            calls = [
                partial(client.request, method, path, json=body, headers=headers)
                for client, body in zip(clients, bodies, strict=True)
            ]
            answers = at_once(calls)
        assert sorted(answer.status_code for answer in answers) == [200, *[412] * 7]
        [winner] = [answer for answer in answers if answer.status_code == 200]
        assert user.get(path).json() == winner.json()

    return run


@pytest.mark.parametrize("method", ["PUT", "PATCH"])
def test_of_eight_writers_with_one_if_match_one_wins(race: Callable[[list[str]], None]) -> None:
    """Two writers with the same `If-Match`: exactly one wins, and the row is the winner's."""
    for start in range(0, 32, 8):
        race([f"Writer {start + n}" for n in range(8)])


@pytest.mark.parametrize("method", ["PUT", "PATCH"])
def test_of_eight_writers_of_the_same_text_one_wins(race: Callable[[list[str]], None]) -> None:
    """Exactly one wins, also when all of them write what the row says already."""
    race(["Kindred"] * 8)
    race(["Kindred"] * 8)


def test_of_a_writer_and_a_deleter_with_one_if_match_one_wins(
    user: httpx.Client, base_url: str, subject: Subject, make: Make
) -> None:
    """A change and a deletion with the same `If-Match`: exactly one wins."""
    for _ in range(6):
        path = f"{subject.path}/{make()['id']}"
        headers = {"If-Match": etag(user, path)}
        with (
            connect(base_url, token_of(user)) as writer,
            connect(base_url, token_of(user)) as deleter,
        ):
            changed, deleted = at_once(
                [
                    partial(writer.patch, path, json={subject.text: "Kindred"}, headers=headers),
                    partial(deleter.delete, path, headers=headers),
                ]
            )
        outcome = (changed.status_code, deleted.status_code)
        assert outcome in {(200, 412), (404, 204), (412, 204)}
        assert user.get(path).status_code == (200 if changed.status_code == 200 else 404)
