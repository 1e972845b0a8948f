"""The live feed: what clients may say, and what they are answered."""

import json
import secrets
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from websockets.exceptions import ConnectionClosed, ConnectionClosedError

from .client import (
    BOOKS,
)
from .feed import (
    Listener,
    Writer,
    change,
    create,
    is_change,
    listening,
)
from .smoke import some
from .subjects import Subject

pytestmark = pytest.mark.usefixtures("with_feed")


@pytest.fixture
def listener(base_url: str, subject: Subject) -> Iterator[Listener]:
    with listening(base_url, subject.feed) as found:
        yield found


def test_a_filter_lets_only_its_authors_through(
    listeners: list[Listener], writers: list[Writer]
) -> None:
    """After `{"action": "filter", "authors": [...]}` only those authors' books are sent."""
    wanted, other, unwanted = (f"Ünïcødé 図書館 {secrets.token_hex(4)}" for _ in range(3))
    for listener in listeners:
        listener.filter(wanted, other)
    expected = []
    for writer in writers:
        for author in (wanted, unwanted, other):
            created = create(writer, author=author)
            path = f"{BOOKS}/{created['book']['id']}"
            changed = writer.patch(path, json={"title": "Dawn"}).json()
            assert writer.delete(path).status_code == 204
            if author != unwanted:
                expected += [created, change("updated", changed), change("deleted", changed)]
    last = create(writers[0], author=wanted)
    for listener in listeners:
        assert listener.hears(last)
        assert [m for m in listener.heard if is_change(m)] == [*expected, last]


@pytest.mark.smoke
def test_a_filter_takes_the_place_of_the_one_before(listener: Listener, user: httpx.Client) -> None:
    """Of two filters the last holds, and an empty list ends it."""
    before, now, other = (secrets.token_hex(8) for _ in range(3))
    listener.filter(before)
    listener.filter(now)
    listener.heard.clear()
    changes = [create(user, author=author) for author in (before, now)]
    listener.filter()
    changes += [create(user, author=author) for author in (before, other)]
    assert listener.hears(*changes[2:])
    assert [m for m in listener.heard if is_change(m)] == changes[1:]


def test_a_filter_is_its_connections_own(listeners: list[Listener], writers: list[Writer]) -> None:
    """A filter of one client takes nothing from another, of the same process or not."""
    authors = [secrets.token_hex(8) for _ in listeners[1:]]
    for listener, author in zip(listeners[1:], authors, strict=True):
        listener.filter(author)
    changes = [create(writer, author=author) for writer in writers for author in authors]
    assert listeners[0].hears(*changes)
    for listener, author in zip(listeners[1:], authors, strict=True):
        own = [message for message in changes if message["book"]["author"] == author]
        assert listener.hears(*own)
        assert [m for m in listener.heard if is_change(m)] == own


NO_FILTERS: dict[str, str | bytes] = {
    "nothing": "",
    "blanks": "  ",
    "no JSON": "{",
    "words": "filter",
    "a list": "[]",
    "null": "null",
    "a number": "1",
    "a text": '"filter"',
    "nothing in an object": "{}",
    "no action": '{"authors": []}',
    "no authors": '{"action": "filter"}',
    "another action": '{"action": "subscribe", "authors": []}',
    "an action in capitals": '{"action": "FILTER", "authors": []}',
    "an action of null": '{"action": null, "authors": []}',
    "an action in a list": '{"action": ["filter"], "authors": []}',
    "authors of null": '{"action": "filter", "authors": null}',
    "one author": '{"action": "filter", "authors": "Ursula K. Le Guin"}',
    "an object of authors": '{"action": "filter", "authors": {"0": "Ursula K. Le Guin"}}',
    "an author of null": '{"action": "filter", "authors": [null]}',
    "an author in figures": '{"action": "filter", "authors": ["Ursula K. Le Guin", 7]}',
    "an author of true": '{"action": "filter", "authors": [true]}',
    "a list of lists": '{"action": "filter", "authors": [["Ursula K. Le Guin"]]}',
    "one field too many": '{"action": "filter", "authors": [], "titles": []}',
    "two objects": '{"action": "filter", "authors": []} {}',
    "NaN": '{"action": "filter", "authors": NaN}',
    "NaN alone": "NaN",
    "infinity": '{"action": "filter", "authors": [-Infinity]}',
    "a huge number": f'{{"action": "filter", "authors": {"9" * 4000}}}',
    "a lone surrogate": '{"action": "filter", "authors": ["\\ud800"]}',
    "a lone surrogate for a name": '{"action": "filter", "authors": [], "\\udfff": 1}',
    "a lone surrogate for an action": '{"action": "\\ud800", "authors": []}',
    "deep lists": "[" * 4096,
    "deep lists that end": "[" * 2048 + "]" * 2048,
    "deep objects": '{"a":' * 800,
    "deep authors": f'{{"action": "filter", "authors": {"[" * 2000 + "]" * 2000}}}',
    "a NUL": "\0",
    "a comment": '{"action": "filter", "authors": []} // all',
    "a binary message": b'{"action": "filter", "authors": []}',
    "nothing in a binary message": b"",
    "a binary message of no UTF-8": b"\xff\xfe",
}


