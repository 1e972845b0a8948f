"""The live feed: who hears of which changes."""

import secrets
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from functools import partial
from itertools import product
from typing import Any, NamedTuple

import httpx
import pytest
from websockets.exceptions import ConnectionClosedOK

from .client import (
    at_once,
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
from .processes import IN_ORDER, accepts, until
from .service import Service
from .subjects import BOOK, SHOP, Subject
from .values import values_of

pytestmark = [pytest.mark.resources("books"), pytest.mark.usefixtures("with_feed")]


def of_its_own(subject: Subject) -> dict[str, str]:
    """Return a value that no other row of its kind may have."""
    return {"isbn": isbn()} if subject == BOOK else {"sku": secrets.token_hex(8)}


def test_every_change_is_sent_to_every_client(
    listeners: list[Listener], writers: list[Writer], subject: Subject
) -> None:
    """Each change is sent once to every client, whichever process either is of, in order."""
    expected = []
    for one, other in product(writers, writers):
        body = subject.body(**of_its_own(subject))
        created = one.post(subject.path, json=body).json()
        path = f"{subject.path}/{created['id']}"
        replaced = other.put(path, json=subject.body(**{subject.text: "Kindred"})).json()
        changed = one.patch(path, json={subject.text: "Dawn"}).json()
        assert other.delete(path).status_code == 204
        expected += [
            change("created", created, subject),
            change("updated", replaced, subject),
            change("updated", changed, subject),
            change("deleted", changed, subject),
        ]
    expected += settled(listeners, writers)
    for listener in listeners:
        assert listener.heard == expected


def test_a_change_to_what_is_there_is_sent(
    listeners: list[Listener], writers: list[Writer], subject: Subject
) -> None:
    """One that gives a row the values that it has is a change: of `updated_at`."""
    written = create(writers[0], subject)
    row = written[subject.name]
    same = {subject.text: row[subject.text]}
    changed = writers[0].patch(f"{subject.path}/{row['id']}", json=same).json()
    assert changed["updated_at"] != row["updated_at"]
    expected = [written, change("updated", changed, subject)]
    expected += settled(listeners, writers)
    for listener in listeners:
        assert listener.heard == expected


@pytest.mark.resources
@pytest.mark.usefixtures("named")
@pytest.mark.parametrize("subject", SHOP, ids=str, scope="session")
def test_whatever_a_row_holds_is_sent_as_it_is_shown(
    listeners: list[Listener], writers: list[Writer], subject: Subject
) -> None:
    """Of each resource and type of field, clients of any process hear what the API shows.

    But of what is unique, whose values other tests keep.
    """
    expected = [create(writer, subject) for writer in writers]
    path = f"{subject.path}/{expected[0][subject.name]['id']}"
    for field in [field for field in subject.fields if not field.unique]:
        for sent, _ in values_of(field).kept():
            changed = writers[0].patch(path, json={field.name: sent})
            assert changed.status_code == 200, sent
            expected.append(change("updated", changed.json(), subject))
    expected += settled(listeners, writers)
    for listener in listeners:
        assert listener.heard == expected


def test_changes_come_in_the_order_of_the_writes(
    listeners: list[Listener], writers: list[Writer], subject: Subject
) -> None:
    """A change that was answered before another began is sent before it, also across processes."""
    expected = [create(writer, subject) for _ in range(50) for writer in writers]
    expected += settled(listeners, writers)
    for listener in listeners:
        assert listener.heard == expected


def test_of_changes_at_once_none_is_lost_or_sent_twice(
    user: httpx.Client,
    base_url: str,
    listeners: list[Listener],
    writers: list[Writer],
    subject: Subject,
) -> None:
    """Eight writers at once: every client hears of each change once."""

    def write(client: httpx.Client) -> list[dict[str, Any]]:
        return [create(client, subject) for _ in range(10)]

    def number(message: dict[str, Any]) -> int:
        return message[subject.name]["id"]

    with eight(base_url, token_of(user)) as clients:
        expected = [m for part in at_once([partial(write, c) for c in clients]) for m in part]
    expected += settled(listeners, writers)
    expected.sort(key=number)
    for listener in listeners:
        assert sorted(listener.heard, key=number) == expected


def test_text_is_sent_as_it_is(
    listeners: list[Listener], writers: list[Writer], subject: Subject
) -> None:
    """A message is UTF-8, and has all text as the API has it."""
    text = "Ünïcødé 図書館 \N{BOOKS} <b>\"so\"</b> & 'so' \\ \u2028"
    message = create(writers[0], subject, **{subject.text: text})
    for listener in listeners:
        assert listener.hears(message)


def test_a_client_hears_of_changes_from_the_moment_it_is_let_in(
    service: Service, writers: list[Writer], subject: Subject
) -> None:
    """A change made right after the answer to the handshake is sent to the new client too."""
    for writer in writers * 5:
        with listening(service.base_url, subject.feed) as listener:
            assert listener.hears(create(writer, subject))


class Written(NamedTuple):
    """A row that is there, who may write it, and a value that another has."""

    user: httpx.Client
    other: httpx.Client
    of: Subject
    path: str
    taken: dict[str, str]


REFUSED: dict[str, tuple[int, Callable[[Written], httpx.Response]]] = {
    "a creation without a token": (
        401,
        lambda w: w.user.post(w.of.path, json=w.of.body(), headers=ANONYMOUS),
    ),
    "a change without a token": (
        401,
        lambda w: w.user.patch(w.path, json={}, headers=ANONYMOUS),
    ),
    "a deletion without a token": (
        401,
        lambda w: w.user.delete(w.path, headers=ANONYMOUS),
    ),
    "another user's replacement": (
        403,
        lambda w: w.other.put(w.path, json=w.of.body()),
    ),
    "another user's change": (
        403,
        lambda w: w.other.patch(w.path, json={w.of.text: "Mine"}),
    ),
    "another user's deletion": (403, lambda w: w.other.delete(w.path)),
    "a change of no row": (
        404,
        lambda w: w.user.patch(f"{w.of.path}/{2**62}", json={w.of.text: "x"}),
    ),
    "a deletion of no row": (
        404,
        lambda w: w.user.delete(f"{w.of.path}/{2**62}"),
    ),
    "a creation with a taken value": (
        409,
        lambda w: w.user.post(w.of.path, json=w.of.body(**w.taken)),
    ),
    "a change to a taken value": (
        409,
        lambda w: w.user.patch(w.path, json=w.taken),
    ),
    "a change of an older version": (
        412,
        lambda w: w.user.patch(w.path, json={w.of.text: "x"}, headers=STALE),
    ),
    "a deletion of an older version": (
        412,
        lambda w: w.user.delete(w.path, headers=STALE),
    ),
    "a creation that is not valid": (
        422,
        lambda w: w.user.post(w.of.path, json=w.of.body(**{w.of.text: ""})),
    ),
    "a change that is not valid": (
        422,
        lambda w: w.user.patch(w.path, json={w.of.text: ""}),
    ),
    "no JSON": (400, lambda w: w.user.patch(w.path, content="{", headers=JSON)),
}
ANONYMOUS = {"Authorization": ""}
STALE = {"If-Match": '"0"'}
JSON = {"Content-Type": "application/json"}


@pytest.mark.parametrize("kind", REFUSED)
def test_a_refused_write_is_not_sent(
    other_user: httpx.Client,
    listeners: list[Listener],
    writers: list[Writer],
    subject: Subject,
    kind: str,
) -> None:
    """Of a write that is refused nobody hears."""
    taken = of_its_own(subject)
    user = writers[0]
    expected = [create(user, subject, **taken), create(user, subject)]
    path = f"{subject.path}/{expected[1][subject.name]['id']}"
    status, write = REFUSED[kind]
    answer = write(Written(user, other_user, subject, path, taken))
    assert answer.status_code == status
    expected += settled(listeners, writers)
    for listener in listeners:
        assert listener.heard == expected


def test_of_eight_creators_of_one_value_only_the_winner_is_sent(
    user: httpx.Client,
    base_url: str,
    listeners: list[Listener],
    writers: list[Writer],
    subject: Subject,
) -> None:
    """Of creators with the same ISBN, or unique value, one wins, and only its row is sent."""
    body = subject.body(**of_its_own(subject))
    with eight(base_url, token_of(user)) as clients:
        answers = at_once([partial(client.post, subject.path, json=body) for client in clients])
    [created] = [answer.json() for answer in answers if answer.status_code == 201]
    expected = [change("created", created, subject), *settled(listeners, writers)]
    for listener in listeners:
        assert listener.heard == expected


WRITES: dict[str, Callable[[httpx.Client, Subject, str], httpx.Response]] = {
    "created": lambda client, of, _path: client.post(of.path, json=of.body()),
    "updated": lambda client, of, path: client.patch(path, json={of.text: secrets.token_hex(4)}),
    "deleted": lambda client, _of, path: client.delete(path),
}


@pytest.mark.parametrize("kind", WRITES)
def test_who_has_heard_of_a_change_reads_it(
    service: Service,
    listeners: list[Listener],
    writers: list[Writer],
    subject: Subject,
    kind: str,
) -> None:
    """A change is sent after its commit: who has heard of it reads it, from any process.

    A commit takes half a second here, so that what is sent before it comes too early.
    """
    written = create(writers[0], subject)
    path = f"{subject.path}/{written[subject.name]['id']}"
    with (
        writing(service.web_processes(), service.base_url, token_of(writers[0])) as readers,
        ThreadPoolExecutor(1) as pool,
    ):
        for reader in readers * 2:
            assert reader.get(path).json() == written[subject.name]
        for listener in listeners:
            assert listener.hears(written)
        with service.database.slow_commits(subject.name):
            answer = pool.submit(WRITES[kind], writers[0], subject, path)
            message = listeners[0].hear()
            heard = message[subject.name]
            found = [reader.get(f"{subject.path}/{heard['id']}") for reader in readers]
        assert answer.result().is_success
    assert message["type"] == f"{subject.name}.{kind}"
    for response in found:
        if kind == "deleted":
            problem(response, 404)
        else:
            assert response.json() == heard


@pytest.mark.parametrize("kind", WRITES)
def test_a_change_that_cannot_be_committed_is_not_sent(
    service: Service,
    listeners: list[Listener],
    writers: list[Writer],
    subject: Subject,
    kind: str,
) -> None:
    """Of a write that fails at its very end, the commit, nobody hears."""
    expected = [create(writers[0], subject)]
    path = f"{subject.path}/{expected[0][subject.name]['id']}"
    with service.database.refusing(subject.name):
        assert WRITES[kind](writers[0], subject, path).is_server_error
    expected += settled(listeners, writers)
    for listener in listeners:
        assert listener.heard == expected


@pytest.mark.database("sqlite", "mysql", "mariadb")
@pytest.mark.parametrize("kind", WRITES)
def test_a_change_that_a_trigger_refuses_is_not_sent(
    service: Service,
    listeners: list[Listener],
    writers: list[Writer],
    subject: Subject,
    kind: str,
) -> None:
    """Of a write that a trigger refuses nobody hears; SQLite does so at the commit."""
    expected = [create(writers[0], subject)]
    path = f"{subject.path}/{expected[0][subject.name]['id']}"
    with service.database.refusing(subject.name):
        assert WRITES[kind](writers[0], subject, path).is_error
    expected += settled(listeners, writers)
    for listener in listeners:
        assert listener.heard == expected


def test_on_sigterm_clients_are_told_to_go_away(
    service: Service, user: httpx.Client, subject: Subject
) -> None:
    """On SIGTERM each client gets 1001, and the processes end in time, whatever clients do."""
    with service.another_web() as (web, base_url), ExitStack() as stack:
        processes = both(web, base_url)
        connected = partial(listening, base_url, subject.feed)
        found = stack.enter_context(in_each(processes, connected))
        silent = stack.enter_context(in_each(processes, partial(Raw, base_url, path=subject.feed)))
        message = create(user, subject)
        for listener in found:
            assert listener.hears(message)
        web.terminate()
        for listener in found:
            with pytest.raises(ConnectionClosedOK) as closed:
                listener.hear()
            assert closed.value.rcvd
            assert closed.value.rcvd.code == 1001
        assert web.wait(30) in IN_ORDER
        for peer in silent:
            assert peer.end() == ([message], 1001)


def test_a_change_that_is_made_at_the_end_is_sent_too(
    service: Service, user: httpx.Client, listeners: list[Listener], subject: Subject
) -> None:
    """A write that is under way on SIGTERM is finished, and sent to the clients that are left."""
    with service.another_web() as (web, base_url), ThreadPoolExecutor(1) as pool:
        with connect(base_url, token_of(user)) as client:
            with service.locked(subject.name):
                answer = pool.submit(create, client, subject)
                until(service.waiting, within=10, failing="the write does not wait")
                web.terminate()
                port = httpx.URL(base_url).port or 0
                until(lambda: not accepts(port), within=5, failing="it still accepts connections")
            message = answer.result()
        for listener in listeners:
            assert listener.hears(message)
        assert web.wait(30) in IN_ORDER
