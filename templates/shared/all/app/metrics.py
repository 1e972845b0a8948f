"""Prometheus metrics, right with any number of web processes."""

import os

import prometheus_client as prometheus
from prometheus_client import Counter, Histogram, multiprocess

REQUESTS = Counter("http_requests", "HTTP requests.", ["method", "route", "status"])
DURATION = Histogram("http_request_duration_seconds", "Their duration.", ["method", "route"])

METHODS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}


def observe(method: str, route: str | None, status: int, seconds: float) -> None:
    """Count and time a request under the pattern of its route, never its raw path.

    No label is of the client's own making: each new value would be kept for ever.
    """
    if route is None:
        method, route = "any", "unmatched"
    elif method not in METHODS:
        method = "other"
    REQUESTS.labels(method, route, status).inc()
    DURATION.labels(method, route).observe(seconds)


def exposition() -> bytes:
    """Return the metrics of all web processes in Prometheus' text format."""
    registry = prometheus.REGISTRY
    if "PROMETHEUS_MULTIPROC_DIR" in os.environ:
        registry = prometheus.CollectorRegistry()
        multiprocess.MultiProcessCollector(registry)
    return prometheus.generate_latest(registry)
