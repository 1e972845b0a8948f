"""Traces: what a generated project tells a collector, and what it never does."""

import re
import secrets
import signal
import socket
import statistics
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import pytest

from collector import Collector, Span, collecting
from combinations import FRAMEWORKS
from contract.client import BOOKS, REPORTS, TOKEN, USERS, book, connect, login, register
from contract.processes import Process, free_port, until
from contract.service import Project, Service, running

IN_ORDER = {0, -signal.SIGTERM}  # how a process ends that was asked to
SOON = {"OTEL_BSP_SCHEDULE_DELAY": "100"}  # milliseconds until spans are sent
LATE = {"OTEL_BSP_SCHEDULE_DELAY": "600000"}


@pytest.fixture(scope="module")
def receiver() -> Iterator[Collector]:
    with collecting() as collector:
        yield collector


@pytest.fixture
def collector(receiver: Collector) -> Collector:
    """Give a collector that has not been told anything."""
    time.sleep(0.3)  # in which what the last test did is told
    receiver.requests.clear()
    return receiver


@pytest.fixture(
    scope="module",
    params=[
        pytest.param(
            framework,
            marks=[
                pytest.mark.xdist_group(f"tracing-{framework}"),
                pytest.mark.one_of(2, framework),
            ],
        )
        for framework in FRAMEWORKS
    ],
)
def service(
    request: pytest.FixtureRequest, receiver: Collector, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Service]:
    """Run a project that tells traces, one of each framework."""
    home = tmp_path_factory.mktemp("tracing")
    project = Project.generate(request.param, home, tracing="opentelemetry", cache="redis")
    settings = {"OTEL_EXPORTER_OTLP_ENDPOINT": receiver.endpoint, "OTEL_SERVICE_NAME": "library"}
    with running(project, **settings, **SOON) as service:
        yield service


@pytest.fixture
def user(service: Service) -> Iterator[httpx.Client]:
    """Give a client who says much of themselves with each request."""
    with connect(service.base_url) as client:
        account = register(client)
        client.headers.update(
            {
                "Authorization": f"Bearer {login(client, account)['access_token']}",
                "Cookie": "session=that-of-another-page",
                "User-Agent": account["username"],
                "X-Forwarded-For": "203.0.113.9",
            }
        )
        yield client


def parent(*, sampled: bool = True) -> tuple[dict[str, str], str, str]:
    """Return the header of a caller who has begun a trace, its id, and that of the span."""
    trace_id, span_id = secrets.token_hex(16), secrets.token_hex(8)
    header = f"00-{trace_id}-{span_id}-{'01' if sampled else '00'}"
    return {"traceparent": header}, trace_id, span_id


def lines(process: Process, **values: Any) -> list[dict[str, Any]]:
    """Return the lines of a process' log that have these values."""
    return [line for line in process.events() if values.items() <= line.items()]


def line_of(process: Process, request_id: str) -> dict[str, Any]:
    """Wait for the line that every request has, and return it."""
    [line] = until(
        lambda: lines(process, event="request", request_id=request_id),
        within=10,
        failing="the request is not logged",
    )
    return line


def of(collector: Collector, response: httpx.Response, service: Service) -> Span:
    """Wait for the span of a request, and return it."""
    line = line_of(service.web, response.headers["X-Request-ID"])
    return collector.wait(lambda span: span.span_id == line["span_id"], "span of the request")


def requests(collector: Collector) -> list[Span]:
    """Return the spans of requests: there are others, as some tasks are run by the clock."""
    return [span for span in collector.spans if span.kind == "server"]


def call(service: Service, function: str) -> str:
    """Have the worker run a task, by its function's name; return its own."""
    root = service.project.path
    [path] = [p for p in root.rglob("tasks.py") if f"def {function}(" in p.read_text("utf-8")]
    name = ".".join([*path.relative_to(root).with_suffix("").parts, function])
    service.run([*service.celery, "call", name])
    return name


