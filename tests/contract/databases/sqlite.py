"""SQLite: a file, and no server."""

import fcntl
import os
import sqlite3
import struct
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psutil

from .database import Database, Rows

SLOW = 4_000_000  # rows, which take some seconds to be counted


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
        """Hold the file, so that whoever reads has to wait, in whatever table: for 10 s at most.

        What is locked are the marks of readers beside the WAL
        (https://www.sqlite.org/walformat.html#wal_locks), by a description of our own, as this
        process has connections too.
        """
        assert self.tables(name)
        # The marks are there while somebody has the file open, as no web process may have by now.
        marks_of = Path(f"{self.directory}/app.db-shm")
        with self.connected() as cursor:
            cursor.execute("SELECT count(*) FROM sqlite_schema").fetchall()
            with marks_of.open("r+b") as marks:
                lock = struct.pack("hhqqi4x", fcntl.F_WRLCK, os.SEEK_SET, 123, 5, 0)
                fcntl.fcntl(marks, fcntl.F_OFD_SETLKW, lock)
                yield marks

    @contextmanager
    def counted_slowly(self, name: str) -> Iterator[None]:
        """Have a table be long for whoever begins to read it meanwhile: for seconds."""
        [table] = self.tables(name)
        held = table.replace(name, f"held_{name}")
        names = [column for each, column in self.columns() if each == table]
        columns = ", ".join(f"'2000-01-01' AS {column}" for column in names)
        # It reads a table: a statement prepared of a view of none never looks whether that is still
        # the one that is there, and a connection keeps those that it has prepared.
        rows = f"SELECT 0 * count(*) FROM {held} UNION ALL SELECT n + 1 FROM long WHERE n < {SLOW}"
        view = f"WITH RECURSIVE long(n) AS ({rows}) SELECT {columns} FROM long"
        self.at_once(f"ALTER TABLE {table} RENAME TO {held}", f"CREATE VIEW {table} AS {view}")
        try:
            yield
        finally:
            self.at_once(f"DROP VIEW {table}", f"ALTER TABLE {held} RENAME TO {table}")

    def at_once(self, *statements: str) -> None:
        """Run statements of which nobody sees one without the others."""
        with self.connected() as cursor:
            for statement in ("BEGIN IMMEDIATE", *statements, "COMMIT"):
                cursor.execute(statement)

    @contextmanager
    def written(self) -> Iterator[None]:
        """Be the one who writes, so that nobody else does; readers go on."""
        with self.connected() as cursor:
            cursor.execute("BEGIN IMMEDIATE")
            yield

    def waiting(self) -> int:
        """Give whoever has been asked the time to wait, and say that many do: none tells."""
        time.sleep(2)
        return 99

    def end_waiting(self) -> None:
        raise NotImplementedError("there are no sessions")

    def sessions(self, url: str) -> int:
        path = urlsplit(url).path[1:]
        return sum(path in files_of(process) for process in psutil.process_iter())

    def slow_commits(self, name: str) -> AbstractContextManager[Any]:
        raise NotImplementedError("nothing holds a commit up")

    @contextmanager
    def refusing(self, name: str) -> Iterator[None]:
        # A reference to nothing, which waits for the commit.
        reference = "REFERENCES refused (id) DEFERRABLE INITIALLY DEFERRED"
        self.execute(f"CREATE TABLE refused (id integer PRIMARY KEY, of_none integer {reference})")
        try:
            with self.triggered(name, "BEGIN INSERT INTO refused (of_none) VALUES (-1); END"):
                yield
        finally:
            self.execute("DROP TABLE refused")

    @contextmanager
    def without_new_tables(self, url: str) -> Iterator[None]:
        with self.connected(url) as cursor:
            cursor.execute("BEGIN IMMEDIATE")
            yield


def files_of(process: psutil.Process) -> set[str]:
    """Return what a process has open, if it is still there."""
    try:
        return {file.path for file in process.open_files()}
    except psutil.Error:
        return set()
