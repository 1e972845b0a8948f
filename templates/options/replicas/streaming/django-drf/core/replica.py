"""The replica: lists are read there, unless it is lost or too far behind."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, TypeVar

from django.db import InterfaceError, OperationalError, connections
from psycopg.conninfo import conninfo_to_dict

from core.lag import Watch, catches_up
from core.postgresql.connections import PARAMETERS

PATIENCE = 2  # seconds for an answer of the replica: the primary answers too
CATCHING_UP = 0.1  # seconds in which it may get what a reader has to see

# How many bytes of its log a primary has on its disk, which is all that was committed, and how many
# of them a replica has replayed.
WRITTEN = "SELECT pg_wal_lsn_diff(pg_current_wal_flush_lsn(), '0/0')::bigint"
REPLAYED = (
    "SELECT pg_wal_lsn_diff(pg_last_wal_replay_lsn(), '0/0')::bigint WHERE pg_is_in_recovery()"
)

Found = TypeVar("Found")

_source: ContextVar[str] = ContextVar("source", default="default")


class Router:
    """Sends to the replica what is read within `reading()`, and all else to the primary."""

    def db_for_read(self, *_: Any, **__: Any) -> str:
        """Say where rows are read."""
        return _source.get()

    def db_for_write(self, *_: Any, **__: Any) -> str:
        """Say where rows are written, and where those are locked that will be."""
        return "default"

    def allow_relation(self, *_: Any, **__: Any) -> bool:
        """Let rows of both refer to each other: they are the same rows."""
        return True

    def allow_migrate(self, database: str, *_: Any, **__: Any) -> bool:
        """Leave it to the primary to migrate, whose tables the replica gets."""
        return database == "default"


def database(url: str) -> dict[str, Any]:
    """Return the entry of `DATABASES` for the replica at a URL.

    One that was promoted is none, unless the URL says otherwise.
    """
    options = {
        **PARAMETERS,
        "connect_timeout": PATIENCE,
        "target_session_attrs": "standby",
        **conninfo_to_dict(url),
    }
    return {
        "ENGINE": "core.postgresql",
        "NAME": options["dbname"],
        "OPTIONS": options,
        "CONN_MAX_AGE": None,  # each thread keeps its connection
        "STATEMENT": PATIENCE,
    }


@contextmanager
def reading() -> Iterator[None]:
    """Have the queries of a block read from the replica."""
    token = _source.set("replica")
    try:
        yield
    finally:
        _source.reset(token)


def read(find: Callable[[], Found], *, fresh: bool) -> Found:
    """Return what `find` reads from the replica, or else from the primary.

    What is `fresh` has all that was committed before; what is not may be `lag.LIMIT` seconds old.
    """
    if watch.status != "ok":  # nor is it where there is none
        return find()
    needed = written() if fresh else None
    try:
        if needed is None or catches_up(replayed, needed, CATCHING_UP):
            with reading():
                return find()
    except (OperationalError, InterfaceError) as error:
        watch.lose(error)
    return find()


def written() -> int:
    """Return how many bytes of its log the primary has on its disk."""
    [(length,)] = _ask("default", WRITTEN)
    return length


def replayed() -> int | None:
    """Return how many of them the replica has replayed, if it is one."""
    rows = _ask("replica", REPLAYED)
    return rows[0][0] if rows else None


def _ask(alias: str, query: str) -> list[tuple[int]]:
    with connections[alias].cursor() as cursor:
        cursor.execute(query)
        return [*cursor.fetchall()]


def _look_at_primary() -> int:
    try:
        return written()
    finally:
        connections["default"].close_if_unusable_or_obsolete()


def _look_at_replica() -> int:
    try:
        length = replayed()
    finally:
        connections["replica"].close_if_unusable_or_obsolete()
    if length is None:
        raise OperationalError("it is a primary")
    return length


watch = Watch(_look_at_primary, _look_at_replica)


def start() -> None:
    """Have this process watch the replica, if there is one."""
    if "replica" in connections.settings:
        watch.start()
