"""Prometheus metrics, right with any number of web processes."""

import fcntl
import os
from functools import cache
from pathlib import Path

import prometheus_client as prometheus
from prometheus_client import Counter, Histogram, multiprocess, values


@cache
def _number(_pid: int) -> int:
    """Return the lowest number that no living process has; it is this one's until it ends."""
    directory, number = Path(os.environ["PROMETHEUS_MULTIPROC_DIR"]), 0
    while True:
        lock = os.open(directory / f"{number}.lock", os.O_CREAT | os.O_WRONLY)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(lock)
            number += 1
        else:
            multiprocess.mark_process_dead(number)  # whose gauges are nobody's any more
            return number


if "PROMETHEUS_MULTIPROC_DIR" in os.environ:
    # Files have the number of a process in their names, not its id: so it counts on where one that
    # has ended left off. Of ids there would be ever more, and each file is read at each scrape.
    values.ValueClass = values.MultiProcessValue(lambda: _number(os.getpid()))

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
