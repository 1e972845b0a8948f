"""Django's backend for MySQL and MariaDB, whose text is the same only to the last bit."""

from typing import Any

from django.db.backends.mysql import base, operations

from core.mysql.connections import READ_ONLY, Connection, session

HOUR = 3600  # seconds that a statement may take, as those of migrations do

# The lookups to which case is nothing. Django leaves that to the collation: ours is binary.
CASELESS = ("iexact", "icontains", "istartswith", "iendswith")


class DatabaseOperations(operations.DatabaseOperations):
    """Compares upper case where case does not count."""

    def lookup_cast(self, lookup_type: str, internal_type: str | None = None) -> str:
        """Return what becomes of the left side of a lookup."""
        lookup = super().lookup_cast(lookup_type, internal_type)
        return f"UPPER({lookup})" if lookup_type in CASELESS else lookup


class DatabaseWrapper(base.DatabaseWrapper):
    """Connects for statements that take no longer than `STATEMENT` of `DATABASES` says."""

    ops_class = DatabaseOperations

    operators = base.DatabaseWrapper.operators | dict.fromkeys(CASELESS, "LIKE UPPER(%s)")
    pattern_ops = base.DatabaseWrapper.pattern_ops | {
        "icontains": "LIKE UPPER(CONCAT('%%', {}, '%%'))",
        "istartswith": "LIKE UPPER(CONCAT({}, '%%'))",
        "iendswith": "LIKE UPPER(CONCAT('%%', {}))",
    }

    def get_connection_params(self) -> dict[str, Any]:
        """Return how to connect."""
        return super().get_connection_params() | session(self.settings_dict.get("STATEMENT", HOUR))

    def get_new_connection(self, conn_params: dict[str, Any]) -> Connection:
        """Return a connection that is closed once it is of no use."""
        return Connection(**conn_params)

    def init_connection_state(self) -> None:
        """Let a session that takes no writes end with the request.

        It may stay so when its server is a primary again.
        """
        super().init_connection_state()
        with self.cursor() as cursor:
            cursor.execute(READ_ONLY)
            if cursor.fetchall():
                self.close_at = 0
