"""Django's backend for PostgreSQL, and the pool of connections that requests share."""

from time import monotonic
from types import SimpleNamespace
from typing import Any

import psycopg
from django.db.backends.postgresql import base

from core.postgresql.connections import TIMEOUT, Connection, is_read_only


class RequestConnection(Connection):
    """One of the pool."""

    timeout = TIMEOUT

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.made = monotonic()


# https://www.psycopg.org/psycopg3/docs/api/pool.html
POOL = {
    "connection_class": RequestConnection,
    "min_size": 1,
    "max_size": 16,
    "timeout": 3,  # seconds, which is long only while the database is out of reach
    # Who waits for a connection has given up by then; the next one has a new try made.
    "reconnect_timeout": 3,
}


class DatabaseWrapper(base.DatabaseWrapper):
    """Gives a request a connection that works, if there is any.

    The pool's own check, `CONN_HEALTH_CHECKS`, pauses after each connection that does not: where
    the server was lost and is back, it gives up before it comes to one that does.
    """

    # What connects where there is no pool.
    Database = SimpleNamespace(  # type: ignore[assignment]
        **{**vars(psycopg), "connect": Connection.connect}
    )

    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        """Return a connection of the pool, or a new one where there is none."""
        started = monotonic()
        connection = super().get_new_connection(conn_params)
        while self.pool and not _works(connection, started):
            connection.close()
            self.pool.putconn(connection)  # which forgets it
            if monotonic() - started > TIMEOUT:
                raise psycopg.OperationalError("the server does not answer")
            connection = super().get_new_connection(conn_params)
        if not self.pool:
            connection.timeout = self.settings_dict.get("STATEMENT")
        return connection


def _works(connection: Any, now: float) -> bool:
    try:
        connection.execute("")
    except psycopg.OperationalError:
        return False
    # It stays read-only when its server is not any more: then a new one would not be.
    return connection.made > now or not is_read_only(connection)
