"""The cache is lost: no request fails for it, and no reader sees an old book."""

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
    get,
    login,
    oauth_error,
    page_of,
    prompt,
    register,
    token_of,
)
from ..processes import until
from ..service import Service
from .outages import HOW, SOON, create, killed, lost


@pytest.mark.usefixtures("with_cache")
@HOW
def test_without_the_cache_every_request_is_served(
    service: Service, user: httpx.Client, how: str
) -> None:
    """A lost or slow Redis costs no request: reads and writes go to the database, in time."""
    path = create(user)
    user.get(path)
    with lost(service.cache, how):
        requests = [
            (200, "GET", path, None),
            (200, "GET", BOOKS, None),
            (200, "PATCH", path, {"title": "Kindred"}),
            (200, "PUT", path, book(title="Dawn")),
            (200, "GET", path, None),
            (201, "POST", BOOKS, book()),
            (204, "DELETE", path, None),
            (404, "GET", path, None),
        ]
        seconds = []
        for expected, method, where, body in requests:
            response = user.request(method, where, json=body)
            assert response.status_code == expected, response.text
            seconds.append(response.elapsed.total_seconds())
        assert prompt(seconds, limit=2), seconds


@pytest.mark.usefixtures("with_cache")
@HOW
def test_without_the_cache_reads_are_up_to_date(
    service: Service, user: httpx.Client, how: str
) -> None:
    """Without Redis a read comes from the database, and says that it is no hit."""
    path = create(user)
    for _ in range(2):
        user.get(path)
    with lost(service.cache, how):
        user.patch(path, json={"title": "Kindred"})
        for process in service.web_processes():
            with service.only(process) as client:
                response = client.get(path)
            assert (response.headers["X-Cache"], response.json()["title"]) == ("miss", "Kindred")


@pytest.mark.usefixtures("with_cache")
@HOW
def test_a_lost_cache_is_a_warning_in_the_log(
    service: Service, user: httpx.Client, how: str
) -> None:
    """A read that went past the lost Redis leaves a warning in the log."""
    path = create(user)
    logged = len(service.web.lines())
    with lost(service.cache, how):
        assert user.get(path).status_code == 200

        def warnings() -> list[str]:
            events = service.web.events()[logged:]
            return [event["event"] for event in events if event["level"] == "warning"]

        until(warnings, within=20, failing="there is no warning")


@pytest.mark.usefixtures("with_cache")
@HOW
def test_a_lost_cache_is_reported_but_ready(
    service: Service, anonymous: httpx.Client, how: str
) -> None:
    """`/readyz` reports a lost cache within 2 s and stays 200, `"status": "degraded"`."""
    with lost(service.cache, how):
        answers = [anonymous.get("/readyz") for _ in range(3)]
    checks = {"database": "ok", "cache": "error"}
    for response in answers:
        assert response.status_code == 200
        assert response.json() == {"status": "degraded", "checks": checks}
    assert prompt((answer.elapsed.total_seconds() for answer in answers), limit=2)


@pytest.mark.usefixtures("with_cache")
@HOW
def test_a_cache_that_is_back_is_used_again(service: Service, user: httpx.Client, how: str) -> None:
    """Once Redis is back both processes read through it again, without a restart."""
    path = create(user)
    with lost(service.cache, how):
        assert user.get(path).status_code == 200
    for process in service.web_processes():
        with service.only(process) as client:
            until(
                lambda client=client: client.get(path).headers["X-Cache"] == "hit",
                within=15,
                failing="the cache is not used again",
            )


@pytest.mark.usefixtures("with_cache")
@pytest.mark.parametrize("write", ["PATCH", "DELETE"])
def test_a_book_changed_without_the_cache_is_not_old_when_it_is_back(
    service: Service, user: httpx.Client, write: str
) -> None:
    """The writer's process never shows the old book; no other does once Redis, awake, was told."""
    author, headers = secrets.token_hex(8), bearer(token_of(user))
    path = create(user, author=author)
    for writer in service.web_processes():
        for _ in range(3):
            assert user.get(path).status_code == 200
            assert len(page_of(user, author=author)) == 1
        with service.cache.paused(), service.only(writer) as client:
            body = {"title": secrets.token_hex(4)} if write == "PATCH" else None
            changed = client.request(write, path, json=body, headers=headers)
            assert changed.status_code in {200, 204}
        others = [process for process in service.web_processes() if process != writer]
        for reader in [writer, *others]:
            if reader != writer:
                time.sleep(SOON)
            with service.only(reader) as client:
                for _ in range(2):
                    response = client.get(path)
                    if write == "PATCH":
                        assert response.json() == changed.json()
                        assert page_of(client, author=author) == [changed.json()]
                    else:
                        assert response.status_code == 404
                        assert page_of(client, author=author) == []
        if write == "DELETE":
            path = create(user, author=author)


@pytest.mark.usefixtures("with_cache")
def test_a_process_starts_without_the_cache(service: Service) -> None:
    """A lost Redis keeps no new process from serving."""
    with killed(service.cache), service.another_web() as (_, base_url):
        assert get(f"{base_url}{BOOKS}", timeout=5).status_code == 200


@pytest.mark.usefixtures("with_cache")
@HOW
def test_without_the_cache_logins_are_not_counted(service: Service, how: str) -> None:
    """A lost Redis costs no login: there is no limit then, but a warning in the log."""
    with (
        service.another_web(LOGIN_ATTEMPTS="1", WEB_CONCURRENCY="1") as (web, base_url),
        connect(base_url) as client,
    ):
        credentials = register(client)
        wrong = {"grant_type": "password", **credentials, "password": "not this one"}
        with lost(service.cache, how):
            answers = [client.post(TOKEN, data=wrong) for _ in range(3)]
            for response in answers:
                oauth_error(response, "invalid_grant")
            assert prompt((answer.elapsed.total_seconds() for answer in answers), limit=2)
            login(client, credentials)
            assert "warning" in {event["level"] for event in web.events()}
