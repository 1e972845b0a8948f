"""The live feed: who hears of which changes."""

import secrets
import signal
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from functools import partial
from itertools import product
from typing import Any

import httpx
import pytest
from websockets.exceptions import ConnectionClosedOK

from .client import (
    BOOKS,
    at_once,
    book,
    connect,
    eight,
    isbn,
    problem,
    token_of,
)
from .feed import (
    Listener,
    Raw,
    Writer,
    both,
    change,
    create,
    in_each,
    listening,
    settled,
    writing,
)
from .processes import accepts, until
from .service import Service

pytestmark = pytest.mark.usefixtures("with_feed")


def test_every_change_is_sent_to_every_client(
    listeners: list[Listener], writers: list[Writer]
) -> None:
    """Each change is sent once to every client, whichever process either is of, in order."""
    expected = []
    for one, other in product(writers, writers):
        created = one.post(BOOKS, json=book(isbn=isbn())).json()
        path = f"{BOOKS}/{created['id']}"
        replaced = other.put(path, json=book(title="Kindred")).json()
        changed = one.patch(path, json={"title": "Dawn"}).json()
        assert other.delete(path).status_code == 204
        expected += [
            change("created", created),
            change("updated", replaced),
            change("updated", changed),
            change("deleted", changed),
        ]
    expected += settled(listeners, writers)
    for listener in listeners:
        assert listener.heard == expected


def test_changes_come_in_the_order_of_the_writes(
    listeners: list[Listener], writers: list[Writer]
) -> None:
    """A change that was answered before another began is sent before it, also across processes."""
    expected = [create(writer) for _ in range(50) for writer in writers]
    expected += settled(listeners, writers)
    for listener in listeners:
        assert listener.heard == expected


def test_of_changes_at_once_none_is_lost_or_sent_twice(
    user: httpx.Client, base_url: str, listeners: list[Listener], writers: list[Writer]
) -> None:
    """Eight writers at once: every client hears of each change once."""

    def write(client: httpx.Client) -> list[dict[str, Any]]:
        return [create(client) for _ in range(10)]

    def number(message: dict[str, Any]) -> int:
        return message["book"]["id"]

    with eight(base_url, token_of(user)) as clients:
        expected = [m for part in at_once([partial(write, c) for c in clients]) for m in part]
    expected += settled(listeners, writers)
    expected.sort(key=number)
    for listener in listeners:
        assert sorted(listener.heard, key=number) == expected


def test_text_is_sent_as_it_is(listeners: list[Listener], writers: list[Writer]) -> None:
    """A message is UTF-8, and has all text as the API has it."""
    text = "Ünïcødé 図書館 \N{BOOKS} <b>\"so\"</b> & 'so' \\ \u2028"
    message = create(writers[0], title=text, author=text)
    for listener in listeners:
        assert listener.hears(message)


def test_a_client_hears_of_changes_from_the_moment_it_is_let_in(
    service: Service, writers: list[Writer]
) -> None:
    """A change made right after the answer to the handshake is sent to the new client too."""
    for writer in writers * 5:
        with listening(service.base_url) as listener:
            assert listener.hears(create(writer))


REFUSED: dict[str, tuple[int, Callable[..., httpx.Response]]] = {
    "a creation without a token": (
        401,
        lambda user, _other, _path, _isbn: user.post(BOOKS, json=book(), headers=ANONYMOUS),
    ),
    "a change without a token": (
        401,
        lambda user, _other, path, _isbn: user.patch(path, json={}, headers=ANONYMOUS),
    ),
    "a deletion without a token": (
        401,
        lambda user, _other, path, _isbn: user.delete(path, headers=ANONYMOUS),
    ),
    "another user's replacement": (
        403,
        lambda _user, other, path, _isbn: other.put(path, json=book()),
    ),
    "another user's change": (
        403,
        lambda _user, other, path, _isbn: other.patch(path, json={"title": "Mine"}),
    ),
    "another user's deletion": (403, lambda _user, other, path, _isbn: other.delete(path)),
    "a change of no book": (
        404,
        lambda user, _other, _path, _isbn: user.patch(f"{BOOKS}/{2**62}", json={"title": "x"}),
    ),
    "a deletion of no book": (
        404,
        lambda user, _other, _path, _isbn: user.delete(f"{BOOKS}/{2**62}"),
    ),
    "a creation with a taken ISBN": (
        409,
        lambda user, _other, _path, taken: user.post(BOOKS, json=book(isbn=taken)),
    ),
    "a change to a taken ISBN": (
        409,
        lambda user, _other, path, taken: user.patch(path, json={"isbn": taken}),
    ),
    "a change of an older version": (
        412,
        lambda user, _other, path, _isbn: user.patch(path, json={"title": "x"}, headers=STALE),
    ),
    "a deletion of an older version": (
        412,
        lambda user, _other, path, _isbn: user.delete(path, headers=STALE),
    ),
    "a creation that is not valid": (
        422,
        lambda user, _other, _path, _isbn: user.post(BOOKS, json=book(title="")),
    ),
    "a change that is not valid": (
        422,
        lambda user, _other, path, _isbn: user.patch(path, json={"title": ""}),
    ),
    "no JSON": (400, lambda user, _other, path, _isbn: user.patch(path, content="{", headers=JSON)),
}
ANONYMOUS = {"Authorization": ""}
STALE = {"If-Match": '"0"'}
JSON = {"Content-Type": "application/json"}


