"""Prometheus metrics, right with any number of web processes."""

import os
import time

import prometheus_client as prometheus
from prometheus_client import Counter, Histogram, multiprocess
from starlette.types import ASGIApp, Message, Receive, Scope, Send

REQUESTS = Counter("http_requests", "HTTP requests.", ["method", "route", "status"])
DURATION = Histogram("http_request_duration_seconds", "Their duration.", ["method", "route"])


class MetricsMiddleware:
    """Counts and times each request under the pattern of its route, never its raw path."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        started, status = time.perf_counter(), 499

        async def send_and_note(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self.app(scope, receive, send_and_note)
        finally:
            route = getattr(scope.get("route"), "path", "unmatched")
            method = scope["method"] if route != "unmatched" else "any"
            REQUESTS.labels(method, route, status).inc()
            DURATION.labels(method, route).observe(time.perf_counter() - started)


def exposition() -> bytes:
    """Return the metrics of all web processes in Prometheus' text format."""
    registry = prometheus.REGISTRY
    if "PROMETHEUS_MULTIPROC_DIR" in os.environ:
        registry = prometheus.CollectorRegistry()
        multiprocess.MultiProcessCollector(registry)
    return prometheus.generate_latest(registry)
