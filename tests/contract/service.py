"""A generated project, run from its Procfile as in production."""

import contextlib
import os
import secrets
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import jwt
import psutil
import uv
import yaml

from stackyard.resources import parse

from .brokers import RabbitMQ, ValkeyBroker
from .client import connect, get
from .databases import DATABASES
from .databases.pgbouncer import PgBouncer
from .databases.postgresql import Standby
from .processes import Mailbox, Process, Valkey, free_port, leaves, until

MAIL_FROM = "Städtische Bücherei <library@bücher.example>"
APP = "https://app.example.org"
ADMIN = "https://admin.example.org:8443"
# What one more web process has where the first has a default, as people write it.
OTHERWISE = {
    "SECRET_KEY": secrets.token_hex(16),
    "CORS_ORIGINS": f"{APP}, {ADMIN}",
    "LOG_LEVEL": "error",
}
# Traces are told to nobody there: whatever is asked holds with these as well.
NO_COLLECTOR = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:9"}
WITH_FEED = {"tornado-ws"}


@dataclass
class Project:
    """A generated project on disk, with an environment that holds what production needs."""

    path: Path
    environment: Path

    @classmethod
    def generate(cls, framework: str, home: Path, **answers: str) -> "Project":
        path = home / "project"
        command = [sys.executable, "-m", "stackyard", "new", framework, str(path)]
        told = [part for name, value in answers.items() for part in ("-d", f"{name}={value}")]
        _run([*command, "--defaults", "--no-git", *told])
        return cls.at(path, home)

    @classmethod
    def at(cls, path: Path, home: Path) -> "Project":
        environment = home / "environment"
        command = [uv.find_uv_bin(), "sync", "--no-dev", "--project", str(path)]
        _run(command, UV_PROJECT_ENVIRONMENT=str(environment))
        return cls(path, environment)

    @property
    def procfile(self) -> dict[str, str]:
        lines = (self.path / "Procfile").read_text("utf-8").splitlines()
        entries = (line.split(":", 1) for line in lines if line.strip() and line[0] != "#")
        return {name.strip(): command.strip() for name, command in entries}

    def task(self, function: str) -> str:
        """Return the name of a task, by that of its function."""
        defined = f"def {function}("
        [path] = [p for p in self.path.rglob("tasks.py") if defined in p.read_text("utf-8")]
        return ".".join([*path.relative_to(self.path).with_suffix("").parts, function])


def answers_of(path: Path) -> dict[str, str]:
    """Return the answers that a project was generated with."""
    return yaml.safe_load((path / ".copier-answers.yml").read_text("utf-8"))


def parts_of(path: Path) -> dict[str, bool]:
    """Tell which of the optional parts a project was generated with, as `Target` names them."""
    answers = answers_of(path)
    return {
        "has_cache": answers["cache"] != "none",
        "has_tasks": answers["tasks"] != "none",
        "has_feed": answers["framework"] in WITH_FEED and has_rows(answers),
        "may_have_replica": answers.get("replicas", "none") != "none",
    }


def has_rows(answers: dict[str, str]) -> bool:
    """Tell whether a project has books, or resources of its owner's own."""
    resources = answers.get("resources") or ""
    return answers.get("example") != "none" or bool(resources and parse([resources]))


def database_of(path: Path) -> str:
    """Tell what database a project was generated for."""
    answers = yaml.safe_load((path / ".copier-answers.yml").read_text("utf-8"))
    return answers.get("database", "postgresql")


@dataclass
class Target:
    """Where a service answers, and which of the optional parts it was generated with."""

    base_url: str
    has_cache: bool = True
    has_tasks: bool = True
    has_feed: bool = True
    may_have_replica: bool = False


