"""SQLite: a file, and no server."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from .database import Database, Rows


class SQLite(Database):
    """The rows of a service in a file of its own."""

    earlier = "strftime('%Y-%m-%d %H:%M:%f000', {}, -? || ' seconds')"
    no_column = "no such column"

    def __init__(self, home: Path) -> None:
        self.directory = home / "sqlite"
        self.directory.mkdir()
        self.url = f"sqlite:///{self.directory}/app.db"

    def create_database(self, name: str = "app") -> str:
        return f"sqlite:///{self.directory}/{name}.db"

    @contextmanager
    def connected(self, url: str | None = None) -> Iterator[sqlite3.Cursor]:
        path = urlsplit(url or self.url).path[1:]
        connection = sqlite3.connect(path, timeout=10, isolation_level=None)
        with closing(connection):
            connection.execute("PRAGMA foreign_keys = ON")
            yield connection.cursor()

    def execute(self, statement: str, *values: object, url: str | None = None) -> Rows:
        with self.connected(url) as cursor:
            return cursor.execute(statement.replace("%s", "?"), values).fetchall()

    def columns(self) -> list[tuple[str, str]]:
        query = (
            """SELECT '"' || t.name || '"', c.name"""
            " FROM sqlite_schema AS t, pragma_table_info(t.name) AS c"
            " WHERE t.type = 'table' AND t.name NOT LIKE 'sqlite\\_%' ESCAPE '\\'"
        )
        return [(table, column) for table, column in self.execute(query)]

    @contextmanager
    def locked(self, name: str) -> Iterator[Any]:
        """Hold the file, so that whoever writes has to wait, in whatever table; readers go on."""
        assert self.tables(name)
        with self.connected() as cursor:
            cursor.execute("BEGIN IMMEDIATE")
            yield cursor

    def waiting(self) -> int:
        raise NotImplementedError("who waits for a file tells nobody")

    def end_waiting(self) -> None:
        raise NotImplementedError("there are no sessions")

    def sessions(self, url: str) -> int:
        raise NotImplementedError("there are no sessions")

    @contextmanager
    def without_new_tables(self, url: str) -> Iterator[None]:
        with self.connected(url) as cursor:
            cursor.execute("BEGIN IMMEDIATE")
            yield
