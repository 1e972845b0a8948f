"""The read-through cache in Redis."""

import secrets
from contextlib import suppress
from typing import Any, cast

import structlog
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from app.settings import settings

ENTRY_LIFETIME = 60  # seconds
GENERATION_LIFETIME = 3600  # seconds; longer than any entry's, and than any request

logger = structlog.get_logger()


class Cache:
    """Entries in groups, each group with a generation that a write replaces.

    An entry holds the generation that was current before its data were read from the
    database, and counts only while that generation lasts. So a reader who was overtaken by a
    writer may still store what it read: nobody will ever be shown it.

    A lost or slow Redis costs no request: it reads as a miss, with a warning in the log.
    """

    def __init__(self, url: str) -> None:
        self._redis = Redis.from_url(
            url,
            socket_timeout=0.25,
            socket_connect_timeout=0.25,
            retry=Retry(NoBackoff(), 0),
        )
        self._unsent: set[str] = set()

    async def read(self, group: str, key: str = "") -> tuple[bytes | None, bytes | None]:
        """Return the entry, or None, and the group's generation to `fill` it with."""
        place, new = _generation(group), _token()
        try:
            if self._unsent:
                await self._replace_generations()
            found = await self._redis.mget(place, f"{group}:{key}")
            generation, entry = cast(list[bytes | None], found)
            if generation is None:
                first = await self._redis.set(place, new, ex=GENERATION_LIFETIME, nx=True)
                generation = new if first else None
        except RedisError as error:
            logger.warning("cache out of reach", error=str(error))
            return None, None
        if entry is not None and generation is not None and entry.startswith(generation):
            return entry[len(generation) :], generation
        return None, generation

    async def fill(self, group: str, body: bytes, generation: bytes | None, key: str = "") -> None:
        """Store an entry that was read from the database after `generation` was."""
        if generation is None:
            return
        try:
            await self._redis.set(f"{group}:{key}", generation + body, ex=ENTRY_LIFETIME)
        except RedisError as error:
            logger.warning("cache out of reach", error=str(error))

    async def end(self, *groups: str) -> None:
        """End every entry of these groups; call it after the commit, before the answer."""
        self._unsent.update(groups)
        try:
            await self._replace_generations()
        except RedisError as error:
            # Kept in `_unsent`: this process reads no entry before these are ended.
            logger.warning("cache out of reach", error=str(error))
            with suppress(RedisError):
                await self._leave_word()

    async def ping(self) -> None:
        """Raise `RedisError` when Redis does not answer."""
        await self._redis.ping()

    async def close(self) -> None:
        """Close the connections."""
        await self._redis.aclose()

    async def _replace_generations(self) -> None:
        groups = frozenset(self._unsent)
        async with self._redis.pipeline(transaction=False) as pipeline:
            for group in groups:
                pipeline.set(_generation(group), _token(), ex=GENERATION_LIFETIME)
            await pipeline.execute()
        self._unsent -= groups

    async def _leave_word(self) -> None:
        """Replace the generations without an answer: a Redis that sleeps will, when it wakes."""
        pool = self._redis.connection_pool
        options = pool.connection_kwargs
        credentials = [options[name] for name in ("username", "password") if options.get(name)]
        commands: list[tuple[Any, ...]] = [("AUTH", *credentials)] if credentials else []
        commands.append(("SELECT", options.get("db", 0)))
        for group in self._unsent:
            commands.append(("SET", _generation(group), _token(), "EX", GENERATION_LIFETIME))
        # Its own connection, for which no answer to a greeting is waited for.
        connection: Any = pool.connection_class(**options | {"redis_connect_func": lambda _: None})
        await connection.connect()
        await connection.send_packed_command(connection.pack_commands(commands))
        await connection.disconnect()


def _generation(group: str) -> str:
    return f"{group}:generation"


def _token() -> bytes:
    return secrets.token_hex(8).encode()


cache = Cache(str(settings.redis_url))
