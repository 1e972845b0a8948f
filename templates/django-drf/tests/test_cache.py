"""Reads through Redis: never stale, never in the way."""

import select
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from importlib import reload
from socketserver import BaseRequestHandler, ThreadingTCPServer
from threading import Thread
from urllib.parse import urlsplit

import pytest
from pytest_django import DjangoCaptureOnCommitCallbacks, Settings
from rest_framework.test import APIClient
from structlog.testing import capture_logs

from books.models import Book
from config.environment import settings as environment
from core import cache
from tests.factories import book_body

URL = "/api/v1/books"
REDIS = str(environment.redis_url)
REDIS_OUT_OF_REACH = "redis://127.0.0.1:1/0"


@pytest.fixture
def restart(client: APIClient, settings: Settings) -> Iterator[Callable[[str], None]]:
    """Give a function to have the cache as another process has it, with Redis at this URL."""
    configured = settings.CACHES

    def restart(url: str) -> None:
        settings.CACHES = {name: {**one, "LOCATION": url} for name, one in configured.items()}
        reload(cache)

    yield restart
    restart(REDIS)


def test_the_second_read_is_a_hit(client: APIClient, book: Book) -> None:
    first = client.get(f"{URL}/{book.id}")
    second = client.get(f"{URL}/{book.id}")

    assert (first.headers["X-Cache"], second.headers["X-Cache"]) == ("miss", "hit")
    assert second.json() == first.json()
    assert second.headers["ETag"] == first.headers["ETag"]


@pytest.mark.parametrize("method", ["put", "patch", "delete"])
def test_a_write_ends_the_cached_copy(
    client: APIClient, auth_headers: dict[str, str], book: Book, method: str
) -> None:
    client.get(f"{URL}/{book.id}")
    body = None if method == "delete" else book_body(title="New")

    getattr(client, method)(f"{URL}/{book.id}", body, headers=auth_headers)

    response = client.get(f"{URL}/{book.id}")
    assert response.status_code == 404 if method == "delete" else response.json()["title"] == "New"


def test_a_write_ends_the_cached_lists(
    client: APIClient, auth_headers: dict[str, str], book: Book
) -> None:
    assert client.get(URL).json()["total"] == 1

    client.post(URL, book_body(), headers=auth_headers)
    assert client.get(URL).json()["total"] == 2

    client.delete(f"{URL}/{book.id}", headers=auth_headers)
    assert client.get(URL).json()["total"] == 1


def test_a_write_without_the_api_ends_the_cached_copy(
    client: APIClient,
    book: Book,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    client.get(f"{URL}/{book.id}")

    with django_capture_on_commit_callbacks(execute=True):
        book.title = "New"
        book.save()

    assert client.get(f"{URL}/{book.id}").json()["title"] == "New"


def test_what_a_reader_stores_after_a_write_is_never_shown(client: APIClient) -> None:
    _, generation = cache.read("book:1")  # and while it reads the database,
    cache.end("book:1")  # somebody writes

    cache.fill("book:1", b"old", generation)

    assert cache.read("book:1")[0] is None


class Relay(BaseRequestHandler):
    """Stands between: what one side says the other one hears."""

    def handle(self) -> None:
        redis = urlsplit(REDIS)
        with socket.create_connection((redis.hostname or "", redis.port or 6379)) as far:
            others = {self.request: far, far: self.request}
            while True:
                for speaker in select.select(others, [], [])[0]:
                    if not (data := speaker.recv(65536)):
                        return
                    others[speaker].sendall(data)


def test_a_write_that_redis_missed_is_made_up_for(restart: Callable[[str], None]) -> None:
    """A relay stands between: Redis is out of reach until it listens."""
    relay = ThreadingTCPServer(("127.0.0.1", 0), Relay, bind_and_activate=False)
    relay.daemon_threads = True
    relay.server_bind()
    cut_off = urlsplit(REDIS)._replace(netloc=f"127.0.0.1:{relay.server_address[1]}").geturl()
    _, generation = cache.read("book:1")
    cache.fill("book:1", b"old", generation)

    restart(cut_off)
    cache.end("book:1")
    relay.server_activate()
    with relay:
        Thread(target=relay.serve_forever).start()
        assert cache.read("book:1")[0] is None
        restart(REDIS)
        assert cache.read("book:1")[0] is None
        relay.shutdown()


def test_a_redis_that_sleeps_finds_the_word_when_it_wakes(restart: Callable[[str], None]) -> None:
    _, generation = cache.read("book:1")
    cache.fill("book:1", b"old", generation)
    redis = urlsplit(REDIS)

    with socket.create_server(("127.0.0.1", 0)) as asleep:
        restart(redis._replace(netloc=f"127.0.0.1:{asleep.getsockname()[1]}").geturl())
        cache.end("book:1")
        asleep.settimeout(0.5)
        with suppress(TimeoutError):
            while True:  # it wakes, and reads what was sent in the meantime
                near, _ = asleep.accept()
                with near, socket.create_connection((redis.hostname, redis.port or 6379)) as far:
                    far.sendall(near.makefile("rb").read())
                    far.shutdown(socket.SHUT_WR)
                    far.makefile("rb").read()

    restart(REDIS)  # as a process that has sent nothing
    assert cache.read("book:1")[0] is None


class TestRedisOutOfReach:
    @pytest.fixture(autouse=True)
    def _redis_out_of_reach(self, restart: Callable[[str], None]) -> None:
        restart(REDIS_OUT_OF_REACH)

    def test_reads_go_to_the_database_with_a_warning(self, client: APIClient, book: Book) -> None:
        with capture_logs() as logs:
            response = client.get(f"{URL}/{book.id}")

        assert (response.status_code, response.headers["X-Cache"]) == (200, "miss")
        assert "warning" in {line["log_level"] for line in logs}

    def test_writes_succeed(
        self, client: APIClient, auth_headers: dict[str, str], book: Book
    ) -> None:
        response = client.patch(f"{URL}/{book.id}", {"title": "New"}, headers=auth_headers)

        assert response.status_code == 200
        assert client.get(f"{URL}/{book.id}").json()["title"] == "New"

    def test_the_service_is_degraded_but_ready(self, client: APIClient) -> None:
        response = client.get("/readyz")

        assert response.status_code == 200
        assert response.json() == {
            "status": "degraded",
            "checks": {"database": "ok", "cache": "error"},
        }


def test_a_redis_that_does_not_answer_is_not_waited_for(
    client: APIClient, book: Book, restart: Callable[[str], None]
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        restart(f"redis://127.0.0.1:{silent.getsockname()[1]}/0")

        started = time.monotonic()
        response = client.get(f"{URL}/{book.id}")
        seconds = time.monotonic() - started

    assert (response.status_code, response.headers["X-Cache"]) == (200, "miss")
    assert seconds < 5