@pytest.mark.parametrize("kind", some(NO_FILTERS, "no JSON"))
def test_anything_else_is_answered_with_an_error(
    listener: Listener, user: httpx.Client, kind: str
) -> None:
    """What is no filter gets `{"type": "error", "detail": "..."}`; all stays as it was."""
    author = secrets.token_hex(8)
    listener.filter(author)
    answer = listener.ask(NO_FILTERS[kind])
    assert {*answer} == {"type", "detail"}
    assert answer["type"] == "error"
    assert answer["detail"]
    assert isinstance(answer["detail"], str)
    listener.heard.clear()
    create(user)
    wanted = create(user, author=author)
    assert listener.hear() == wanted


@pytest.mark.resources
@pytest.mark.parametrize("kind", [*NO_FILTERS, "a filter"])
def test_whatever_a_client_says_is_answered_with_an_error(
    listener: Listener, user: httpx.Client, subject: Subject, kind: str
) -> None:
    """The feed of all changes has nothing to ask for; the connection stays."""
    answer = listener.ask(NO_FILTERS.get(kind, '{"action": "filter", "authors": []}'))
    assert {*answer} == {"type", "detail"}
    assert answer["type"] == "error"
    created = create(user, subject)
    assert listener.hear() == created


def padded(size: int, **message: Any) -> str:
    """Write a message as JSON of a size in bytes."""
    text = json.dumps(message, ensure_ascii=False)
    return text + " " * (size - len(text.encode()))


def test_a_message_of_4_kib_is_taken(listener: Listener, user: httpx.Client) -> None:
    """A message of 4096 bytes is one like any other."""
    authors = [f"{number} 図書館" for number in range(150)]
    message = padded(4096, action="filter", authors=authors)
    assert listener.ask(message) == {"type": "filter", "authors": authors}
    assert listener.hears(create(user, author=authors[-1]))
    assert listener.ask("x" * 4096)["type"] == "error"
    assert listener.ask(b"x" * 4096)["type"] == "error"


TOO_LARGE: dict[str, str | bytes] = {
    "4097 bytes": padded(4097, action="filter", authors=[]),
    "4097 binary bytes": bytes(4097),
    "4098 bytes in 2049 characters": "é" * 2049,
    "70,000 bytes": " " * 70_000,
}


@pytest.mark.resources("books")
@pytest.mark.parametrize("compression", [None, "deflate"])
@pytest.mark.parametrize("kind", some(TOO_LARGE, "4097 bytes"))
def test_a_message_over_4_kib_closes_with_1009(
    base_url: str, subject: Subject, kind: str, compression: str | None
) -> None:
    """A message over 4 KiB closes with 1009: bytes count, as they are before any compression."""
    with (
        listening(base_url, subject.feed, compression=compression) as listener,
        pytest.raises(ConnectionClosedError) as closed,
    ):
        listener.ask(TOO_LARGE[kind])
    assert closed.value.rcvd
    assert closed.value.rcvd.code == 1009


@pytest.mark.resources("books")
def test_a_client_that_closes_is_answered(listener: Listener) -> None:
    """A client of another library that closes gets its code back."""
    listener.connection.close(4321)
    with pytest.raises(ConnectionClosed) as closed:
        listener.hear()
    assert closed.value.rcvd
    assert closed.value.rcvd.code == 4321
