"""A learner's service, running as its Procfile says, on a database of its own."""

from __future__ import annotations

import hashlib
import http.client
import json
import os
import re
import shlex
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

KEY = "of-a-course-and-long-enough-to-sign-with-it"
PASSWORD = "correct horse battery staple"  # noqa: S105 - of users that there are for a second
NOBODY = "redis://127.0.0.1:1"
"""Where no Redis is: a service that can do without it does, and no check asks for it."""

PATIENCE = 30
"""Seconds in which a service starts."""

_GRACE = 5
"""Seconds in which one ends."""

_SERVERS = "VALKEY_DATABASES"
"""What is in a project's `devservers.py` if there are servers that it starts."""

_ENDED = re.compile(r"^Traceback \(most recent call last\)[\s\S]+^\w[\w.]*: ", re.MULTILINE)
"""A traceback, with its last line."""

CACHE = Path("workshop", ".cache")


class NotStartedError(Exception):
    """A service that ended before it answered; the text is what it printed."""


@dataclass(frozen=True)
class Answer:
    """What came: the status, the headers by their names in small letters, the body."""

    status: int
    headers: Mapping[str, str]
    body: str

    @property
    def json(self) -> Any:
        """Return what the body says, or nothing if it is no JSON."""
        try:
            return json.loads(self.body)
        except ValueError:
            return None


@dataclass
class Service:
    """A running service, the file it prints to, and the users that it knows by now."""

    port: int
    log: Path
    process: subprocess.Popen[bytes]
    tokens: dict[str, str] = field(default_factory=dict)

    def ask(self, method: str, path: str, body: bytes | None, headers: Mapping[str, str]) -> Answer:
        """Send a request; return what came.

        Raises:
            OSError: if nothing did.
        """
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        try:
            connection.request(method, path, body, dict(headers))
            came = connection.getresponse()
            told = {name.lower(): value for name, value in came.getheaders()}
            return Answer(came.status, told, came.read().decode("utf-8", "replace"))
        except http.client.HTTPException as error:
            raise OSError(f"no answer that is HTTP ({type(error).__name__})") from error
        finally:
            connection.close()

    def token(self, name: str) -> str:
        """Return a token of a user of this name, who is registered if need be."""
        if name not in self.tokens:
            email = f"{name}@example.org"
            body = json.dumps({"email": email, "password": PASSWORD}).encode()
            self.ask("POST", "/api/v1/users", body, {"Content-Type": "application/json"})
            form = {"grant_type": "password", "username": email, "password": PASSWORD}
            kind = {"Content-Type": "application/x-www-form-urlencoded"}
            came = self.ask("POST", "/api/v1/auth/token", urlencode(form).encode(), kind)
            self.tokens[name] = (came.json or {}).get("access_token", "")
        return self.tokens[name]

    def printed(self) -> str:
        """Return all that the service has printed."""
        return self.log.read_text(encoding="utf-8", errors="replace")


def environment(course: Path, database: Path, **others: str) -> dict[str, str]:
    """Return the environment of a course's own processes."""
    foreign = re.compile(
        r"PYTHON(PATH|HOME|SAFEPATH|STARTUP|DONTWRITEBYTECODE)|VIRTUAL_ENV|DJANGO_|COV_|PYTEST_"
    )
    kept = {name: value for name, value in os.environ.items() if not foreign.match(name)}
    kept |= {
        "PATH": f"{course / '.venv' / 'bin'}{os.pathsep}{os.environ.get('PATH', '')}",
        "ENVIRONMENT": "test",
        "SECRET_KEY": KEY,
        "DATABASE_URL": f"sqlite:///{database}",
        "REDIS_URL": NOBODY,
        "CELERY_BROKER_URL": NOBODY,
        "HOST": "127.0.0.1",
        "LOG_LEVEL": "info",
        "CORS_ORIGINS": "",
        "WEB_CONCURRENCY": "1",
    }
    return kept | others


