"""Django's Redis cache, with one client of redis-py where Django makes one for each command."""

from functools import cached_property
from typing import Any

from django.core.cache.backends.redis import RedisCache as DjangoRedisCache
from django.core.cache.backends.redis import RedisCacheClient


class _Client(RedisCacheClient):
    def get_client(self, key: Any = None, *, write: bool = False) -> Any:
        return self._one

    @cached_property
    def _one(self) -> Any:
        return super().get_client()


class RedisCache(DjangoRedisCache):
    """To make a client takes longer than most commands do; it is safe to share among threads."""

    def __init__(self, server: str, params: dict[str, Any]) -> None:
        super().__init__(server, params)
        self._class = _Client

    def validate_key(self, key: str) -> None:
        """Accept every key: what Django warns of is what memcached does not take."""
