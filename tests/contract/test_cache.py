"""The cache: single books are read through it, and no reader sees an old one."""

import random
import secrets
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Event
from typing import Any

import httpx
import pytest

from .client import bearer, connect, token_of
from .processes import until
from .service import Service
from .smoke import some
from .subjects import Subject

pytestmark = [pytest.mark.usefixtures("with_cache"), pytest.mark.resources("books")]

Make = Callable[..., dict[str, Any]]


@pytest.fixture
def path(subject: Subject, make: Make) -> str:
    return f"{subject.path}/{make()['id']}"


def x_cache(client: httpx.Client, path: str) -> str:
    response = client.get(path)
    assert response.status_code == 200
    return response.headers["X-Cache"]


def warm(client: httpx.Client, path: str) -> None:
    until(lambda: x_cache(client, path) == "hit", within=20, failing="the cache is never hit")


@pytest.mark.smoke
def test_a_book_is_read_through_the_cache(anonymous: httpx.Client, path: str) -> None:
    """The first read says `X-Cache: miss`, the next `hit`, with the same answer."""
    first, second = anonymous.get(path), anonymous.get(path)
    assert [r.headers["X-Cache"] for r in (first, second)] == ["miss", "hit"]
    assert first.json() == second.json()
    assert first.headers["ETag"] == second.headers["ETag"]


def test_the_processes_share_the_cache(service: Service, path: str) -> None:
    """What one process has read is a hit in the other."""
    with service.only(service.web_processes()[0]) as client:
        assert x_cache(client, path) == "miss"
    with service.only(service.web_processes()[1]) as client:
        assert x_cache(client, path) == "hit"


def test_a_cached_copy_lasts_60_seconds(
    anonymous: httpx.Client, service: Service, subject: Subject, make: Make
) -> None:
    """A cached copy ends by itself after 60 seconds, and nothing stays in the cache for ever."""
    text = secrets.token_hex(8)
    warm(anonymous, f"{subject.path}/{make(**{subject.text: text})['id']}")
    with service.cache.client() as cache:
        lives = {key: cache.ttl(key) for key in cache.scan_iter()}
        texts = [key for key in lives if cache.type(key) == b"string"]
        copies = [key for key in texts if text.encode() in (cache.get(key) or b"")]
    assert copies
    assert all(55 <= lives[key] <= 60 for key in copies)
    assert -1 not in lives.values()


def test_a_hit_asks_nothing_of_the_database(
    anonymous: httpx.Client, service: Service, subject: Subject, path: str
) -> None:
    """A hit is answered from the cache alone: a locked table does not hold it up."""
    warm(anonymous, path)
    with service.locked(subject.name):
        response = anonymous.get(path, timeout=3)
    assert response.headers["X-Cache"] == "hit"


def test_a_304_comes_from_the_cache_too(anonymous: httpx.Client, path: str) -> None:
    """A conditional read says where it was answered from, as any other."""
    tag = anonymous.get(path).headers["ETag"]
    warm(anonymous, path)
    response = anonymous.get(path, headers={"If-None-Match": tag})
    assert (response.status_code, response.headers["X-Cache"]) == (304, "hit")


@pytest.mark.parametrize("method", some(["PUT", "PATCH"], "PATCH"))
def test_a_write_ends_the_cached_copy(
    user: httpx.Client, subject: Subject, path: str, method: str
) -> None:
    """The read after a change is a miss, and has the change."""
    warm(user, path)
    user.request(method, path, json=subject.body(**{subject.text: "Kindred"}))
    response = user.get(path)
    assert response.headers["X-Cache"] == "miss"
    assert response.json()[subject.text] == "Kindred"


@pytest.mark.smoke
def test_a_deletion_ends_the_cached_copy(user: httpx.Client, path: str) -> None:
    """The read after a deletion is 404, however often the book was read before."""
    warm(user, path)
    user.delete(path)
    assert user.get(path).status_code == 404


def test_lists_that_nobody_else_asks_for_are_not_kept(
    anonymous: httpx.Client, service: Service, subject: Subject
) -> None:
    """Anybody can think of lists without end: they do not fill the cache."""
    with service.cache.client() as cache:
        cache.flushdb()
        for number in range(1, 51):
            for query in (f"search={number}", f"page={number}", f"page_size={number}&x={number}"):
                assert anonymous.get(f"{subject.path}?{query}").status_code == 200
        assert anonymous.get(subject.path).status_code == 200
        kept = [key for key in cache.scan_iter() if subject.name[:4].encode() in key]
    assert 0 < len(kept) <= 2


