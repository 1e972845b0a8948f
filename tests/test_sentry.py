"""Sentry: what a generated project tells it, and what it never does."""

import gzip
import json
import secrets
import socket
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import httpx
import pytest

from contract.client import BOOKS, ME, REPORTS, TOKEN, USERS, book, connect, talkative, told_by
from contract.processes import IN_ORDER, Process, free_port, until
from contract.service import Project, Service, running
from gate import by_turns


class Sentry(ThreadingHTTPServer):
    """A server that takes what Sentry's SDK sends, and keeps every byte of it.

    https://develop.sentry.dev/sdk/data-model/envelopes/
    """

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Receiver)
        self.envelopes: list[str] = []

    @property
    def dsn(self) -> str:
        return f"http://{'a' * 32}@127.0.0.1:{self.server_port}/7"

    @property
    def events(self) -> list[dict[str, Any]]:
        return [json.loads(envelope.splitlines()[2]) for envelope in self.envelopes]

    def event(self, tag: str, value: str) -> dict[str, Any]:
        """Wait for what has this tag, and return it: one event and no more."""

        def found() -> list[dict[str, Any]]:
            return [event for event in self.events if event.get("tags", {}).get(tag) == value]

        [event] = until(found, within=10, failing=f"Sentry is not told of {tag} {value}")
        return event


class Receiver(BaseHTTPRequestHandler):
    server: Sentry

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        assert self.path == "/api/7/envelope/"
        self.server.envelopes.append(gzip.decompress(body).decode())
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture(scope="module")
def receiver() -> Iterator[Sentry]:
    with Sentry() as sentry:
        thread = Thread(target=sentry.serve_forever, args=[0.05])
        thread.start()
        yield sentry
        sentry.shutdown()
        thread.join()


@pytest.fixture
def sentry(receiver: Sentry) -> Sentry:
    """Give a Sentry that has not been told anything."""
    receiver.envelopes.clear()
    return receiver


@pytest.fixture(scope="module", params=by_turns(1, "sentry"))
def service(
    request: pytest.FixtureRequest, receiver: Sentry, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Service]:
    """Run a project that tells Sentry, one of each framework."""
    home = tmp_path_factory.mktemp("sentry")
    project = Project.generate(request.param, home, errors="sentry")
    told = {
        "SENTRY_DSN": receiver.dsn,
        "SENTRY_ENVIRONMENT": "staging",
        "SENTRY_RELEASE": "registry.example.org/shop:1.2.3",
    }
    with running(project, **told) as service:
        yield service


@pytest.fixture
def user(service: Service) -> Iterator[httpx.Client]:
    with closing(talkative(service.base_url)) as client:
        yield client


def bug(service: Service, client: httpx.Client) -> str:
    """Run into a bug, a column that the table has no longer; return the id of the request."""
    with service.renamed("book", "title", "no_title"):
        response = client.get(f"{BOOKS}?search={secrets.token_hex(8)}")
    assert response.status_code == 500
    return response.headers["X-Request-ID"]


def call(service: Service, function: str) -> str:
    """Have the worker run a task, by its function's name; return its own."""
    root = service.project.path
    [path] = [p for p in root.rglob("tasks.py") if f"def {function}(" in p.read_text("utf-8")]
    name = ".".join([*path.relative_to(root).with_suffix("").parts, function])
    service.run([*service.celery, "call", name])
    return name


def failed(service: Service, task: str) -> None:
    """Wait until the worker's log says that a task has failed."""
    worker = service.worker
    assert worker
    until(
        lambda: [e for e in worker.events() if e["level"] == "error" and task in e["event"]],
        within=20,
        failing=f"{task} does not fail",
    )


@contextmanager
def lost(process: Process) -> Iterator[None]:
    process.kill()
    try:
        yield
    finally:
        process.start()


def test_a_bug_is_one_event(service: Service, sentry: Sentry, user: httpx.Client) -> None:
    """What nobody foresaw is one event: its type, where it was, in which request and release.

    Of the release's name the path is left out, as Sentry takes no slash.
    """
    event = sentry.event("request_id", bug(service, user))
    assert sentry.events == [event]
    told = {"level": "error", "environment": "staging", "release": "shop:1.2.3"}
    assert told.items() <= event.items()
    exceptions = event["exception"]["values"]
    assert "UndefinedColumn" in {exception["type"] for exception in exceptions}
    frames = [frame for each in exceptions for frame in each["stacktrace"]["frames"]]
    assert any(frame["in_app"] and frame["context_line"] for frame in frames)


