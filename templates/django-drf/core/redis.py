"""Django's Redis cache, which spares a client for each command, and can leave a message."""

from functools import cached_property
from typing import Any

from django.core.cache.backends.redis import RedisCache as DjangoRedisCache
from django.core.cache.backends.redis import RedisCacheClient


class _Client(RedisCacheClient):
    # Django makes a client of redis-py for each command, which takes longer than most commands.

    _serializer: Any  # says how Django writes values

    def get_client(self, key: Any = None, *, write: bool = False) -> Any:
        return self._one

    @cached_property
    def _one(self) -> Any:
        return super().get_client()

    def leave_many(self, values: dict[str, Any], timeout: int) -> None:
        pool = self.get_client().connection_pool
        options = pool.connection_kwargs
        credentials = [options[name] for name in ("username", "password") if options.get(name)]
        commands: list[tuple[Any, ...]] = [("AUTH", *credentials)] if credentials else []
        commands.append(("SELECT", options.get("db", 0)))
        for key, value in values.items():
            commands.append(("SET", key, self._serializer.dumps(value), "EX", timeout))
        # Its own connection, for which no answer to a greeting is waited for.
        connection = pool.connection_class(**{**options, "redis_connect_func": lambda _: None})
        connection.connect()
        connection.send_packed_command(connection.pack_commands(commands))
        connection.disconnect()


class RedisCache(DjangoRedisCache):
    """Django's, for which one client is enough: threads may share it."""

    _cache: Any  # the client

    def __init__(self, server: str, params: dict[str, Any]) -> None:
        super().__init__(server, params)
        self._class = _Client

    def leave_many(self, values: dict[str, Any], timeout: int) -> None:
        """Set values without an answer: a Redis that sleeps will set them when it wakes.

        Raises `RedisError` where there is nothing to connect to.
        """
        self._cache.leave_many(
            {self.make_key(key): value for key, value in values.items()}, timeout
        )

    def validate_key(self, key: str) -> None:
        """Accept every key: what Django warns of is what memcached does not take."""