def test_a_book_that_is_not_there_is_soon_forgotten(
    anonymous: httpx.Client, service: Service, subject: Subject
) -> None:
    """Of ids there is no end either: what is kept to tell readers from writers goes in a minute."""
    with service.cache.client() as cache:
        before = set(cache.scan_iter())
        for number in range(10**6, 10**6 + 50):
            assert anonymous.get(f"{subject.path}/{number}").status_code == 404
        lives = {key: cache.ttl(key) for key in set(cache.scan_iter()) - before}
    assert all(0 <= life <= 60 for life in lives.values()), lives


def test_a_write_in_one_process_ends_the_copy_of_both(
    service: Service, user: httpx.Client, subject: Subject, path: str
) -> None:
    """A reader in the other process sees the change too: no process keeps a copy of its own."""
    headers = bearer(token_of(user))
    writer, reader = service.web_processes()
    for text in ("Kindred", "Dawn", "Wild Seed"):
        with service.only(reader) as client:
            warm(client, path)
        with service.only(writer) as client:
            assert client.patch(path, json={subject.text: text}, headers=headers).is_success
        with service.only(reader) as client:
            assert client.get(path).json()[subject.text] == text
        writer, reader = reader, writer


def test_a_refused_write_leaves_the_book_readable(
    user: httpx.Client, other_user: httpx.Client, subject: Subject, path: str
) -> None:
    """A change that is refused is not seen by any reader, cached or not."""
    before = user.get(path).json()
    other_user.patch(path, json={subject.text: "Mine now"})
    user.patch(path, json={subject.text: "Stale"}, headers={"If-Match": '"0"'})
    assert [user.get(path).json() for _ in range(3)] == [before] * 3


def test_no_reader_who_starts_after_a_write_sees_the_old_book(
    service: Service, user: httpx.Client, subject: Subject, make: Make
) -> None:
    """A write ends the cached copy before the writer has its answer: nobody reads the old book.

    Readers and writers hammer one book through both processes. The processes are stopped for
    moments at random, so that one of them holds what it has read from the database while the
    other changes it: what it then puts into the cache would be stale.
    """
    created = make(**{subject.text: "0"})
    path = f"{subject.path}/{created['id']}"
    processes = service.web_processes()
    done = Event()
    answered = 0
    reads = 0
    stale: list[tuple[int, str, str]] = []

    def write() -> None:
        nonlocal answered
        with connect(service.base_url, token_of(user)) as client:
            while not done.is_set():
                response = client.patch(path, json={subject.text: str(answered + 1)})
                assert response.status_code == 200
                answered += 1

    def read(*, keep_alive: float, listed: bool) -> None:
        nonlocal reads
        with connect(service.base_url, keep_alive=keep_alive) as client:
            while not done.is_set():
                floor = answered
                if listed:  # as most are asked for: the newest book is in it
                    items = client.get(subject.path).json()["items"]
                    [found] = [one for one in items if one["id"] == created["id"]]
                else:
                    found = client.get(path).json()
                if int(found[subject.text]) < floor:
                    stale.append((floor, found[subject.text], "listed" if listed else "alone"))
                reads += 1

    def disturb() -> None:
        chance = random.Random(9)
        while not done.is_set():
            process = chance.choice(processes)
            process.suspend()
            time.sleep(chance.uniform(0.001, 0.02))
            process.resume()
            time.sleep(chance.uniform(0.001, 0.02))

    with ThreadPoolExecutor(8) as pool:
        running = [
            pool.submit(write),
            pool.submit(disturb),
            *(pool.submit(read, keep_alive=n > 1, listed=n % 3 == 0) for n in range(6)),
        ]
        try:
            time.sleep(6)
            until(
                lambda: answered > 50 and reads > 200,
                within=60,
                failing="it is hardly read or written",
            )
        finally:
            done.set()
        for future in running:
            future.result()
    assert not stale, f"{len(stale)} of {reads} reads were stale: {stale[:5]}"
