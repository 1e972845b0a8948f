"""Django's backend for PostgreSQL, and the pool of connections that requests share."""

from time import monotonic
from typing import Any

import psycopg
from django.db.backends.postgresql import base
from psycopg.pq import TransactionStatus

TIMEOUT = 5  # seconds


class Connection(psycopg.Connection[Any]):
    """A connection that gives a silent server up, which no timeout of the server's own does."""

    def wait(self, *args: Any, **kwargs: Any) -> Any:
        """Wait for an answer; raise `psycopg.OperationalError` and close when none comes."""
        try:
            return super().wait(*args, **{"timeout": TIMEOUT, **kwargs})
        except psycopg.OperationalError:
            if self.pgconn.transaction_status == TransactionStatus.ACTIVE:
                self.pgconn.finish()
            raise


# https://www.psycopg.org/psycopg3/docs/api/pool.html
POOL = {
    "connection_class": Connection,
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

    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        """Return a connection of the pool, or a new one where there is none."""
        connection = super().get_new_connection(conn_params)
        started = monotonic()
        while self.pool and not _works(connection):
            self.pool.putconn(connection)  # which forgets it
            if monotonic() - started > TIMEOUT:
                raise psycopg.OperationalError("the server does not answer")
            connection = super().get_new_connection(conn_params)
        return connection


def _works(connection: Any) -> bool:
    try:
        connection.execute("")
    except psycopg.OperationalError:
        return False
    return True