@pytest.mark.parametrize("kind", REFUSED)
def test_a_refused_write_is_not_sent(
    user: httpx.Client,
    other_user: httpx.Client,
    listeners: list[Listener],
    writers: list[Writer],
    kind: str,
) -> None:
    """Of a write that is refused nobody hears."""
    expected = [create(user, isbn=isbn()), create(user)]
    taken, path = expected[0]["book"]["isbn"], f"{BOOKS}/{expected[1]['book']['id']}"
    status, write = REFUSED[kind]
    assert write(user, other_user, path, taken).status_code == status
    expected += settled(listeners, writers)
    for listener in listeners:
        assert listener.heard == expected


def test_of_eight_creators_of_one_isbn_only_the_winner_is_sent(
    user: httpx.Client, base_url: str, listeners: list[Listener], writers: list[Writer]
) -> None:
    """Of creators with the same ISBN exactly one wins, and only its book is sent."""
    body = book(isbn=isbn())
    with eight(base_url, token_of(user)) as clients:
        answers = at_once([partial(client.post, BOOKS, json=body) for client in clients])
    [created] = [answer.json() for answer in answers if answer.status_code == 201]
    expected = [change("created", created), *settled(listeners, writers)]
    for listener in listeners:
        assert listener.heard == expected


WRITES: dict[str, Callable[[httpx.Client, str], httpx.Response]] = {
    "created": lambda client, _path: client.post(BOOKS, json=book()),
    "updated": lambda client, path: client.patch(path, json={"title": secrets.token_hex(4)}),
    "deleted": lambda client, path: client.delete(path),
}


@pytest.mark.parametrize("kind", WRITES)
def test_who_has_heard_of_a_change_reads_it(
    service: Service, listeners: list[Listener], writers: list[Writer], kind: str
) -> None:
    """A change is sent after its commit: who has heard of it reads it, from any process.

    A commit takes half a second here, so that what is sent before it comes too early.
    """
    written = create(writers[0])
    path = f"{BOOKS}/{written['book']['id']}"
    with (
        writing(service.web_processes(), service.base_url, token_of(writers[0])) as readers,
        ThreadPoolExecutor(1) as pool,
    ):
        for reader in readers * 2:
            assert reader.get(path).json() == written["book"]
        for listener in listeners:
            assert listener.hears(written)
        with service.database.slow_commits("book"):
            answer = pool.submit(WRITES[kind], writers[0], path)
            message = listeners[0].hear()
            found = [reader.get(f"{BOOKS}/{message['book']['id']}") for reader in readers]
        assert answer.result().is_success
    assert message["type"] == f"book.{kind}"
    for response in found:
        if kind == "deleted":
            problem(response, 404)
        else:
            assert response.json() == message["book"]


@pytest.mark.parametrize("kind", WRITES)
def test_a_change_that_cannot_be_committed_is_not_sent(
    service: Service, listeners: list[Listener], writers: list[Writer], kind: str
) -> None:
    """Of a write that fails at its very end, the commit, nobody hears."""
    expected = [create(writers[0])]
    path = f"{BOOKS}/{expected[0]['book']['id']}"
    with service.database.refusing("book"):
        assert WRITES[kind](writers[0], path).is_server_error
    expected += settled(listeners, writers)
    for listener in listeners:
        assert listener.heard == expected


@pytest.mark.database("sqlite", "mysql", "mariadb")
@pytest.mark.parametrize("kind", WRITES)
def test_a_change_that_a_trigger_refuses_is_not_sent(
    service: Service, listeners: list[Listener], writers: list[Writer], kind: str
) -> None:
    """Of a write that a trigger refuses nobody hears; SQLite does so at the commit."""
    expected = [create(writers[0])]
    path = f"{BOOKS}/{expected[0]['book']['id']}"
    with service.database.refusing("book"):
        assert WRITES[kind](writers[0], path).is_error
    expected += settled(listeners, writers)
    for listener in listeners:
        assert listener.heard == expected


def test_on_sigterm_clients_are_told_to_go_away(service: Service, user: httpx.Client) -> None:
    """On SIGTERM each client gets 1001, and the processes end in time, whatever clients do."""
    with service.another_web() as (web, base_url), ExitStack() as stack:
        processes = both(web, base_url)
        found = stack.enter_context(in_each(processes, lambda: listening(base_url)))
        silent = stack.enter_context(in_each(processes, lambda: Raw(base_url)))
        message = create(user)
        for listener in found:
            assert listener.hears(message)
        web.terminate()
        for listener in found:
            with pytest.raises(ConnectionClosedOK) as closed:
                listener.hear()
            assert closed.value.rcvd
            assert closed.value.rcvd.code == 1001
        assert web.wait(30) in {0, -signal.SIGTERM}
        for peer in silent:
            assert peer.end() == ([message], 1001)


def test_a_change_that_is_made_at_the_end_is_sent_too(
    service: Service, user: httpx.Client, listeners: list[Listener]
) -> None:
    """A write that is under way on SIGTERM is finished, and sent to the clients that are left."""
    with service.another_web() as (web, base_url), ThreadPoolExecutor(1) as pool:
        with connect(base_url, token_of(user)) as client:
            with service.locked("book"):
                answer = pool.submit(create, client)
                until(service.waiting, within=10, failing="the write does not wait")
                web.terminate()
                port = httpx.URL(base_url).port or 0
                until(lambda: not accepts(port), within=5, failing="it still accepts connections")
            message = answer.result()
        for listener in listeners:
            assert listener.hears(message)
        assert web.wait(30) in {0, -signal.SIGTERM}