@contextmanager
def lost(process: Process) -> Iterator[None]:
    process.kill()
    try:
        yield
    finally:
        process.start()


def test_a_report_is_one_trace(service: Service, collector: Collector, user: httpx.Client) -> None:
    """From the request over the broker to the task and its statements it is one trace."""
    response = user.post(REPORTS)
    asked = of(collector, response, service)
    assert (asked.kind, asked.parent, asked.service) == ("server", "", "library")
    assert len(asked.trace_id) == 32
    task = collector.wait(
        lambda span: span.trace_id == asked.trace_id and span.name.endswith(".compute_report"),
        "task of the request",
    )
    assert (task.kind, task.parent) == ("consumer", asked.span_id)
    statements = [s for s in collector.trace(asked.trace_id) if s.operation]
    assert {s.kind for s in statements} == {"client"}
    assert {s.attributes["db.system.name"] for s in statements} == {"postgresql"}
    assert "INSERT" in {s.operation for s in statements if s.parent == asked.span_id}
    assert {"SELECT", "UPDATE"} <= {s.operation for s in statements if s.parent == task.span_id}
    worker = service.worker
    assert worker
    [line] = until(
        lambda: lines(worker, event="report finished", trace_id=asked.trace_id),
        within=10,
        failing="the task's line has no trace",
    )
    assert line["span_id"] == task.span_id


def test_a_span_is_called_by_its_route(
    service: Service, collector: Collector, user: httpx.Client
) -> None:
    """A span has the pattern of its route, as the metrics do, and what came of the request."""
    created = user.post(BOOKS, json=book())
    path = created.headers["Location"]
    expected = {
        "POST /api/v1/books": (created, "/api/v1/books", 201),
        "GET /api/v1/books/{id}": (user.get(path), "/api/v1/books/{id}", 200),
        "DELETE /api/v1/books/{id}": (user.delete(path), "/api/v1/books/{id}", 204),
        "any unmatched": (user.get("/nowhere/at-all"), "unmatched", 404),
    }
    for name, (response, route, status) in expected.items():
        span = of(collector, response, service)
        assert re.sub(r"(int:|)\bpk\b", "id", span.name) == name
        assert span.attributes["http.response.status_code"] == status
        assert span.attributes["http.route"] == route
        assert not span.failed
    number = path.rpartition("/")[2]
    assert not [s for s in collector.spans if "at-all" in str(s) or f"books/{number}" in str(s)]


def test_what_machines_ask_is_not_traced(service: Service, collector: Collector) -> None:
    """`/healthz`, `/readyz` and `/metrics` are no traces, nor is anything that they ask for."""
    headers, *_ = parent()
    with connect(service.base_url) as client:
        for path in ("/healthz", "/readyz", "/metrics"):
            assert client.get(path, headers=headers).status_code == 200
        last = of(collector, client.get("/openapi.json"), service)
    assert requests(collector) == [last]
    assert {span.kind for span in collector.spans if not span.parent} <= {"server", "consumer"}


def test_the_cache_is_in_the_trace(
    service: Service, collector: Collector, user: httpx.Client
) -> None:
    """What is asked of Redis is a part of the request, by its commands and without arguments."""
    path = user.post(BOOKS, json=book()).headers["Location"]
    span = of(collector, user.get(path), service)
    children = [s for s in collector.trace(span.trace_id) if s.parent == span.span_id]
    commands = [s.attributes["db.statement"] for s in children if "db.statement" in s.attributes]
    assert any(re.fullmatch(r"GETEX \? ?.*\nGET \?", command) for command in commands), commands
    assert not [command for command in commands if re.search(r"[^A-Z? \n]", command)]