def test_nothing_that_anybody_sent_is_told(
    service: Service, sentry: Sentry, user: httpx.Client
) -> None:
    """No byte says who asked, from where, with which secrets, or what they sent.

    What the database says of such a bug has the statement and its values.
    """
    account = {"email": f"{secrets.token_hex(8)}@example.org", "password": secrets.token_hex(8)}
    grant = {"grant_type": "password", "username": account["email"], **account}
    sent = {"title": secrets.token_hex(8), "author": secrets.token_hex(8)}
    with service.renamed("book", "author", "no_author"):
        responses = [
            user.post(BOOKS, json=book(**sent)),
            user.get(BOOKS, params={"search": sent["title"], "author": sent["author"]}),
        ]
    with service.renamed("user", "email", "no_email"):
        responses += [user.post(USERS, json=account), user.post(TOKEN, data=grant)]
    assert [response.status_code for response in responses] == [500] * 4
    for response in responses:
        event = sentry.event("request_id", response.headers["X-Request-ID"])
        assert not {"extra", "request", "user"} & event.keys()
        assert event["breadcrumbs"] == {"values": []}
    secret = [service.secret_key, *service.database.secrets, service.cache.password]
    words = [*told_by(user), *account.values(), *sent.values(), *secret]
    text = "".join(sentry.envelopes).casefold()
    assert [word for word in words if word.casefold() in text] == []


def test_what_is_refused_is_no_event(service: Service, sentry: Sentry, user: httpx.Client) -> None:
    """No event is what is wrong with a request, 4xx, nor that it has to come again, 503."""
    assert user.get(f"{BOOKS}/{2**62}").status_code == 404
    assert user.post(BOOKS, json={}).status_code == 422
    assert user.get(ME, headers={"Authorization": "Bearer x"}).status_code == 401
    with lost(service.database):
        assert user.get(f"{BOOKS}/{2**62}").status_code == 503
        failed(service, call(service, "finish_lost_reports"))  # which another run will do
    service.wait_until_ready()
    event = sentry.event("request_id", bug(service, user))
    assert sentry.events == [event]


def test_a_task_that_fails_is_one_event(
    service: Service, sentry: Sentry, user: httpx.Client
) -> None:
    """What fails in a worker is an event with the task's name, whoever catches it there."""
    with service.renamed("book", "publication_date", "no_date"):
        report = user.post(REPORTS).headers["Location"]
        until(
            lambda: user.get(report).json()["status"] == "failed",
            within=20,
            failing="the report does not fail",
        )
    with service.renamed("token", "expires_at", "no_end"):
        task = call(service, "delete_expired_refresh_tokens")
        sentry.event("task", task)
    names = {event["tags"]["task"].rpartition(".")[2] for event in sentry.events}
    assert names == {"compute_report", "delete_expired_refresh_tokens"}
    assert len(sentry.events) == 2


def test_what_was_told_last_is_sent(service: Service, sentry: Sentry) -> None:
    """A process that has to end sends first what it has to tell."""
    with service.another_web(WEB_CONCURRENCY="1") as (web, base_url):
        with connect(base_url) as client:
            request_id = bug(service, client)
        web.terminate()
        assert web.wait(15) in IN_ORDER
    assert sentry.event("request_id", request_id)
    worker = service.worker
    assert worker
    with service.renamed("token", "expires_at", "no_end"):
        task = call(service, "delete_expired_refresh_tokens")
        failed(service, task)
        worker.terminate()
        status = worker.wait(15)
    service.restore()
    assert status in IN_ORDER
    assert sentry.event("task", task)


def test_a_silent_sentry_slows_nothing(service: Service) -> None:
    """One that accepts and never answers holds up neither an answer nor, for long, the end."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        dsn = f"http://key@127.0.0.1:{silent.getsockname()[1]}/1"
        with service.another_web(SENTRY_DSN=dsn, WEB_CONCURRENCY="1") as (web, base_url):
            with connect(base_url) as client:
                began = time.monotonic()
                for _ in range(5):
                    bug(service, client)
                assert time.monotonic() - began < 5
            web.terminate()
            assert web.wait(15) in IN_ORDER


def test_without_a_dsn_nothing_is_connected(service: Service, sentry: Sentry) -> None:
    """Without SENTRY_DSN a process that runs into a bug has connections to its servers alone."""
    quiet = service.another_web(SENTRY_DSN=None, WEB_CONCURRENCY="1")
    with quiet as (web, base_url), connect(base_url) as client:
        bug(service, client)
        service.connected_to_servers_alone(web, base_url)
    assert sentry.envelopes == []


@pytest.mark.parametrize(
    ("kind", "dsn"),
    [
        ("web", "https://sentry.example.org/hunter2"),
        ("worker", "ftp://hunter2@sentry.example.org/1"),
    ],
)
def test_a_wrong_dsn_is_refused(service: Service, kind: str, dsn: str) -> None:
    """A process that has a DSN which is none does not start; it names the variable alone."""
    process = service.process(kind, f"refused-{kind}", SENTRY_DSN=dsn, PORT=str(free_port()))
    process.start()
    try:
        assert process.wait(20) == 1
    finally:
        process.stop()
    assert "SENTRY_DSN: " in process.output()
    assert "hunter2" not in process.output()
    assert "Traceback" not in process.output()
