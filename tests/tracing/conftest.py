"""A project that tells traces, one of each framework, and the collector that it tells."""

import json
import secrets
import time
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import httpx
import pytest

from contract.client import talkative
from contract.processes import Process, until
from contract.service import Project, Service, running
from gate import by_turns

from .collector import Collector, Span, collecting

SOON = {"OTEL_BSP_SCHEDULE_DELAY": "100"}  # milliseconds until spans are sent


@pytest.fixture(scope="package")
def receiver() -> Iterator[Collector]:
    with collecting() as collector:
        yield collector


@pytest.fixture
def collector(receiver: Collector) -> Collector:
    """Give a collector that has not been told anything."""
    time.sleep(0.3)  # in which what the last test did is told
    receiver.requests.clear()
    return receiver


@pytest.fixture(scope="package", params=by_turns(2, "tracing"))
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
    with closing(talkative(service.base_url)) as client:
        yield client


def parent(*, sampled: bool = True) -> tuple[dict[str, str], str, str]:
    """Return the header of a caller who has begun a trace, its id, and that of the span."""
    trace_id, span_id = secrets.token_hex(16), secrets.token_hex(8)
    header = f"00-{trace_id}-{span_id}-{'01' if sampled else '00'}"
    return {"traceparent": header}, trace_id, span_id


def lines(process: Process, **values: Any) -> list[dict[str, Any]]:
    """Return the lines of a process' log that have these values."""
    # Celery tells by itself, and in words, when a worker ends.
    told = [json.loads(line) for line in process.lines() if line.startswith("{")]
    return [line for line in told if values.items() <= line.items()]


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
    name = service.project.task(function)
    service.run([*service.celery, "call", name])
    return name