def test_a_trace_is_continued(service: Service, collector: Collector, user: httpx.Client) -> None:
    """A caller's trace goes on, and through the broker; the log's lines have its id."""
    headers, trace_id, span_id = parent()
    response = user.post(REPORTS, headers=headers)
    asked = of(collector, response, service)
    assert (asked.trace_id, asked.parent) == (trace_id, span_id)
    task = collector.wait(
        lambda span: span.trace_id == trace_id and span.kind == "consumer", "task of the trace"
    )
    assert task.parent == asked.span_id


@pytest.mark.parametrize(
    "header",
    [
        "",
        "00",
        f"00-{'0' * 32}-{'1' * 16}-01",
        f"00-{'1' * 32}-{'0' * 16}-01",
        f"ff-{'1' * 32}-{'1' * 16}-01",
        f"00-{'1' * 31}é-{'1' * 16}-01",
        f"00-{'1' * 32}-{'1' * 16}-01-more",
        "x" * 5000,
    ],
)
def test_what_is_no_trace_begins_one(service: Service, collector: Collector, header: str) -> None:
    """A `traceparent` that is none counts as none (W3C Trace Context, section 3.2)."""
    with connect(service.base_url) as client:
        response = client.get(BOOKS, headers={"traceparent": header.encode()})
    assert response.status_code == 200
    span = of(collector, response, service)
    assert span.parent == ""
    assert span.trace_id != "1" * 32


def test_what_is_not_sampled_is_not_told(
    service: Service, collector: Collector, user: httpx.Client
) -> None:
    """Nothing of a trace is told, the task included, whose caller does not; the log has its id."""
    headers, trace_id, _ = parent(sampled=False)
    response = user.post(REPORTS, headers=headers)
    assert line_of(service.web, response.headers["X-Request-ID"])["trace_id"] == trace_id
    worker = service.worker
    assert worker
    until(
        lambda: lines(worker, event="report finished", trace_id=trace_id),
        within=20,
        failing="the report is not computed in the trace",
    )
    of(collector, user.get(BOOKS), service)  # after it, and told
    assert collector.trace(trace_id) == []


def test_a_part_is_sampled(service: Service, collector: Collector) -> None:
    """The sampler decides where nobody has; a caller who has is heeded."""
    none = {"OTEL_TRACES_SAMPLER": "parentbased_traceidratio", "OTEL_TRACES_SAMPLER_ARG": "0"}
    with service.another_web(WEB_CONCURRENCY="1", **none) as (_, base_url):
        headers, trace_id, _ = parent()
        with connect(base_url) as client:
            for _ in range(5):
                client.get(BOOKS)
            client.get(BOOKS, headers=headers)
        collector.wait(lambda span: span.kind == "server", "span that the caller wants")
        assert {span.trace_id for span in requests(collector)} == {trace_id}


def test_an_exception_is_recorded(
    service: Service, collector: Collector, user: httpx.Client
) -> None:
    """What nobody foresaw is in the span: its type and its lines of code."""
    with service.renamed("book", "title", "no_title"):
        response = user.get(BOOKS, params={"search": "x"})
    assert response.status_code == 500
    span = of(collector, response, service)
    assert span.failed
    [event] = span.events
    assert event.name == "exception"
    assert event.attributes["exception.type"].endswith("ProgrammingError")
    assert str(service.project.path) in event.attributes["exception.stacktrace"]
    statement = collector.wait(
        lambda s: s.parent == span.span_id and s.failed and bool(s.operation), "statement"
    )
    assert [event.name for event in statement.events] == ["exception"]


def test_a_task_that_fails_is_told_so(
    service: Service, collector: Collector, user: httpx.Client
) -> None:
    """What fails in a task is recorded once in its span."""
    with service.renamed("token", "expires_at", "no_end"):
        name = call(service, "delete_expired_refresh_tokens")
        span = collector.wait(lambda span: span.name == name, "task")
    assert span.failed
    [event] = span.events
    assert event.attributes["exception.type"].endswith("ProgrammingError")


