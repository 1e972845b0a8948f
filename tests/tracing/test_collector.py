"""When traces are told: at a process' end, to a collector that is lost, and to none."""

import socket
import statistics
import time

import httpx
import pytest

from contract.client import BOOKS, REPORTS, connect
from contract.processes import IN_ORDER, free_port, until
from contract.service import Service

from .collector import Collector
from .conftest import SOON, line_of, lines, parent, requests

LATE = {"OTEL_BSP_SCHEDULE_DELAY": "600000"}  # milliseconds until spans are sent


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
        service.connected_to_servers_alone(web, base_url)
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
