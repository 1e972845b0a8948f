"""Reads through Redis: never stale, never in the way."""

import asyncio
import time
from collections.abc import AsyncIterator

import pytest
from httpx import AsyncClient
from redis.asyncio import Redis
from structlog.testing import capture_logs

from app.cache import Cache, cache
from app.models import Book
from app.settings import settings
from tests.factories import book_body

URL = "/api/v1/books"
REDIS_OUT_OF_REACH = "redis://127.0.0.1:1/0"


@pytest.fixture
async def another(client: AsyncClient) -> AsyncIterator[Cache]:
    """Give a cache, an empty one, as another process would have it."""
    another = Cache(str(settings.redis_url))
    yield another
    await another.close()


def redis_at(port: int) -> str:
    """Return the URL of Redis, its password included, with another port of this machine."""
    redis = settings.redis_url
    return str(redis).replace(f"{redis.host}:{redis.port}", f"127.0.0.1:{port}")


async def test_the_second_read_is_a_hit(client: AsyncClient, book: Book) -> None:
    first = await client.get(f"{URL}/{book.id}")
    second = await client.get(f"{URL}/{book.id}")

    assert (first.headers["X-Cache"], second.headers["X-Cache"]) == ("miss", "hit")
    assert second.json() == first.json()
    assert second.headers["ETag"] == first.headers["ETag"]


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE"])
async def test_a_write_ends_the_cached_copy(
    client: AsyncClient, auth_headers: dict[str, str], book: Book, method: str
) -> None:
    await client.get(f"{URL}/{book.id}")
    body = None if method == "DELETE" else book_body(title="New")

    await client.request(method, f"{URL}/{book.id}", json=body, headers=auth_headers)

    response = await client.get(f"{URL}/{book.id}")
    assert response.status_code == 404 if method == "DELETE" else response.json()["title"] == "New"


async def test_a_write_ends_the_cached_lists(
    client: AsyncClient, auth_headers: dict[str, str], book: Book
) -> None:
    assert (await client.get(URL)).json()["total"] == 1

    await client.post(URL, json=book_body(), headers=auth_headers)
    assert (await client.get(URL)).json()["total"] == 2

    await client.delete(f"{URL}/{book.id}", headers=auth_headers)
    assert (await client.get(URL)).json()["total"] == 1


async def test_what_a_reader_stores_after_a_write_is_never_shown(another: Cache) -> None:
    _, generation = await another.read("book:1")  # and while it reads the database,
    await another.end("book:1")  # somebody writes

    await another.fill("book:1", b"old", generation)

    assert (await another.read("book:1"))[0] is None


async def test_a_write_that_redis_missed_is_made_up_for(another: Cache) -> None:
    """By whoever wrote, once Redis, out of reach until the relay listens, takes it."""
    redis = settings.redis_url

    async def relay(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far_reader, far_writer = await asyncio.open_connection(redis.host, redis.port)
        await asyncio.gather(pump(reader, far_writer), pump(far_reader, writer))

    async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65536):
            writer.write(data)
        writer.close()

    server = await asyncio.start_server(relay, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    server.close()
    cut_off = Cache(redis_at(port))
    _, generation = await another.read("book:1")
    await another.fill("book:1", b"old", generation)

    await cut_off.end("book:1")
    async with await asyncio.start_server(relay, "127.0.0.1", port):
        assert (await cut_off.read("book:1"))[0] is None
        deadline = time.monotonic() + 1  # second, for other processes to read no more of it
        while (await another.read("book:1"))[0] is not None:
            assert time.monotonic() < deadline
            await asyncio.sleep(0.01)
        await cut_off.close()


async def test_an_entry_counts_where_it_was_stored_alone(another: Cache) -> None:
    _, generation = await another.read("user:1")
    await another.fill("user:1", b"first", generation)
    assert (await another.read("user:1"))[0] == b"first"

    async with Redis.from_url(str(settings.redis_url)) as redis:  # by somebody who may write there
        for name in ("{}", "{}:generation"):
            assert await redis.copy(name.format("user:1"), name.format("user:2"))

    assert (await another.read("user:2"))[0] is None


async def test_a_long_outage_costs_a_read_no_more_than_a_short_one() -> None:
    lost = Cache(REDIS_OUT_OF_REACH)
    await lost.end(*(f"book:{number}" for number in range(20_000)))
    began = time.perf_counter()

    for _ in range(10):
        assert await lost.read("book:1") == (None, None)

    assert time.perf_counter() - began < 0.5  # seconds


class TestRedisOutOfReach:
    @pytest.fixture(autouse=True)
    async def _redis_out_of_reach(self, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[None]:
        monkeypatch.setattr("app.cache.cache.redis", Cache(REDIS_OUT_OF_REACH).redis)
        yield
        await cache.close()  # and forget what Redis was not told

    async def test_reads_go_to_the_database_with_a_warning(
        self, client: AsyncClient, book: Book
    ) -> None:
        with capture_logs() as logs:
            response = await client.get(f"{URL}/{book.id}")

        assert (response.status_code, response.headers["X-Cache"]) == (200, "miss")
        assert "warning" in {line["log_level"] for line in logs}

    async def test_writes_succeed(
        self, client: AsyncClient, auth_headers: dict[str, str], book: Book
    ) -> None:
        response = await client.patch(
            f"{URL}/{book.id}", json={"title": "New"}, headers=auth_headers
        )

        assert response.status_code == 200
        assert (await client.get(f"{URL}/{book.id}")).json()["title"] == "New"

    async def test_the_service_is_degraded_but_ready(self, client: AsyncClient) -> None:
        response = await client.get("/readyz")

        assert response.status_code == 200
        assert response.json() == {
            "status": "degraded",
            "checks": {"database": "ok", "cache": "error"},
        }


async def test_a_redis_that_does_not_answer_is_not_waited_for(
    client: AsyncClient, book: Book, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def say_nothing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    async with await asyncio.start_server(say_nothing, "127.0.0.1", 0) as server:
        silent = Cache(f"redis://127.0.0.1:{server.sockets[0].getsockname()[1]}/0")
        monkeypatch.setattr("app.cache.cache.redis", silent.redis)

        async with asyncio.timeout(5):
            response = await client.get(f"{URL}/{book.id}")
        await silent.close()

    assert (response.status_code, response.headers["X-Cache"]) == (200, "miss")
