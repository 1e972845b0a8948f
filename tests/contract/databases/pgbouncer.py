"""PgBouncer before a PostgreSQL: it lends its sessions by the transaction."""

import os
import re
import shutil
import subprocess
from configparser import ConfigParser
from pathlib import Path

import pytest
import yaml

from ..processes import Process, accepts, free_port, until
from .postgresql import PostgreSQLServer

OLDEST = (1, 21)  # the first that knows of statements that are prepared
NEEDED = (
    "needs PgBouncer 1.21 or later: apt-get install pgbouncer, or PGBOUNCER has to name its program"
)


class PgBouncer(Process):
    """PgBouncer on a port of its own, as a project's compose.yaml configures it."""

    def __init__(self, server: PostgreSQLServer, project: Path, home: Path) -> None:
        self.port = free_port()
        self.url = server.url.replace(f":{server.port}/", f":{self.port}/")
        users = home / "pgbouncer.users"
        users.write_text(f'"postgres" "{server.password}"\n')
        told = yaml.safe_load((project / "compose.yaml").read_text("utf-8"))["configs"]["pgbouncer"]
        settings = ConfigParser(interpolation=None)
        settings.read_string(told["content"])
        settings["databases"]["*"] = f"host=127.0.0.1 port={server.port}"
        here = {"listen_addr": "127.0.0.1", "listen_port": str(self.port), "auth_file": str(users)}
        settings["pgbouncer"].update(here)
        if server.user:
            settings["pgbouncer"]["user"] = server.user
        config = home / "pgbouncer.ini"
        with config.open("w") as file:
            settings.write(file)
        super().__init__("pgbouncer", [program(), str(config)], logs=home)

    def start(self) -> None:
        super().start()
        until(lambda: accepts(self.port), within=15, failing="PgBouncer does not start")


def program() -> str:
    """Find PgBouncer; skip the test where it is not there or too old, but in CI."""
    path = f"{os.environ['PATH']}:/usr/sbin"
    found = shutil.which(os.environ.get("PGBOUNCER") or "pgbouncer", path=path)
    if found:
        done = subprocess.run([found, "--version"], capture_output=True, text=True, check=True)
        version = re.search(r"(\d+)\.(\d+)", done.stdout)
        assert version, done.stdout
        if tuple(map(int, version.groups())) >= OLDEST:
            return found
    if os.environ.get("CI"):
        pytest.fail(NEEDED)
    pytest.skip(NEEDED)
