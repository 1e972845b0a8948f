"""The containers of a generated project."""

import contextlib
import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from contract.databases import Database
from contract.databases.postgresql import PostgreSQL
from contract.processes import free_port, until
from contract.service import Target, parts_of

# What compose calls the server of a database.
DATABASES = ("postgres", "mariadb", "mysql")
# None of the values by which compose could be told otherwise.
UNSET = (
    *(
        "IMAGE",
        "SECRET_KEY",
        "POSTGRES_PASSWORD",
        "MARIADB_PASSWORD",
        "MYSQL_PASSWORD",
        "REDIS_PASSWORD",
        "RABBITMQ_PASSWORD",
        "ALLOWED_HOSTS",
        "DATABASE_HOST",
        "ENVIRONMENT",
        "LOG_LEVEL",
    ),
    *("WEB_CONCURRENCY", "WEB_MEMORY", "LOGIN_ATTEMPTS", "TRUSTED_PROXIES"),
)


def docker(
    *arguments: str | Path, cwd: Path | None = None, timeout: float = 300, **environment: str
) -> subprocess.CompletedProcess[str]:
    """Run a docker command, whatever its status; stdout holds what it prints, errors included."""
    kept = {name: value for name, value in os.environ.items() if name not in UNSET}
    return subprocess.run(
        ["docker", *arguments],
        cwd=cwd,
        env=kept | environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=timeout,
        check=False,
    )


def say(*arguments: str | Path) -> str:
    """Return what a docker command prints; it must succeed."""
    done = docker(*arguments)
    assert done.returncode == 0, f"docker {' '.join(map(str, arguments))}:\n{done.stdout}"
    return done.stdout


def inspect(name: str) -> dict[str, Any]:
    """Return what the engine knows of a container or an image."""
    [found] = json.loads(say("inspect", name))
    return found


def containers_of(name: str) -> list[str]:
    """Return every container of a compose project, ended ones included."""
    label = f"label=com.docker.compose.project={name}"
    return say("ps", "--all", "--quiet", "--filter", label).split()


class Stack(Target):
    """A project's services under a name and on a port of their own."""

    def __init__(
        self, project: Path, name: str, file: str = "compose.yaml", **environment: str
    ) -> None:
        """Start nothing yet; `environment` is what the user has set for compose."""
        port = free_port()
        super().__init__(f"http://127.0.0.1:{port}", **parts_of(project))
        self.project = project
        self.name = name
        self.file = file
        self.environment = {"PORT": str(port), **environment}
        self.figures: dict[str, str] = {}  # what was measured while it came up

    def run(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run a compose command, whatever its status."""
        options = ("--project-name", self.name, "--file", self.file)
        told = self.environment | environment
        return docker("compose", *options, *arguments, cwd=self.project, **told)

    def __call__(self, *arguments: str) -> str:
        """Return what a compose command prints; it must succeed."""
        done = self.run(*arguments)
        assert done.returncode == 0, f"{' '.join(arguments)}:\n{done.stdout}\n{self.tail()}"
        return done.stdout

    def tail(self) -> str:
        """Return the last lines of every service's log."""
        return self.run("logs", "--no-color", "--tail", "30").stdout

    def up(self, *options: str) -> None:
        """Bring everything up, and wait until it is healthy."""
        self("up", "--wait", "--wait-timeout", "120", *options)

    @property
    def services(self) -> list[str]:
        """Name the services that run our image for as long as the stack does."""
        return ["web", *(["worker", "beat"] if self.has_tasks else [])]

    def identifiers(self) -> list[str]:
        """Return every container of the stack, ended ones included."""
        return containers_of(self.name)

    def container(self, service: str) -> dict[str, Any]:
        """Return what the engine knows of a service's container."""
        return inspect(self("ps", "--all", "--quiet", service).strip())

    def read(self, service: str, path: str) -> str:
        """Return a file as the service sees it."""
        return self("exec", "-T", service, "cat", path)

    @contextlib.contextmanager
    def changed_settings(self) -> Iterator[Path]:
        """Change the code for a while: one line more in the module of the settings."""
        [path] = {*self.project.glob("*/settings.py")} - {*self.project.glob("tests/*")}
        before = path.read_text("utf-8")
        path.write_text(f"{before}# Changed.\n", "utf-8")
        try:
            yield path
        finally:
            path.write_text(before, "utf-8")

    @property
    def servers(self) -> list[str]:
        """Name the database's server; a file has none."""
        return [name for name in self("config", "--services").split() if name in DATABASES]

    @property
    def database(self) -> Database:
        """PostgreSQL by its own address: it has no published port."""
        [network] = self.container("postgres")["NetworkSettings"]["Networks"].values()
        return PostgreSQL(f"postgresql://app:app@{network['IPAddress']}:5432/app")

    def health(self, service: str) -> str:
        """Return what the health check of a service says: healthy, unhealthy or starting."""
        return self.container(service)["State"]["Health"]["Status"]

    def wait_until(self, service: str, health: str, within: float = 120) -> None:
        """Wait for what a health check is to say."""
        until(
            lambda: self.health(service) == health,
            within=within,
            failing=lambda: (
                f"{service} is not {health}: {self.container(service)['State']}\n{self.tail()}"
            ),
        )

    def down(self) -> None:
        """Remove everything, the volumes and the image included."""
        self.run("down", "--volumes", "--rmi", "local", "--timeout", "5", "--remove-orphans")