def test_each_try_is_a_span(service: Service, collector: Collector) -> None:
    """A task that is tried again has a span for each try, in the trace that it began in."""
    with lost(service.database):
        name = call(service, "delete_expired_refresh_tokens")
        collector.wait(
            lambda s: s.name == name and s.attributes["celery.retries"] == 1, "second try"
        )
    service.wait_until_ready()
    first = collector.wait(
        lambda s: s.name == name and s.attributes["celery.retries"] == 0, "first try"
    )
    second = collector.wait(
        lambda s: s.name == name and s.attributes["celery.retries"] == 1, "second try"
    )
    assert first.failed
    assert (second.trace_id, second.parent) == (first.trace_id, first.span_id)


def test_a_lost_broker_leaves_no_trace_open(
    service: Service, collector: Collector, user: httpx.Client
) -> None:
    """Whoever asks after a request that could not send its task has a trace of their own."""
    with lost(service.broker):
        assert user.post(REPORTS).status_code == 503
        spans = [of(collector, user.get(BOOKS), service) for _ in range(8)]
    service.restore()
    assert {span.parent for span in spans} == {""}
    assert len({span.trace_id for span in spans}) == len(spans)


def test_nothing_that_anybody_sent_is_told(
    service: Service, collector: Collector, user: httpx.Client
) -> None:
    """No byte says who asked, from where, with which secrets, or what they sent."""
    account = {"email": f"{secrets.token_hex(8)}@example.org", "password": secrets.token_hex(8)}
    grant = {"grant_type": "password", "username": account["email"], **account}
    sent = {"title": secrets.token_hex(8), "author": secrets.token_hex(8)}
    query = {"search": sent["title"], "author": sent["author"]}
    right = [
        user.post(USERS, json=account),
        user.post(TOKEN, data=grant),
        user.post(BOOKS, json=book(**sent)),
        user.get(BOOKS, params=query),
    ]
    assert [response.status_code for response in right] == [201, 200, 201, 200]
    with service.renamed("book", "author", "no_author"):
        wrong = [user.post(BOOKS, json=book(**sent)), user.get(BOOKS, params=query)]
    with service.renamed("user", "email", "no_email"):
        wrong += [user.post(USERS, json=account), user.post(TOKEN, data=grant)]
    assert [response.status_code for response in wrong] == [500] * 4
    missing = user.get(f"/{sent['title']}", params=query)
    for response in (*right, *wrong, missing):
        of(collector, response, service)
    collector.wait(  # the mail to whom has registered
        lambda s: s.trace_id == of(collector, right[0], service).trace_id and s.kind == "consumer",
        "task of the registration",
    )
    tokens = [right[1].json()["access_token"], right[1].json()["refresh_token"]]
    headers = [user.headers[name] for name in ("Cookie", "User-Agent", "X-Forwarded-For")]
    own = user.headers["Authorization"].removeprefix("Bearer ")
    secret = [service.secret_key, *service.database.secrets, service.cache.password]
    words = [own, *tokens, *headers, *account.values(), *sent.values(), *secret]
    text = b"".join(collector.requests).lower()
    assert [word for word in words if word.lower().encode() in text] == []


def test_what_came_last_is_told(service: Service, collector: Collector) -> None:
    """A process that has to end sends first what it has to tell, within its time."""
    with service.another_web(WEB_CONCURRENCY="1", **LATE) as (web, base_url):
        with connect(base_url) as client:
            request_id = client.get(BOOKS).headers["X-Request-ID"]
        assert requests(collector) == []
        web.terminate()
        assert web.wait(15) in IN_ORDER
        told = line_of(web, request_id)["span_id"]
        assert told in {span.span_id for span in collector.spans}


