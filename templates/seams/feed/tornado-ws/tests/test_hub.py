"""The feed between processes, by way of Redis or without it."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

import pytest
from httpx import AsyncClient
from redis.asyncio import Redis
from redis.asyncio.client import PubSub
from structlog.testing import capture_logs
from tornado.web import Application

from app.hub import CHANNEL, Hub, hub
from app.settings import settings
from tests.feed import NAME, PATIENCE, create, hear, listening, shown, told


@asynccontextmanager
async def running(hub: Hub) -> AsyncIterator[Hub]:
    """Have a hub subscribed."""
    subscription = asyncio.create_task(hub.run())
    yield hub
    subscription.cancel()
    await asyncio.wait({subscription})
    await hub.disconnect()


async def subscribed(count: int) -> None:
    """Wait until as many hubs are subscribed, of which the application's is one."""
    async with Redis.from_url(str(settings.redis_url)) as redis, asyncio.timeout(PATIENCE):
        while True:
            [(_, found)] = await redis.pubsub_numsub(CHANNEL)
            if found == count:
                return
            await asyncio.sleep(0.01)


class Neighbour:
    """A client of another process."""

    def __init__(self) -> None:
        self.heard: asyncio.Queue[Any] = asyncio.Queue()

    def tell(self, _: dict[str, Any], message: str) -> None:
        self.heard.put_nowait(json.loads(message))

    def close(self, code: int, reason: str) -> None:
        raise AssertionError(f"closed with {code}: {reason}")


@pytest.fixture
async def elsewhere(application: Application) -> AsyncIterator[Hub]:
    """Give the hub of another process."""
    await subscribed(1)
    async with running(Hub(str(settings.redis_url))) as elsewhere:
        await subscribed(2)
        yield elsewhere


class TestProcesses:
    async def test_clients_of_other_processes_are_told(
        self, client: AsyncClient, auth_headers: dict[str, str], elsewhere: Hub
    ) -> None:
        neighbour = Neighbour()
        elsewhere.clients.add(neighbour)

        row = await create(client, auth_headers)

        async with asyncio.timeout(PATIENCE):
            heard = await neighbour.heard.get()
        assert heard == told("created", row)

    async def test_clients_are_told_of_changes_in_other_processes(
        self, client: AsyncClient, auth_headers: dict[str, str], elsewhere: Hub
    ) -> None:
        row = await create(client, auth_headers)
        async with listening(client) as listener:
            await elsewhere.publish(NAME, "updated", shown(row))

            assert await hear(listener) == told("updated", row)

    async def test_a_change_is_told_once(
        self, client: AsyncClient, auth_headers: dict[str, str], elsewhere: Hub
    ) -> None:
        async with listening(client) as listener:
            row = await create(client, auth_headers)
            # Redis keeps the order: an echo of the first would come before the second.
            await elsewhere.publish(NAME, "deleted", shown(row))

            heard = [await hear(listener) for _ in range(2)]
            assert heard == [told("created", row), told("deleted", row)]

    async def test_what_is_no_change_is_passed_over(
        self, client: AsyncClient, auth_headers: dict[str, str], elsewhere: Hub
    ) -> None:
        row = await create(client, auth_headers)
        async with Redis.from_url(str(settings.redis_url)) as redis:
            await redis.publish(CHANNEL, b"\xff" * 100)

        async with listening(client) as listener:
            await elsewhere.publish(NAME, "updated", shown(row))
            assert await hear(listener) == told("updated", row)


async def test_it_ends_though_redis_py_misses_that_it_is_cancelled(
    application: Application, monkeypatch: pytest.MonkeyPatch
) -> None:
    get_message = PubSub.get_message

    async def missing(self: PubSub, **options: Any) -> Any:
        with suppress(asyncio.CancelledError):
            return await get_message(self, **options)

    monkeypatch.setattr(PubSub, "get_message", missing)
    ending = Hub(str(settings.redis_url))
    subscription = asyncio.create_task(ending.run())
    await ending.begun.wait()

    subscription.cancel()

    await asyncio.wait({subscription}, timeout=PATIENCE)
    assert subscription.cancelled()
    await ending.disconnect()


class Relay:
    """Stands between a hub and Redis, which it can lose, or keep silent about."""

    def __init__(self) -> None:
        self.port = 0
        self.silent = False
        self._writers: list[asyncio.StreamWriter] = []

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._relay, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    def stop(self) -> None:
        self._server.close()
        for writer in self._writers:
            writer.close()

    async def _relay(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        redis = settings.redis_url
        far_reader, far_writer = await asyncio.open_connection(redis.host, redis.port)
        self._writers += [writer, far_writer]
        await asyncio.gather(self._pump(reader, far_writer), self._pump(far_reader, writer))

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65536):
            if not self.silent:
                writer.write(data)
        writer.close()


class TestRedisLost:
    @pytest.fixture
    async def relay(
        self, client: AsyncClient, monkeypatch: pytest.MonkeyPatch
    ) -> AsyncIterator[Relay]:
        """Give a relay between Redis and the hub of the application."""
        relay = Relay()
        await relay.start()
        monkeypatch.setattr("app.hub.SILENCE", 0.5)
        redis = settings.redis_url
        url = str(redis).replace(f"{redis.host}:{redis.port}", f"127.0.0.1:{relay.port}")
        async with running(Hub(url)) as relayed:
            for module in ("changes", "handlers.feed"):
                monkeypatch.setattr(f"app.{module}.hub", relayed)
            await subscribed(2)
            yield relay
        relay.stop()

    async def test_a_process_serves_its_own_clients_with_a_warning(
        self, client: AsyncClient, auth_headers: dict[str, str], relay: Relay
    ) -> None:
        async with listening(client) as listener:
            relay.stop()

            with capture_logs() as logs:
                row = await create(client, auth_headers)

            assert await hear(listener) == told("created", row)
            assert "warning" in {line["log_level"] for line in logs}

    async def test_once_it_is_back_other_processes_are_heard_again(
        self, client: AsyncClient, auth_headers: dict[str, str], relay: Relay
    ) -> None:
        row = await create(client, auth_headers)
        relay.stop()
        await subscribed(1)

        await relay.start()
        await subscribed(2)

        async with listening(client) as listener:
            await hub.publish(NAME, "updated", shown(row))
            assert await hear(listener) == told("updated", row)

    async def test_one_that_says_nothing_is_given_up_and_tried_again(self, relay: Relay) -> None:
        with capture_logs() as logs:
            relay.silent = True
            await subscribed(1)
            relay.silent = False
            await subscribed(2)

        assert "warning" in {line["log_level"] for line in logs}
