"""What tests ask of a database beside the service, and do to it, whichever it is."""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar

Rows = list[tuple[Any, ...]]


class Database(ABC):
    """The rows of a service, where its URL says.

    Names in statements are in double quotes, and values are `%s`, as in all of PEP 249's "format".
    """

    earlier: ClassVar[str]
    """A time that is so many seconds earlier: `{}` is a column, `%s` the seconds."""
    no_column: ClassVar[str]
    """What a log says of a statement that names a column which is not there."""
    url: str
    secrets: Sequence[str] = ()
    """What nobody may log."""

    def start(self) -> None:  # noqa: B027, a file has none
        """Start its server, if there is one of ours, and wait until it answers."""

    def stop(self) -> None:  # noqa: B027
        """End its server."""

    @abstractmethod
    def create_database(self, name: str = "app") -> str:
        """Make a database beside the others; return its URL."""

    @abstractmethod
    def connected(self, url: str | None = None) -> AbstractContextManager[Any]:
        """Give a cursor of a connection of its own, which commits each statement (PEP 249)."""

    @abstractmethod
    def columns(self) -> list[tuple[str, str]]:
        """Return each column of the tables that the service has made: `"table"`, name."""

    @abstractmethod
    def locked(self, name: str) -> AbstractContextManager[Any]:
        """Hold every table whose name contains `name`, so that whoever reads it has to wait.

        It may be lost meanwhile. What is given is for `keep`.
        """

    def counted_slowly(self, name: str) -> AbstractContextManager[Any]:
        """Hold up whoever reads these tables, while everybody else goes on."""
        return self.locked(name)

    @abstractmethod
    def waiting(self) -> int:
        """Count the statements that wait for a lock: so much is under way."""

    @abstractmethod
    def end_waiting(self) -> None:
        """End the sessions whose statements wait for a lock."""

    @abstractmethod
    def sessions(self, url: str) -> int:
        """Count the sessions of a database."""

    @abstractmethod
    def without_new_tables(self, url: str) -> AbstractContextManager[Any]:
        """Let nobody make a table in a database, nor change one, for a while; all can read."""

    @abstractmethod
    def slow_commits(self, name: str) -> AbstractContextManager[Any]:
        """Have the commit of each change to these tables take half a second."""

    @abstractmethod
    def refusing(self, name: str) -> AbstractContextManager[Any]:
        """Refuse each change to a table: at its commit, if anything can be refused there."""

    def keep(self, holder: Any) -> None:  # noqa: B027, most do
        """Have what is `locked` outlive the server's orderly end."""

    def execute(self, statement: str, *values: object, url: str | None = None) -> Rows:
        """Run a statement by itself; return its rows."""
        with self.connected(url) as cursor:
            cursor.execute(statement, values or None)
            return list(cursor.fetchall()) if cursor.description else []

    def tables(self, name: str = "", column: str = "") -> list[str]:
        """Return the tables whose name contains `name`, and that have such a column."""
        found = [table for table, each in self.columns() if name in table and column in {"", each}]
        return [*dict.fromkeys(found)]

    def rows(self, name: str = "") -> list[str]:
        """Return every row of the tables whose name contains `name`, as text."""
        tables = self.tables(name)
        return [str(row) for table in tables for row in self.execute(f"SELECT * FROM {table}")]

    @contextmanager
    def renamed(self, table: str, column: str, name: str) -> Iterator[None]:
        """Break what the code expects of a table: one of its columns has another name."""
        [found] = self.tables(table, column)
        self.execute(f'ALTER TABLE {found} RENAME COLUMN "{column}" TO "{name}"')
        try:
            yield
        finally:
            self.execute(f'ALTER TABLE {found} RENAME COLUMN "{name}" TO "{column}"')

    @contextmanager
    def triggered(self, name: str, body: str) -> Iterator[None]:
        """Have a statement run after each change to a row of a table."""
        [table] = self.tables(name)
        events = ("INSERT", "UPDATE", "DELETE")
        for event in events:
            trigger = f"CREATE TRIGGER after_{event} AFTER {event} ON {table}"
            self.execute(f"{trigger} FOR EACH ROW {body}")
        try:
            yield
        finally:
            for event in events:
                self.execute(f"DROP TRIGGER after_{event}")

    def store_email(self, new: str, *, of: str) -> None:
        """Change the address of a user, as an earlier release may have stored it."""
        [table] = self.tables(column="email")
        self.execute(f"UPDATE {table} SET email = %s WHERE email = %s", new, of)
        assert self.execute(f"SELECT count(*) FROM {table} WHERE email = %s", new) == [(1,)]

    def age_tokens(self, by: timedelta) -> None:
        """Make every stored token older: time does not wait, so its rows move."""
        for table, column in self.columns():
            if "token" in table and column.endswith("_at"):
                set_to = self.earlier.format(f'"{column}"')
                self.execute(f'UPDATE {table} SET "{column}" = {set_to}', by.total_seconds())


def in_utc(value: datetime | str) -> datetime:
    """Return a time that a database has given: without a time zone it is in UTC."""
    time = datetime.fromisoformat(value) if isinstance(value, str) else value
    return time if time.tzinfo else time.replace(tzinfo=UTC)