class Service(Target):
    """The processes of one project with servers of their own."""

    def __init__(
        self,
        project: Project,
        *,
        replicated: bool = False,
        pooled: bool = False,
        **settings: str,
    ) -> None:
        self.project = project
        self.port = free_port()
        super().__init__(f"http://127.0.0.1:{self.port}", **parts_of(project.path))
        self.secret_key = secrets.token_hex(32)
        self.home = Path(tempfile.mkdtemp(prefix="stackyard-contract-"))
        self.logs = self.home / "logs"
        self.logs.mkdir()
        self.database = DATABASES[database_of(project.path)](self.home)
        self.replica = Standby(self.database, self.home) if replicated else None
        self.pooler = PgBouncer(self.database, project.path, self.home) if pooled else None
        self.cache = Valkey("cache", self.home, database=0)
        kinds = {"redis": ValkeyBroker, "rabbitmq": RabbitMQ}
        self.answers = answers_of(project.path)
        self.broker = kinds[self.answers["broker"]](self.home)
        self.mailbox = Mailbox()
        self._settings = settings
        # What tests do to the rows most often.
        self.rows, self.locked = self.database.rows, self.database.locked
        self.waiting, self.renamed = self.database.waiting, self.database.renamed
        self.release = self.process("release")
        self.web = self.process("web")
        self.worker = self.process("worker") if self.has_tasks else None
        self.beat = self.process("beat") if self.has_tasks else None

    @property
    def env(self) -> dict[str, str]:
        """The environment of every process: the machine's bare essentials and the settings."""
        return {
            "PATH": f"{self.project.environment / 'bin'}{os.pathsep}{os.environ['PATH']}",
            "HOME": str(self.home),
            "LANG": "C.UTF-8",
            "TZ": "Asia/Kolkata",
            "ENVIRONMENT": "production",
            "SECRET_KEY": self.secret_key,
            "ALLOWED_HOSTS": "127.0.0.1,test",
            "DATABASE_URL": (self.pooler or self.database).url,
            **({"DATABASE_REPLICA_URL": self.replica.url} if self.replica else {}),
            "REDIS_URL": self.cache.url,
            "CELERY_BROKER_URL": self.broker.url,
            "SMTP_URL": f"smtp://127.0.0.1:{self.mailbox.port}",
            "MAIL_FROM": MAIL_FROM,
            "WEB_CONCURRENCY": "2",
            "LOGIN_ATTEMPTS": "0",  # all of it comes from one address
            "PORT": str(self.port),
            **(NO_COLLECTOR if self.answers.get("tracing", "none") != "none" else {}),
            **self._settings,
        }

    @property
    def servers(self) -> list[Process]:
        """The servers that there are: not every database has one."""
        found = [self.database, self.replica, self.pooler, self.cache, self.broker]
        return [server for server in found if isinstance(server, Process)]

    @property
    def processes(self) -> list[Process]:
        """What of the Procfile runs for as long as the service does."""
        return [process for process in (self.web, self.worker, self.beat) if process]

    def process(self, kind: str, name: str | None = None, **settings: str | None) -> Process:
        """Make, but not start, one process of the Procfile; a setting of None is left out."""
        env = {key: value for key, value in {**self.env, **settings}.items() if value is not None}
        # `exec env` lets the process itself have the signals, not the shell that expands $PORT.
        command = ["/bin/sh", "-c", f"exec env {self.project.procfile[kind]}"]
        return Process(name or kind, command, logs=self.logs, cwd=self.project.path, env=env)

    def start(self) -> None:
        for server in (self.database, self.cache, self.broker):
            server.start()
        self.database.create_database()
        for server in (self.replica, self.pooler):
            if server:
                server.start()
        self.mailbox.start()
        self.release.start()
        status = self.release.wait(60)
        assert status == 0, f"release ended with {status}:\n{self.release.output()}"
        for process in self.processes:
            process.start()
        self.wait_until_ready()

    def stop(self) -> None:
        """End everything, whatever state it is in."""
        with contextlib.ExitStack() as stack:
            stack.callback(shutil.rmtree, self.home, ignore_errors=True)
            stack.callback(self.mailbox.stop)
            for server in self.servers:
                stack.callback(server.stop)
            pool = stack.enter_context(ThreadPoolExecutor())
            for process in self.processes:
                stack.callback(pool.submit(process.stop).result)

    def restore(self) -> None:
        """Start whatever a fault has ended, and wait until all of it serves again."""
        for process in [*self.servers, *self.processes]:
            if not process.running:
                process.start()
        self.wait_until_ready()

    def wait_until_ready(self) -> None:
        until(self._ready, within=60, failing=f"web is not ready:\n{self.web.output()}")
        if self.worker:
            until(self._works, within=60, failing=f"no worker:\n{self.worker.output()}")

    @contextlib.contextmanager
    def another_web(self, **settings: str | None) -> Iterator[tuple[Process, str]]:
        """Run one more web process beside the first, on the same servers; give its address."""
        port = free_port()
        web = self.process("web", f"web-{port}", PORT=str(port), **settings)
        base_url = f"http://127.0.0.1:{port}"
        try:
            web.start()
            until(
                lambda: _answers_ok(f"{base_url}/healthz"),
                within=60,
                failing=f"web does not answer:\n{web.output()}",
            )
            yield web, base_url
        finally:
            web.stop()

    @contextlib.contextmanager
    def another_worker(self, **settings: str | None) -> Iterator[Process]:
        """Run one more worker, on the same servers."""
        worker = self.process("worker", f"worker-{secrets.token_hex(4)}", **settings)
        try:
            worker.start()
            yield worker
        finally:
            worker.stop()

    def connected_to_servers_alone(self, web: Process, base_url: str) -> None:
        """Check that a web process has connections to its servers and its clients, and no other."""
        known = {server.port for server in self.servers}
        known.add(int(base_url.rpartition(":")[2]))
        found = [c for process in web.tree() for c in process.net_connections("inet")]
        ends = [{c.laddr.port, c.raddr.port} for c in found if c.raddr]
        assert ends
        assert all(ports & known for ports in ends)

    def web_processes(self) -> list[psutil.Process]:
        """Return those processes of `web` that answer requests."""
        return leaves(self.web, self.port)

    @contextlib.contextmanager
    def only(self, process: psutil.Process) -> Iterator[httpx.Client]:
        """Let one process alone answer for a moment; give a client that is connected to it."""
        others = [other for other in self.web_processes() if other != process]
        for other in others:
            other.suspend()
        try:
            with contextlib.closing(self._connected()) as client:
                yield client
        finally:
            for other in others:
                other.resume()

    def _connected(self) -> httpx.Client:
        """Return a client with a connection that is answered, and that it will keep.

        Where each process has a listener of its own, the kernel gives some to one that sleeps.
        """
        for tried in range(1, 60):
            client = connect(self.base_url, keep_alive=60)
            with contextlib.suppress(httpx.TimeoutException):
                client.get("/healthz", timeout=min(0.1 * tried, 0.5))
                return client
            client.close()
        raise AssertionError("the process does not answer")

    def claims(self, token: str) -> dict[str, Any]:
        """Return what a token says that the service has signed."""
        options = {"verify_aud": False}
        return jwt.decode(token, self.secret_key, algorithms=["HS256"], options=options)

    @property
    def celery(self) -> list[str]:
        """The command that every use of Celery begins with, as the Procfile has it."""
        words = shlex.split(self.project.procfile["worker"])
        return words[: words.index("worker")]

    def run(self, command: list[str], timeout: float = 30) -> str:
        """Run a command in the project as one of its processes would; return what it prints."""
        done = subprocess.run(
            ["/usr/bin/env", *command],
            cwd=self.project.path,
            env=self.env,
            capture_output=True,
            text=True,
            timeout=timeout,
            check=True,
        )
        return done.stdout

    def _ready(self) -> bool:
        """Tell whether every web process listens, and the service is ready."""
        assert self.web.running, f"web has ended:\n{self.web.output()}"
        ready = _answers_ok(f"{self.base_url}/readyz")
        return ready and len(self.web_processes()) == int(self.env["WEB_CONCURRENCY"])

    def _works(self) -> bool:
        """Tell whether a worker waits for tasks."""
        assert self.worker
        assert self.worker.running, f"worker has ended:\n{self.worker.output()}"
        return self.broker.serves()


@contextlib.contextmanager
def running(
    project: Project, *, replicated: bool = False, pooled: bool = False, **settings: str
) -> Iterator[Service]:
    """Run the service of a project.

    Reads have a replica of their own where it is `replicated`; PgBouncer is in front of the
    database where it is `pooled`.
    """
    service = Service(project, replicated=replicated, pooled=pooled, **settings)
    try:
        service.start()
        yield service
    finally:
        service.stop()


def _answers_ok(url: str) -> bool:
    try:
        response = get(url, timeout=5)
    except httpx.TransportError:
        return False
    return response.status_code == 200 and response.json()["status"] == "ok"


def _run(command: list[str], **env: str) -> None:
    done = subprocess.run(
        command, env=os.environ | env, capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, f"{shlex.join(command)} failed:\n{done.stdout}{done.stderr}"
