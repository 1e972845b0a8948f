"""The feed: tells the clients of every web process of what was committed, by way of Redis."""

import asyncio
import hmac
import json
import random
import secrets
from collections import deque
from collections.abc import AsyncIterator
from functools import cached_property
from typing import Any, Protocol

import structlog
from redis.asyncio import Redis
from redis.asyncio.client import PubSub
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from app.schemas import Output
from app.settings import settings

# Redis' channels are the same in each of its databases: the name tells ours from another's.
CHANNEL = f"changes{settings.redis_url.path}"
SEAL_SIZE = 32  # bytes
SILENCE = 10  # seconds after which Redis is asked whether it is still there
TIMEOUT = 5  # seconds: a process that tells a thousand clients is late to read an answer
PATIENCE = 0.25  # seconds that a request waits for Redis
SHORTEST_PAUSE, LONGEST_PAUSE = 0.1, 5.0  # seconds between attempts to subscribe

logger = structlog.get_logger()


class Client(Protocol):
    """Somebody who is told."""

    def tell(self, change: dict[str, Any], message: str) -> None:
        """Pass on a message, which tells of a change, without waiting for anything."""

    def close(self, code: int, reason: str) -> None:
        """Say goodbye."""


class Hub:
    """The clients of this process, and its one subscription to what other processes publish.

    Clients of the process that makes a change are told at once, those of the others by way of
    Redis. So a lost Redis parts the processes, with a warning in the log, and nothing else.

    A message is sealed with the secret key: what somebody else publishes is told to nobody.
    """

    def __init__(self, url: str) -> None:
        self.clients: set[Client] = set()
        self.begun = asyncio.Event()  # once it is subscribed, or has failed to
        self._unsent: deque[tuple[bytes, asyncio.Future[None]]] = deque()
        self._sending: asyncio.Task[None] | None = None
        self._key = hmac.digest(settings.secret_key.get_secret_value().encode(), b"feed", "sha256")
        self._redis = Redis.from_url(
            url,
            socket_timeout=TIMEOUT,
            socket_connect_timeout=TIMEOUT,
            retry=Retry(NoBackoff(), 0),
        )

    @cached_property
    def _id(self) -> bytes:
        """Name this process; made when it is first used, for processes fork with a hub in them."""
        return secrets.token_hex(8).encode()

    async def publish(self, name: str, kind: str, row: Output) -> None:
        """Tell all clients that a row was `created`, `updated` or `deleted`, and how it looks.

        Call it after the commit, before the answer.

        Redis has it when this returns, so that changes made one after the other keep their order
        whichever process makes them; or a little later, if it is slow.
        """
        change = {"type": f"{name}.{kind}", name: row.model_dump(mode="json")}
        message = json.dumps(change, ensure_ascii=False, separators=(",", ":"))
        self._tell(change, message)
        sent: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._unsent.append((message.encode(), sent))
        if self._sending is None or self._sending.done():
            self._sending = asyncio.create_task(self._send())
        await asyncio.wait({sent}, timeout=PATIENCE)

    async def run(self) -> None:
        """Pass on what other processes publish, until cancelled, however often Redis is lost."""
        pause = SHORTEST_PAUSE
        while True:
            try:
                async with self._redis.pubsub() as subscription:
                    await subscription.subscribe(CHANNEL)
                    async for message in messages(subscription):
                        pause = SHORTEST_PAUSE
                        self.begun.set()
                        if message["type"] == "message":
                            self._receive(message["data"])
            except (RedisError, OSError) as error:
                logger.warning("feed: this process serves its clients alone", error=str(error))
                self.begun.set()
            await asyncio.sleep(random.uniform(pause / 2, pause))  # noqa: S311 - spreads the load
            pause = min(pause * 2, LONGEST_PAUSE)

    def close(self) -> None:
        """Say goodbye to every client of this process."""
        for client in tuple(self.clients):
            client.close(1001, "The service is going away.")

    async def disconnect(self) -> None:
        """Close the connections to Redis, once everything is sent."""
        if self._sending:
            await self._sending
        await self._redis.aclose()

    async def _send(self) -> None:
        """Publish what is not sent yet, in order; give all of it up when Redis does not answer."""
        while self._unsent:
            message, sent = self._unsent.popleft()
            try:
                await self._redis.publish(CHANNEL, self._seal(self._id + message))
            except RedisError as error:
                logger.warning("feed: clients of other processes are not told", error=str(error))
                self._unsent.clear()
            sent.set_result(None)

    def _seal(self, content: bytes) -> bytes:
        """Return the content behind its HMAC."""
        return hmac.digest(self._key, content, "sha256") + content

    def _receive(self, published: bytes) -> None:
        content = published[SEAL_SIZE:]
        if not hmac.compare_digest(published, self._seal(content)):
            logger.warning("feed: what was published is not from this service")
            return
        origin, message = content[: len(self._id)], content[len(self._id) :]
        if origin == self._id:
            return  # its clients were told at once
        self._tell(json.loads(message), message.decode())

    def _tell(self, change: dict[str, Any], message: str) -> None:
        for client in tuple(self.clients):  # one that is cut off leaves
            client.tell(change, message)


async def messages(subscription: PubSub) -> AsyncIterator[dict[str, Any]]:
    """Yield what Redis sends; raise `RedisError` when it has gone without a word."""
    asked = False
    while True:
        message = await subscription.get_message(timeout=SILENCE)
        if (task := asyncio.current_task()) and task.cancelling():
            raise asyncio.CancelledError  # `wait_for`, which redis-py uses, may miss one
        if message is not None:
            asked = False
            yield message
        elif asked:
            raise RedisError("no answer")
        else:
            await subscription.ping()
            asked = True


hub = Hub(str(settings.redis_url))
