"""Traces: what a generated project tells a collector, and what it never does."""

import re
import secrets

import httpx
import pytest

from contract.client import BOOKS, REPORTS, TOKEN, USERS, book, connect, told_by
from contract.faults.outages import killed
from contract.processes import until
from contract.service import Service

from .collector import Collector
from .conftest import call, line_of, lines, of, parent, requests


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
    with killed(service.database):
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
    with killed(service.broker):
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
    secret = [service.secret_key, *service.database.secrets, service.cache.password]
    words = [*told_by(user), *tokens, *account.values(), *sent.values(), *secret]
    text = b"".join(collector.requests).lower()
    assert [word for word in words if word.lower().encode() in text] == []
