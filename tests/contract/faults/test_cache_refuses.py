"""The cache can be read but not written: what it was not told of is shown to nobody."""

import secrets
import time

import httpx
import pytest

from ..client import (
    BOOKS,
    TOKEN,
    bearer,
    book,
    connect,
    login,
    oauth_error,
    prompt,
    register,
    token_of,
)
from ..processes import until
from ..service import Service
from .outages import SOON, WHY, create


def shown(client: httpx.Client, path: str) -> list[str]:
    """Return the titles that a book has by itself, and in the list that most ask for."""
    response = client.get(path)
    books = [response.json()] if response.status_code == 200 else []
    listed = client.get(BOOKS).json()["items"]
    return [b["title"] for b in [*books, *listed] if path == f"{BOOKS}/{b['id']}"]


@pytest.mark.usefixtures("with_cache")
@WHY
@pytest.mark.parametrize("write", ["PATCH", "DELETE"])
def test_a_book_changed_while_the_cache_refuses_is_not_old(
    service: Service, user: httpx.Client, why: str, write: str
) -> None:
    """No reader who starts after a write was answered sees the old book, in whatever process.

    Nor does one see it for long once the cache takes writes again, though the process that was
    refused then gets no request.
    """
    headers = bearer(token_of(user))
    for writer in service.web_processes():
        path = create(user)
        for _ in range(3):
            shown(user, path)
        title = secrets.token_hex(4)
        with service.cache.refusing(why):
            with service.only(writer) as client:
                body = {"title": title} if write == "PATCH" else None
                assert client.request(write, path, json=body, headers=headers).is_success
            expected = [title, title] if write == "PATCH" else []
            for reader in service.web_processes():
                with service.only(reader) as client:
                    assert shown(client, path) == expected
        time.sleep(SOON)
        for reader in service.web_processes():
            if reader != writer:
                with service.only(reader) as client:
                    assert shown(client, path) == expected


@pytest.mark.usefixtures("with_cache")
@WHY
def test_while_the_cache_refuses_every_request_is_served(
    service: Service, user: httpx.Client, why: str
) -> None:
    """A Redis that refuses costs no request; it is reported, and used again afterwards."""
    path = create(user)
    user.get(path)
    with service.cache.refusing(why):
        requests = [
            (200, "GET", path, None),
            (200, "GET", BOOKS, None),
            (200, "PUT", path, book(title="Dawn")),
            (200, "GET", path, None),
            (201, "POST", BOOKS, book()),
        ]
        seconds = []
        for expected, method, where, body in requests:
            response = user.request(method, where, json=body)
            assert response.status_code == expected, response.text
            seconds.append(response.elapsed.total_seconds())
        assert prompt(seconds, limit=2), seconds
        ready = user.get("/readyz")
        assert ready.status_code == 200
        checks = {"database": "ok", "cache": "error"}
        assert ready.json() == {"status": "degraded", "checks": checks}
    for process in service.web_processes():
        with service.only(process) as client:
            until(
                lambda client=client: client.get(path).headers["X-Cache"] == "hit",
                within=15,
                failing="the cache is not used again",
            )
            assert client.get("/readyz").json()["status"] == "ok"


@pytest.mark.usefixtures("with_cache")
@WHY
def test_while_the_cache_refuses_logins_are_not_counted(service: Service, why: str) -> None:
    """A Redis that refuses costs no login: there is no limit then, but a warning in the log."""
    with (
        service.another_web(LOGIN_ATTEMPTS="1", WEB_CONCURRENCY="1") as (web, base_url),
        connect(base_url) as client,
    ):
        credentials = register(client)
        wrong = {"grant_type": "password", **credentials, "password": "not this one"}
        with service.cache.refusing(why):
            for _ in range(3):
                oauth_error(client.post(TOKEN, data=wrong), "invalid_grant")
            login(client, credentials)
        assert "warning" in {event["level"] for event in web.events()}