def test_what_a_worker_did_last_is_told(
    service: Service, collector: Collector, user: httpx.Client
) -> None:
    """So does a worker."""
    first = service.worker
    assert first
    first.terminate()
    assert first.wait(15) in IN_ORDER
    try:
        with service.another_worker(**LATE) as worker:
            headers, trace_id, _ = parent()
            user.post(REPORTS, headers=headers)
            until(
                lambda: lines(worker, trace_id=trace_id),
                within=60,
                failing=lambda: f"the report is not computed:\n{worker.output()}",
            )
            worker.terminate()
            assert worker.wait(15) in IN_ORDER
    finally:
        service.restore()
    assert [s for s in collector.trace(trace_id) if s.kind == "consumer"]


@pytest.mark.parametrize("kind", ["nobody", "silent"])
def test_a_lost_collector_slows_nothing(service: Service, kind: str) -> None:
    """One that is not there, or accepts and never answers, holds up no answer, nor long the end.

    The log tells it once.
    """
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1] if kind == "silent" else free_port()
        told = {"OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{port}", **SOON}
        with service.another_web(WEB_CONCURRENCY="1", **told) as (web, base_url):
            with connect(base_url) as client:
                began, lasted = time.monotonic(), list[float]()
                while time.monotonic() - began < 6:
                    asked = time.monotonic()
                    assert client.get(BOOKS).status_code == 200
                    lasted.append(time.monotonic() - asked)
                    time.sleep(0.02)
                assert statistics.median(lasted) < 0.5  # each would take a second and more
            began = time.monotonic()
            web.terminate()
            assert web.wait(15) in IN_ORDER
            assert time.monotonic() - began < 10
        others = [line for line in web.events() if line["event"] != "request"]
        warned = [line for line in others if line["level"] == "warning"]
        assert [line["event"] for line in warned] == [
            "traces are not told: the collector is out of reach"
        ]
        assert not lines(web, level="error")


def test_a_collector_that_is_back_is_told(service: Service, collector: Collector) -> None:
    """One that refuses for a while loses that while; the log tells when it is back."""
    another = service.another_web(WEB_CONCURRENCY="1")
    with another as (web, base_url), connect(base_url) as client:
        with collector.refusing():
            client.get(BOOKS)
            until(lambda: lines(web, level="warning"), within=20, failing="the loss is not told")
        client.get(BOOKS)
        until(
            lambda: lines(web, event="traces are told again"),
            within=20,
            failing="the return is not told",
        )


def test_without_an_endpoint_nothing_is_connected(service: Service, collector: Collector) -> None:
    """Without one a process connects to its servers alone; its log has its caller's trace."""
    quiet = service.another_web(OTEL_EXPORTER_OTLP_ENDPOINT=None, WEB_CONCURRENCY="1")
    headers, trace_id, _ = parent()
    with quiet as (web, base_url), connect(base_url) as client:
        response = client.get(BOOKS, headers=headers)
        known = {server.port for server in service.servers}
        known.add(int(base_url.rpartition(":")[2]))
        found = [c for process in web.tree() for c in process.net_connections("inet")]
        ends = [{c.laddr.port, c.raddr.port} for c in found if c.raddr]
        assert ends
        assert all(ports & known for ports in ends)
        assert line_of(web, response.headers["X-Request-ID"])["trace_id"] == trace_id
    assert requests(collector) == []


@pytest.mark.parametrize(
    ("kind", "name", "value"),
    [
        ("web", "OTEL_EXPORTER_OTLP_ENDPOINT", "hunter2:4318"),
        ("worker", "OTEL_TRACES_SAMPLER_ARG", "hunter2"),
        ("web", "OTEL_TRACES_SAMPLER", "hunter2"),
    ],
)
def test_what_is_wrong_is_refused(service: Service, kind: str, name: str, value: str) -> None:
    """A process that is told what cannot be does not start; it names the variable alone."""
    told = {name: value, "PORT": str(free_port())}
    process = service.process(kind, f"refused-{kind}-{name}", **told)
    process.start()
    try:
        assert process.wait(20) == 1
    finally:
        process.stop()
    assert f"{name}: " in process.output()
    assert "hunter2" not in process.output()
    assert "Traceback" not in process.output()
