"""The pool of database connections that requests share."""

from typing import Any

import psycopg
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
