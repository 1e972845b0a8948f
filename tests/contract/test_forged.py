"""Whoever may write into Redis gets no code run, and is not believed."""

import os
import pickle
import secrets
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import redis

from .client import BOOKS, ME
from .service import Service

Make = Callable[..., dict[str, Any]]

FORGERIES: dict[str, Callable[[bytes], bytes]] = {
    "nothing": lambda _: b"",
    "garbage": lambda _: b"\xff\x00\n" + secrets.token_bytes(64),
    "JSON of another shape": lambda _: b'{"id": [], "email": 1}',
    "a beginning": lambda found: found[:16],
    "a beginning with other JSON": lambda found: found[:16] + b"[]",
    "a longer one with other JSON": lambda found: found[:32] + b"[]",
}


@pytest.fixture
def cache(service: Service, with_cache: None) -> Iterator[redis.Redis]:
    """Give what somebody has who knows the password of Redis."""
    with service.cache.client() as client:
        yield client
        client.flushdb()


class Code:
    """Once it is unpickled, there is a directory."""

    def __init__(self, path: Path) -> None:
        self.path = str(path)

    def __reduce__(self) -> tuple[Callable[[str], None], tuple[str]]:
        return os.mkdir, (self.path,)


def rewrite(cache: redis.Redis, change: Callable[[bytes], bytes]) -> None:
    """Replace everything in Redis that is text."""
    for key in cache.scan_iter(_type="string"):
        cache.set(key, change(cache.get(key) or b""), keepttl=True)


def answers(user: httpx.Client, path: str) -> list[tuple[int, Any]]:
    return [(r.status_code, r.json()) for r in map(user.get, (path, BOOKS, ME))]


@pytest.mark.parametrize("forgery", FORGERIES)
def test_what_somebody_else_wrote_reads_as_a_miss(
    cache: redis.Redis, user: httpx.Client, make_book: Make, forgery: str
) -> None:
    """An entry of any other shape is as none: the answer is the right one."""
    path = f"{BOOKS}/{make_book()['id']}"
    expected = answers(user, path)
    rewrite(cache, FORGERIES[forgery])
    assert answers(user, path) == expected


def test_keys_of_another_type_read_as_a_miss(
    cache: redis.Redis, user: httpx.Client, make_book: Make
) -> None:
    """So is what is no text at all."""
    path = f"{BOOKS}/{make_book()['id']}"
    expected = answers(user, path)
    for key in cache.scan_iter(_type="string"):
        cache.delete(key)
        cache.hset(key, "field", "value")
    assert answers(user, path) == expected


def test_a_pickle_is_never_opened(
    cache: redis.Redis, user: httpx.Client, make_book: Make, tmp_path: Path
) -> None:
    """Python's pickles run code when they are opened: nothing that Redis says is code."""
    path = f"{BOOKS}/{make_book()['id']}"
    expected = answers(user, path)
    trap = tmp_path / "trap"
    rewrite(cache, lambda _: pickle.dumps(Code(trap)))
    assert answers(user, path) == expected
    assert not trap.exists()


def test_an_entry_makes_nobody_somebody_else(
    cache: redis.Redis, user: httpx.Client, other_user: httpx.Client
) -> None:
    """Who a user is stands in the token and in the database, whatever Redis says."""
    mine, theirs = user.get(ME).json(), other_user.get(ME).json()
    rewrite(cache, lambda found: found.replace(*(who["email"].encode() for who in (mine, theirs))))
    assert [user.get(ME).json(), other_user.get(ME).json()] == [mine, theirs]


def test_an_entry_counts_where_it_was_stored_alone(
    cache: redis.Redis, user: httpx.Client, other_user: httpx.Client, make_book: Make
) -> None:
    """A true entry under the name of another, its company included, is not taken for it."""
    paths = [f"{BOOKS}/{make_book(title=title)['id']}" for title in ("Kindred", "Dawn")]
    requests = [(user, path) for path in paths] + [(user, ME), (other_user, ME)]
    expected = [client.get(path).json() for client, path in requests]
    ids = [str(answer["id"]).encode() for answer in expected]
    found = {key: cache.get(key) or b"" for key in cache.scan_iter(_type="string")}
    for kept, taken in (ids[:2], ids[2:]):
        for key, value in found.items():
            if taken in key.split(b":"):
                name = b":".join(kept if part == taken else part for part in key.split(b":"))
                cache.set(name, value, ex=60)
    assert [client.get(path).json() for client, path in requests] == expected


def test_a_forged_book_is_not_shown(
    cache: redis.Redis, anonymous: httpx.Client, make_book: Make
) -> None:
    """What is shown of a book is what the database holds."""
    title = secrets.token_hex(8)
    path = f"{BOOKS}/{make_book(title=title)['id']}"
    expected = [anonymous.get(each).json() for each in (path, BOOKS)]
    rewrite(cache, lambda found: found.replace(title.encode(), b"0123456789abcdef"))
    assert [anonymous.get(each).json() for each in (path, BOOKS)] == expected
