"""Reads through Redis: never stale, never in the way."""

import select
import socket
import time
from collections.abc import Iterator
from socketserver import BaseRequestHandler, ThreadingTCPServer
from threading import Thread

import pytest
from redis import Redis
from rest_framework.test import APIClient
from structlog.testing import capture_logs

from books.models import Book
from config.environment import settings
from core.cache import Cache
from core.health import CHECKS
from tests.factories import book_body

URL = "/api/v1/books"
REDIS_OUT_OF_REACH = "redis://127.0.0.1:1/0"


MODULES = ["accounts.cached", "core.cached", "core.signals"]


@pytest.fixture
def cache(client: APIClient) -> Iterator[Cache]:
    """Give a cache, an empty one, as another process would have it."""
    cache = Cache(str(settings.redis_url))
    yield cache
    cache.close()


def redis_at(port: int) -> str:
    """Return the URL of Redis, its password included, with another port of this machine."""
    redis = settings.redis_url
    return str(redis).replace(f"{redis.host}:{redis.port}", f"127.0.0.1:{port}")


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


def test_what_a_reader_stores_after_a_write_is_never_shown(cache: Cache) -> None:
    _, generation = cache.read("book:1")  # and while it reads the database,
    cache.end("book:1")  # somebody writes

    cache.fill("book:1", b"old", generation)

    assert cache.read("book:1")[0] is None


class Relay(BaseRequestHandler):
    """Stands between: what one side says the other one hears."""

    def handle(self) -> None:
        redis = settings.redis_url
        with socket.create_connection((redis.host, redis.port or 6379)) as far:
            others = {self.request: far, far: self.request}
            while True:
                for speaker in select.select(others, [], [])[0]:
                    if not (data := speaker.recv(65536)):
                        return
                    others[speaker].sendall(data)


def test_a_write_that_redis_missed_is_made_up_for(cache: Cache) -> None:
    """By whoever wrote, once Redis, out of reach until the relay listens, takes it."""
    relay = ThreadingTCPServer(("127.0.0.1", 0), Relay, bind_and_activate=False)
    relay.daemon_threads = True
    relay.server_bind()
    cut_off = Cache(redis_at(relay.server_address[1]))
    _, generation = cache.read("book:1")
    cache.fill("book:1", b"old", generation)

    cut_off.end("book:1")
    relay.server_activate()
    with relay:
        Thread(target=relay.serve_forever).start()
        assert cut_off.read("book:1")[0] is None
        deadline = time.monotonic() + 1  # second, for other processes to read no more of it
        while cache.read("book:1")[0] is not None:
            assert time.monotonic() < deadline
            time.sleep(0.01)
        cut_off.close()
        relay.shutdown()


def test_an_entry_counts_where_it_was_stored_alone(cache: Cache) -> None:
    _, generation = cache.read("user:1")
    cache.fill("user:1", b"first", generation)
    assert cache.read("user:1")[0] == b"first"

    with Redis.from_url(str(settings.redis_url)) as redis:  # by somebody who may write there
        for name in ("{}", "{}:generation"):
            assert redis.copy(name.format("user:1"), name.format("user:2"))

    assert cache.read("user:2")[0] is None


def test_a_long_outage_costs_a_read_no_more_than_a_short_one() -> None:
    lost = Cache(REDIS_OUT_OF_REACH)
    lost.end(*(f"book:{number}" for number in range(20_000)))
    began = time.perf_counter()

    for _ in range(10):
        assert lost.read("book:1") == (None, None)

    assert time.perf_counter() - began < 0.5  # seconds


class TestRedisOutOfReach:
    @pytest.fixture(autouse=True)
    def _redis_out_of_reach(self, monkeypatch: pytest.MonkeyPatch) -> None:
        lost = Cache(REDIS_OUT_OF_REACH)
        monkeypatch.setitem(CHECKS, "cache", lost.ping)
        for module in MODULES:
            monkeypatch.setattr(f"{module}.cache", lost)

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
    client: APIClient, book: Book, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        silent = Cache(f"redis://127.0.0.1:{server.getsockname()[1]}/0")
        monkeypatch.setattr("core.cached.cache", silent)

        started = time.monotonic()
        response = client.get(f"{URL}/{book.id}")
        seconds = time.monotonic() - started
        silent.close()

    assert (response.status_code, response.headers["X-Cache"]) == (200, "miss")
    assert seconds < 5
