"""The connections of the pool: one that is of no use is replaced by a new one."""

import time
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection, connections

# All but the test's own; the server is waited for, for five seconds.
CLOSE = """
SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid()
"""


@pytest.fixture
def pooled(db: None, application: Any) -> Iterator[Any]:
    """Give a connection of the pool."""
    pooled = connections.create_connection("default")
    pooled.ensure_connection()
    yield pooled
    pooled.close()


def give_back(pooled: Any) -> int:
    """Give a connection back to the pool; return the id of its process in the server."""
    number: int = pooled.connection.info.backend_pid
    pooled.close()
    deadline = time.monotonic() + 5
    while not pooled.pool.get_stats()["pool_available"]:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    return number


def test_one_that_the_server_has_closed(pooled: Any) -> None:
    closed = give_back(pooled)
    with connection.cursor() as cursor:
        cursor.execute(CLOSE)

    pooled.ensure_connection()

    assert pooled.connection.info.backend_pid != closed


def test_one_that_takes_no_writes(pooled: Any) -> None:
    with pooled.cursor() as cursor:
        cursor.execute("SET default_transaction_read_only = on")
    read_only = give_back(pooled)

    pooled.ensure_connection()

    assert pooled.connection.info.backend_pid != read_only
