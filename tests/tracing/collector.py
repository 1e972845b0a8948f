"""A collector of traces on loopback: takes OTLP over HTTP, and keeps what it is told.

https://opentelemetry.io/docs/specs/otlp/#otlphttp
"""

from __future__ import annotations

import gzip
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1 import trace_pb2

from contract.processes import until

KINDS = trace_pb2.Span.SpanKind
ERROR = trace_pb2.Status.STATUS_CODE_ERROR


@dataclass(frozen=True)
class Event:
    name: str
    attributes: dict[str, Any]


@dataclass(frozen=True)
class Span:
    """A span as it was told; ids are in hexadecimal digits, as in the log."""

    service: str
    name: str
    kind: str
    trace_id: str
    span_id: str
    parent: str
    attributes: dict[str, Any]
    events: list[Event]
    failed: bool

    @property
    def operation(self) -> str:
        """What a statement does; nothing if it is none."""
        return self.attributes.get("db.operation.name", "")


class Collector(ThreadingHTTPServer):
    """Takes traces, on a port that it keeps while it is `away`."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Receiver)
        self.requests: list[bytes] = []
        self.refuses = False

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    @property
    def spans(self) -> list[Span]:
        return [span for request in self.requests for span in told(request)]

    def wait(self, fits: Callable[[Span], bool], what: str) -> Span:
        """Wait for a span, and return it: one and no more."""

        def found() -> list[Span]:
            return [span for span in self.spans if fits(span)]

        [span] = until(found, within=20, failing=lambda: f"no {what} among {self.names()}")
        return span

    def trace(self, trace_id: str) -> list[Span]:
        return [span for span in self.spans if span.trace_id == trace_id]

    def names(self) -> list[str]:
        return [span.name for span in self.spans]

    @contextmanager
    def refusing(self) -> Iterator[None]:
        """Have it take nothing for a while."""
        self.refuses = True
        try:
            yield
        finally:
            self.refuses = False


class Receiver(BaseHTTPRequestHandler):
    server: Collector

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.headers["Content-Encoding"] == "gzip":
            body = gzip.decompress(body)
        right = self.path == "/v1/traces"
        right &= self.headers["Content-Type"] == "application/x-protobuf"
        status = 503 if self.server.refuses else 200 if right else 400
        if status == 200:
            self.server.requests.append(body)
        self.send_response(status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def collecting() -> Iterator[Collector]:
    """Run a collector."""
    with Collector() as collector:
        thread = Thread(target=collector.serve_forever, args=[0.05])
        thread.start()
        try:
            yield collector
        finally:
            collector.shutdown()
            thread.join()


def told(request: bytes) -> Iterator[Span]:
    """Read the spans of a request."""
    for resource in ExportTraceServiceRequest.FromString(request).resource_spans:
        service = attributes(resource.resource.attributes).get("service.name", "")
        for scope in resource.scope_spans:
            for span in scope.spans:
                yield Span(
                    service,
                    span.name,
                    KINDS.Name(span.kind).removeprefix("SPAN_KIND_").lower(),
                    span.trace_id.hex(),
                    span.span_id.hex(),
                    span.parent_span_id.hex(),
                    attributes(span.attributes),
                    [Event(event.name, attributes(event.attributes)) for event in span.events],
                    span.status.code == ERROR,
                )


def attributes(pairs: Any) -> dict[str, Any]:
    return {pair.key: getattr(pair.value, pair.value.WhichOneof("value")) for pair in pairs}
