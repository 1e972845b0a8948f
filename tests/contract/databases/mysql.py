"""MySQL's family: MySQL, and MariaDB, which is in Debian's mariadb-server-core."""

import getpass
import os
import secrets
import shutil
import subprocess
from abc import ABC, abstractmethod
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, closing, contextmanager, suppress
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import urlsplit

import pymysql
import pymysql.cursors
import pytest

from ..processes import Process, free_port, until
from .database import Database

CHANGE = "ALTER TABLE {} COMMENT = ''"
"""It changes nothing, and has to wait for whoever reads."""
STATES = "state LIKE 'Waiting for%lock%' AND info NOT LIKE 'ALTER TABLE%'"


class MySQL(Database):
    """The rows of a service in a server of MySQL's family that runs somewhere."""

    earlier = "{} - INTERVAL %s SECOND"
    no_column = "Unknown column"
    read_only_setting = "transaction_read_only"
    slow: ClassVar = {"binlog_group_commit_sync_delay": 500_000}
    """What has a commit wait before anybody sees it, in microseconds."""

    def __init__(self, url: str, administrator: str) -> None:
        self.url = url
        self.maintenance = administrator
        """The URL of who may do everything."""

    @contextmanager
    def connected(self, url: str | None = None) -> Iterator[pymysql.cursors.Cursor]:
        told = urlsplit(url or self.maintenance)
        connection = pymysql.connect(
            host=told.hostname,
            port=told.port or 3306,
            user=told.username,
            password=told.password or "",
            database=told.path[1:] or None,
            sql_mode="ANSI_QUOTES,STRICT_ALL_TABLES",
            init_command="SET time_zone = '+00:00'",
            connect_timeout=5,
            autocommit=True,
        )
        with closing(connection), connection.cursor() as cursor:
            yield cursor

    def create_database(self, name: str = "app") -> str:
        server = self.maintenance.removesuffix("app")
        self.execute(f"CREATE DATABASE {name}", url=server)
        self.execute(f"GRANT ALL ON {name}.* TO app", url=server)
        return self.url.removesuffix("app") + name

    def columns(self) -> list[tuple[str, str]]:
        query = (
            """SELECT concat('"', table_name, '"'), column_name FROM information_schema.columns"""
            " WHERE table_schema = 'app' ORDER BY table_name, ordinal_position"
        )
        return [(table, column) for table, column in self.execute(query)]

    @contextmanager
    def locked(self, name: str) -> Iterator[Any]:
        tables = ", ".join(f"{table} WRITE" for table in self.tables(name))
        with self.connected() as cursor:
            cursor.execute(f"LOCK TABLES {tables}")
            yield cursor

    @contextmanager
    def counted_slowly(self, name: str) -> Iterator[Any]:
        # LOCK TABLES locks in MySQL what a table references as well. So whoever reads waits for a
        # change that was first, and it for a reader who stays.
        tables = self.tables(name)
        query = (
            "SELECT count(*) FROM information_schema.processlist"
            " WHERE info LIKE 'ALTER TABLE%' AND state LIKE 'Waiting for%lock%'"
        )
        with ThreadPoolExecutor(len(tables)) as pool, self.connected() as reader:
            reader.execute("BEGIN")
            for table in tables:
                reader.execute(f"SELECT 1 FROM {table}")
                pool.submit(self.execute, CHANGE.format(table))
            until(lambda: self.execute(query) == [(len(tables),)], within=5, failing="none waits")
            yield reader

    def waiting(self) -> int:
        of_tables = f"SELECT count(*) FROM information_schema.processlist WHERE {STATES}"
        of_rows = "SELECT count(*) FROM information_schema.innodb_trx WHERE trx_state = 'LOCK WAIT'"
        [(count,)] = self.execute(f"SELECT ({of_tables}) + ({of_rows})")
        return int(count)

    def end_waiting(self) -> None:
        of_rows = "SELECT trx_mysql_thread_id FROM information_schema.innodb_trx"
        query = (
            f"SELECT id FROM information_schema.processlist WHERE {STATES}"
            f" OR id IN ({of_rows} WHERE trx_state = 'LOCK WAIT')"
        )
        self._end(self.execute(query))

    def sessions(self, url: str) -> int:
        query = "SELECT count(*) FROM information_schema.processlist WHERE db = %s"
        [(count,)] = self.execute(query, urlsplit(url).path[1:])
        return int(count)

    @contextmanager
    def without_new_tables(self, url: str) -> Iterator[None]:  # noqa: ARG002, it is of the server
        with self.connected() as cursor:
            cursor.execute("FLUSH TABLES WITH READ LOCK")
            yield

    @contextmanager
    def slow_commits(self, name: str) -> Iterator[None]:  # noqa: ARG002, it is of the server
        for variable, value in self.slow.items():
            self.execute(f"SET GLOBAL {variable} = {value}")
        try:
            yield
        finally:
            for variable in self.slow:
                self.execute(f"SET GLOBAL {variable} = DEFAULT")

    def refusing(self, name: str) -> AbstractContextManager[None]:
        return self.triggered(name, "SIGNAL SQLSTATE '45000'")

    @contextmanager
    def read_only_sessions(self) -> Iterator[None]:
        """Have every session end, and each new one be read-only for as long as it lives."""
        self.execute(f"SET GLOBAL {self.read_only_setting} = ON")
        self._end(self.execute("SELECT id FROM information_schema.processlist WHERE user = 'app'"))
        try:
            yield
        finally:
            with self.connected() as cursor:
                cursor.execute(f"SET SESSION {self.read_only_setting} = OFF")
                cursor.execute(f"SET GLOBAL {self.read_only_setting} = OFF")

    @contextmanager
    def read_only(self) -> Iterator[None]:
        """Have the sessions that there are turn read-only, and then turn back."""
        self.execute("SET GLOBAL read_only = ON")
        try:
            yield
        finally:
            self.execute("SET GLOBAL read_only = OFF")

    def _end(self, sessions: list[tuple[Any, ...]]) -> None:
        for (number,) in sessions:
            with suppress(pymysql.OperationalError):  # It may have ended by itself.
                self.execute(f"KILL {number}")