def command(course: Path, process: str) -> list[str]:
    """Return the command by which the Procfile starts a process, if it does."""
    for line in (course / "Procfile").read_text(encoding="utf-8").splitlines():
        name, _, words = line.partition(":")
        if name.strip() == process:
            return shlex.split(words)
    return []


def run(
    course: Path, process: str, env: dict[str, str], timeout: float | None = None
) -> subprocess.CompletedProcess[str]:
    """Run a process of the Procfile until it ends; all that it prints is its `stdout`.

    Raises:
        subprocess.TimeoutExpired: if it does not end within so many seconds.
    """
    return subprocess.run(
        command(course, process),
        cwd=course,
        env=env,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        timeout=timeout,
        check=False,
    )


def migrate(course: Path, database: Path) -> None:
    """Make the database that the migrations make, or take it from the last time.

    Raises:
        NotStartedError: if they fail.
    """
    kept = course / CACHE / f"{_digest(course)}.db"
    if kept.is_file():
        shutil.copyfile(kept, database)
        return
    done = run(course, "release", environment(course, database))
    if done.returncode or not database.is_file():
        raise NotStartedError(done.stdout)
    if (course / CACHE.parent).is_dir():
        kept.parent.mkdir(exist_ok=True)
        for old in kept.parent.glob("*.db"):
            old.unlink(missing_ok=True)
        shutil.copyfile(database, kept)


@contextmanager
def serving(course: Path, scratch: Path) -> Iterator[Service]:
    """Start a service; it ends with the block.

    Raises:
        NotStartedError: if it does not come to listen.
    """
    database, log = scratch / "service.db", scratch / "service.log"
    migrate(course, database)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with log.open("wb") as output:
        process = subprocess.Popen(
            _whole(course),
            cwd=course,
            # The project's own servers are started for those that nobody names.
            env=environment(course, database, PORT=str(port), REDIS_URL="", CELERY_BROKER_URL=""),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    service = Service(port, log, process)
    try:
        _wait(service)
        yield service
    finally:
        _end(process)


def _whole(course: Path) -> list[str]:
    """Return the command that starts the web process, and what the project has beside it."""
    web, worker = command(course, "web"), command(course, "worker")
    if worker:
        web = ["sh", "-c", f"{shlex.join(worker)} & exec {shlex.join(web)}"]
    servers = course / "devservers.py"
    if servers.is_file() and _SERVERS in servers.read_text(encoding="utf-8"):
        return [str(course / ".venv" / "bin" / "python"), "-m", "devservers", *web]
    return web


def _end(process: subprocess.Popen[bytes]) -> None:
    """End a process, and then what it has started and has not ended by itself."""
    process.terminate()
    with suppress(subprocess.TimeoutExpired):
        process.wait(timeout=_GRACE)
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _wait(service: Service) -> None:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        if service.process.poll() is not None:
            raise NotStartedError(service.printed())
        try:
            socket.create_connection(("127.0.0.1", service.port), timeout=1).close()
        except OSError:
            # A server that starts its processes again would do so for ever.
            if _ENDED.search(printed := service.printed()):
                raise NotStartedError(printed) from None
            time.sleep(0.02)
        else:
            _ask(service)
            return
    raise NotStartedError(f"it does not listen after {PATIENCE} s")


def _ask(service: Service) -> None:
    """Ask for anything: a server may listen first, load the service then, and end of that."""
    try:
        service.ask("GET", "/healthz", None, {})
    except OSError:
        with suppress(subprocess.TimeoutExpired):  # if it goes on, the checks say what is wrong
            service.process.wait(timeout=_GRACE)
            raise NotStartedError(service.printed()) from None


def _digest(course: Path) -> str:
    """Return what stands for the migrations as they are."""
    found = hashlib.sha256()
    folders = [path for path in course.iterdir() if path.is_dir() and path.name[0] != "."]
    modules = (file for folder in folders for file in folder.rglob("*.py"))
    for file in [course / "uv.lock", *sorted(modules)]:
        name = file.relative_to(course)
        if file.is_file() and (name.suffix == ".lock" or "migrations" in name.parts):
            found.update(name.as_posix().encode() + file.read_bytes())
    return found.hexdigest()[:16]
