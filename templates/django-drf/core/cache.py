"""The read-through cache in Redis."""

import secrets
from collections.abc import Iterable
from contextlib import suppress
from functools import partial
from typing import Any

import structlog
from django.core.cache import caches
from django.db import transaction
from redis.exceptions import RedisError

ENTRY_LIFETIME = 60  # seconds
GENERATION_LIFETIME = 3600  # seconds; longer than any entry's, and than any request

logger = structlog.get_logger()

# Entries are in groups, each group with a generation that a write replaces. An entry holds the
# generation that was current before its value was read from the database, and counts only while
# that generation lasts. So a reader who was overtaken by a writer may still store what it read:
# nobody will ever be shown it.
#
# A lost or slow Redis costs no request: it reads as a miss, with a warning in the log.
# For all threads, each of which would have its own.
_redis: Any = caches.create_connection("default")
_unsent: set[str] = set()


def read(group: str, key: str = "") -> tuple[Any, str | None]:
    """Return the entry, or None, and the group's generation to `fill` it with."""
    place, new = _generation(group), _token()
    try:
        if _unsent:
            _replace_generations()
        found = _redis.get_many([place, f"{group}:{key}"])
        generation = found.get(place)
        if generation is None and _redis.add(place, new, GENERATION_LIFETIME):
            generation = new
    except RedisError as error:
        logger.warning("cache out of reach", error=str(error))
        return None, None
    written, value = found.get(f"{group}:{key}", (None, None))
    return (value if written == generation else None), generation


def fill(group: str, value: Any, generation: str | None, key: str = "") -> None:
    """Store a value that was read from the database after `generation` was."""
    if generation is None:
        return
    try:
        _redis.set(f"{group}:{key}", (generation, value), ENTRY_LIFETIME)
    except RedisError as error:
        logger.warning("cache out of reach", error=str(error))


def end(*groups: str) -> None:
    """End every entry of these groups; call it after the commit, before the answer."""
    _unsent.update(groups)
    try:
        _replace_generations()
    except RedisError as error:
        # Kept in `_unsent`: this process reads no entry before these are ended. To the others a
        # Redis that only sleeps will say so, if it finds the word when it wakes.
        logger.warning("cache out of reach", error=str(error))
        with suppress(RedisError):
            _redis.leave_many(_new_generations(frozenset(_unsent)), GENERATION_LIFETIME)


def end_after_commit(*groups: str) -> None:
    """End every entry of these groups once the current transaction is committed."""
    transaction.on_commit(partial(end, *groups))


def ping() -> None:
    """Raise `RedisError` when Redis does not answer."""
    _redis.get("nothing")


def _replace_generations() -> None:
    groups = frozenset(_unsent)
    _redis.set_many(_new_generations(groups), GENERATION_LIFETIME)
    _unsent.difference_update(groups)


def _new_generations(groups: Iterable[str]) -> dict[str, str]:
    return {_generation(group): _token() for group in groups}


def _generation(group: str) -> str:
    return f"{group}:generation"


def _token() -> str:
    return secrets.token_hex(8)
