"""One side of a measurement: a project in a place of its own, and its service on its servers."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from contract.brokers import RabbitMQ
from contract.client import BOOKS, ME, book, connect, login, register
from contract.databases.mysql import MySQL
from contract.processes import Process, accepts, free_port, until
from contract.service import Project, Service
from stackyard.comparing.comparison import NOT_ITS_OWN
from stackyard.measuring import judging
from stackyard.measuring.figures import Measured
from stackyard.measuring.load import Generator, Request

BOOK_COUNT = 1_000
CONNECTIONS = 16
PROCESSES = 2
_HELLO = Path(__file__).with_name("hello")
# As gunicorn serves the services.
_GUNICORN = (
    "gunicorn hello:{} --workers 2 --worker-class {}.server.Worker --bind 127.0.0.1:{{port}}"
)
_HELLO_COMMANDS = {
    "fastapi": "uvicorn hello:app --workers 2 --no-access-log --port {port}",
    "django-drf": _GUNICORN.format("application", "core"),
    "flask": _GUNICORN.format("app", "app"),
    "pyramid": _GUNICORN.format("app", "app"),
    "tornado-ws": "python hello.py {port}",
}
"""How each framework's hello is served: as its service is, by as many processes."""


class Subject:
    """A project and its service; what is found is noted in `measured`.

    Whoever owns the project keeps it as it is: this is a copy.
    """

    def __init__(self, measured: Measured, answers: Mapping[str, str], home: Path) -> None:
        home.mkdir()
        self.home = home
        self.measured = measured
        self.requests: dict[str, Request] = {}
        self._hello: Process | None = None
        began = time.monotonic()
        if Path(measured.name).is_dir():
            path = home / "project"
            shutil.copytree(measured.name, path, ignore=shutil.ignore_patterns(*NOT_ITS_OWN))
            self.project = Project.at(path, home)
        else:
            self.project = Project.generate(measured.name, home, **answers)
        self._made = time.monotonic() - began
        self.service = Service(self.project, LOG_LEVEL="info", WEB_CONCURRENCY=str(PROCESSES))
        measured.framework = self.service.answers["framework"]

    def start(self) -> None:
        """Start the service and its servers, and the framework's hello beside it."""
        self.service.start()
        shutil.copy(_HELLO / f"{self.measured.framework}.py", self.home / "hello.py")
        port = free_port()
        command = _HELLO_COMMANDS[self.measured.framework].format(port=port)
        env = {**self.service.env, "PYTHONPATH": str(self.project.path)}
        words = ["/bin/sh", "-c", f"exec {command}"]
        self._hello = Process("hello", words, logs=self.home, cwd=self.home, env=env)
        self._hello.start()
        until(lambda: accepts(port), within=20, failing="hello does not start")
        self.requests["hello"] = Request(f"http://127.0.0.1:{port}/")

    def stop(self) -> None:
        """End all of it."""
        self.service.stop()
        if self._hello:
            self._hello.stop()

    def judge(self) -> None:
        """Have the contract and its own suite judge it, and count what there is of it.

        Raises:
            NoFiguresError: if one of them is not content.
        """
        path, once = self.project.path, self.measured.once
        judging.judge(path, self.service.base_url)
        once |= judging.run_suite(path, self._servers())
        once["green"] += self._made
        counted, self.measured.licenses = judging.installed(self.project.environment)
        once |= counted | judging.typed(path, self.home / "types") | judging.image(path)

    def _servers(self) -> dict[str, str]:
        """Name the servers for its own suite that come in no wheel."""
        database = self.service.database
        servers = {}
        if isinstance(database, MySQL):
            database.create_database("suite")
            # By who may do everything: each process of its tests makes a database of its own.
            servers["DATABASE_URL"] = f"{database.maintenance.removesuffix('app')}suite"
        if isinstance(self.service.broker, RabbitMQ):
            servers["CELERY_BROKER_URL"] = self.service.broker.create_host("suite")
        return servers

    def fill(self) -> None:
        """Have somebody create books, if it has any, and know what to ask."""
        base = self.service.base_url
        with connect(base) as client:
            self._account = register(client)
        self.sign_in()
        if self.service.answers["example"] != "books":
            return
        with connect(base) as user, ThreadPoolExecutor(8) as pool:
            user.headers.update(self.requests["me"].headers)
            made = [*pool.map(lambda _: user.post(BOOKS, json=book()), range(BOOK_COUNT))]
        self.requests |= {
            "book": Request(base + made[-1].headers["Location"]),
            "list": Request(base + BOOKS),
            "write": Request(base + BOOKS, "POST", self.requests["me"].headers, json.dumps(book())),
        }

    def sign_in(self) -> None:
        """Have an access token again that is good for a while."""
        base = self.service.base_url
        with connect(base) as client:
            token = login(client, self._account)["access_token"]
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        self.requests["me"] = Request(base + ME, headers=headers)
        if writing := self.requests.get("write"):
            self.requests["write"] = Request(writing.url, "POST", headers, writing.body)

    def restart(self) -> None:
        """Note how long the web processes take to the first answer, and their memory then."""
        self.service.web.stop()
        began = time.monotonic()
        self.service.web.start()
        while not self._answers():
            time.sleep(0.005)
        self._note("start", time.monotonic() - began)
        self.service.wait_until_ready()
        self._note("idle", self.memory())

    def _answers(self) -> bool:
        """Tell whether it answers; it is not asked before it listens."""
        if not accepts(self.service.port):
            return False
        with connect(self.service.base_url) as client:
            return client.get("/healthz").is_success

    def drive(self, endpoint: str, generator: Generator, seconds: float, *, note: bool) -> None:
        """Keep an endpoint busy, and note what came of it; nothing where it has none such."""
        if endpoint not in self.requests:
            return
        run = generator.drive(self.requests[endpoint], CONNECTIONS, seconds)
        if not note:
            return
        for name in ("rate", "p50", "p99"):
            self._note(f"{endpoint}.{name}", getattr(run, name))
        self.measured.errors += run.errors
        if run.is_saturated and endpoint not in self.measured.saturated:
            self.measured.saturated.append(endpoint)

    def note_load(self) -> None:
        """Note the memory that it has after load."""
        self._note("loaded", self.memory())

    def memory(self) -> float:
        """Return the MiB that a web process has for itself: its unique set size, in the mean."""
        sizes = [process.memory_full_info().uss for process in self.service.web_processes()]
        return float(sum(sizes) / len(sizes) / 2**20)

    def _note(self, name: str, value: float) -> None:
        self.measured.samples.setdefault(name, []).append(value)
