"""The connections of the pool: one that is of no use is replaced by a new one."""

from typing import Any

import pytest
from django.db import connection, connections


@pytest.fixture
def pooled(db: None, application: Any) -> Any:
    """Give a connection of the pool, in which another may have been before."""
    return connections.create_connection("default")


def test_one_that_the_server_has_closed(pooled: Any) -> None:
    pooled.ensure_connection()
    closed = pooled.connection.info.backend_pid
    pooled.close()
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(%s, 5000)", [closed])

    pooled.ensure_connection()

    assert pooled.connection.info.backend_pid != closed
    pooled.close()


def test_one_that_takes_no_writes(pooled: Any) -> None:
    pooled.ensure_connection()
    read_only = pooled.connection.info.backend_pid
    with pooled.cursor() as cursor:
        cursor.execute("SET default_transaction_read_only = on")
    pooled.close()

    pooled.ensure_connection()

    assert pooled.connection.info.backend_pid != read_only
    pooled.close()
