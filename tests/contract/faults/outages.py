"""Outages of a server, and what the tests ask for meanwhile."""

import secrets
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import httpx
import pytest

from ..client import BOOKS, REPORTS, book, problem
from ..processes import Process, until

# Longer than a lost report takes to be found again, which no request waits for.
EVENTUALLY = 100
# So soon a cache is told of a write that it has not taken, once it does: see AGAIN in app/cache.py.
SOON = 1


@contextmanager
def killed(process: Process) -> Iterator[None]:
    """Take a process away for a while."""
    process.kill()
    try:
        yield
    finally:
        process.start()


def lost(process: Process, how: str) -> AbstractContextManager[None]:
    """Make a server not answer for a while: `killed`, it refuses; `paused`, it is silent."""
    return killed(process) if how == "killed" else process.paused()


HOW = pytest.mark.parametrize("how", ["killed", "paused"])
# Of a cache; those of a broker are its own: see the fixture `refusal`.
WHY = pytest.mark.parametrize("why", ["full", "replica", "alone", "unsaved"])


def create(user: httpx.Client, **fields: Any) -> str:
    response = user.post(BOOKS, json=book(**fields))
    assert response.status_code == 201, response.text
    return response.headers["Location"]


def unread() -> str:
    """Return a list that nobody has read yet, and so no cache can hold."""
    return f"{BOOKS}?search={secrets.token_hex(8)}"


def ask(user: httpx.Client) -> str:
    response = user.post(REPORTS)
    assert response.status_code == 202, response.text
    return response.headers["Location"]


def status(user: httpx.Client, path: str) -> str:
    response = user.get(path)
    assert response.status_code == 200, response.text
    return response.json()["status"]


def done(user: httpx.Client, path: str) -> None:
    until(
        lambda: status(user, path) == "done", within=EVENTUALLY, failing="the report is never done"
    )


def unavailable(response: httpx.Response) -> None:
    """Check a 503: a problem, with the time after which to try again."""
    problem(response, 503)
    assert response.headers["Retry-After"]