class Server(Process, MySQL, ABC):
    """A server on a port of its own, in a time zone that nobody should notice."""

    name: ClassVar[str]
    needed: ClassVar[str]
    """How to get it."""
    is_packaged: ClassVar[bool]
    """Whether it can be had on every machine of CI."""
    options: ClassVar[list[str]]

    def __init__(self, home: Path) -> None:
        program = self.program()
        if not program:
            reason = f"needs {self.needed}"
            must = self.is_packaged and os.environ.get("CI")
            pytest.fail(reason) if must else pytest.skip(reason)
        self.port = free_port()
        self.password, administrators = secrets.token_hex(8), secrets.token_hex(8)
        self.secrets = [self.password, administrators]
        self.url = f"mysql://app:{self.password}@127.0.0.1:{self.port}/app"
        self.maintenance = f"mysql://admin:{administrators}@127.0.0.1:{self.port}/app"
        data = home / "data"
        user = f"--user={getpass.getuser()}"  # root too, if it is said
        command = [*self.making(program), user, f"--datadir={data}", *self.options]
        subprocess.run(command, capture_output=True, check=True)
        first = data / "first.sql"
        first.write_text(
            f"CREATE USER IF NOT EXISTS admin IDENTIFIED BY '{administrators}';\n"
            "GRANT ALL ON *.* TO admin WITH GRANT OPTION;\n"
            f"CREATE USER IF NOT EXISTS app IDENTIFIED BY '{self.password}';\n"
        )
        settings = {
            "datadir": data,
            "init-file": first,
            "port": self.port,
            "bind-address": "127.0.0.1,::1",
            "socket": "socket",
            "pid-file": "pid",
            "character-set-server": "utf8mb4",
            "default-time-zone": "+05:30",
            "max-connections": 200,
            "innodb-flush-log-at-trx-commit": 2,  # what is committed outlives the process
        }
        told = [f"--{key}={value}" for key, value in settings.items()]
        command = [program, "--no-defaults", "--skip-name-resolve", user, *self.options, *told]
        super().__init__(self.name, command, logs=home)

    @staticmethod
    @abstractmethod
    def program() -> str | None:
        """Find the program, if it is there."""

    @staticmethod
    @abstractmethod
    def making(program: str) -> list[str]:
        """Return the command that makes an empty database."""

    def start(self) -> None:
        super().start()
        until(self._answers, within=30, failing=f"{self.name} does not start")

    def _answers(self) -> bool:
        try:
            self.execute("SELECT 1", url=self.maintenance.removesuffix("app"))
        except pymysql.OperationalError:
            return False
        return True


class MariaDBServer(Server):
    name = "MariaDB"
    is_packaged = True
    needed = "MariaDB: apt-get install mariadb-server-core mariadb-client-core"
    options: ClassVar = ["--innodb-log-file-size=8M", "--innodb-buffer-pool-size=64M"]
    options += ["--log-bin"]
    read_only_setting = "tx_read_only"
    slow: ClassVar = {"binlog_commit_wait_usec": 500_000, "binlog_commit_wait_count": 99}

    @staticmethod
    def program() -> str | None:
        return shutil.which("mariadbd", path=f"{os.environ['PATH']}:/usr/sbin")

    @staticmethod
    def making(program: str) -> list[str]:  # noqa: ARG004, it has another
        normal = "--auth-root-authentication-method=normal"
        return ["mariadb-install-db", "--no-defaults", normal, "--skip-test-db"]


class MySQLServer(Server):
    name = "MySQL"
    is_packaged = False
    needed = "MySQL: MYSQLD has to name its mysqld"
    options: ClassVar = ["--innodb-redo-log-capacity=8M", "--innodb-buffer-pool-size=64M"]
    options += ["--mysqlx=OFF", "--secure-file-priv=NULL"]
    read_only_setting = "transaction_read_only"

    @staticmethod
    def program() -> str | None:
        return os.environ.get("MYSQLD")

    @staticmethod
    def making(program: str) -> list[str]:
        return [program, "--no-defaults", "--initialize-insecure"]
