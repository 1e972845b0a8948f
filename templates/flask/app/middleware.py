"""What surrounds the views: logs and metrics."""

import re
import time
import uuid
from functools import cache

import structlog
from flask import Flask, Response, abort, current_app, g, request
from werkzeug.exceptions import MethodNotAllowed
from werkzeug.routing import Rule

from app import csp, metrics

logger = structlog.get_logger()

_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,128}")
_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "X-Frame-Options": "DENY",
}


def init_app(app: Flask) -> None:
    """Surround the requests of the application: call this first, to see the others' responses."""
    app.before_request(begin)
    app.after_request(end)


def begin() -> None:
    """Give the request an id, and its log lines what they all tell."""
    asked = request.headers.get("X-Request-ID", "")
    g.request_id = asked if _REQUEST_ID.fullmatch(asked) else str(uuid.uuid4())
    g.started = time.perf_counter()
    structlog.contextvars.clear_contextvars()
    structlog.contextvars.bind_contextvars(
        request_id=g.request_id, method=request.method, path=request.path
    )
    if request.environ["PATH_INFO"].startswith("//"):
        abort(404)  # a proxy would not take it for the path that Werkzeug takes it for


def end(response: Response) -> Response:
    """Give the response the standing headers; log and measure the request."""
    response.headers.extend({**_HEADERS, "X-Request-ID": g.request_id})
    response.headers.setdefault("Content-Security-Policy", csp.NOTHING)
    status, seconds = response.status_code, time.perf_counter() - g.started
    rule = request.url_rule or refused_rule()
    route = pattern(rule.rule) if rule else None
    metrics.observe(request.method, route, status, seconds)
    logger.info("request", status=status, duration_ms=round(seconds * 1000, 2))
    return response


def refused_rule() -> Rule | None:
    """Return the rule that a request matches but for its method."""
    refused, adapter = request.routing_exception, current_app.create_url_adapter(request)
    if adapter is None or not isinstance(refused, MethodNotAllowed) or not refused.valid_methods:
        return None
    rule, _ = adapter.match(method=next(iter(refused.valid_methods)), return_rule=True)
    return rule


@cache
def pattern(rule: str) -> str:
    """Return a rule as OpenAPI writes it: `/api/v1/books/{id}`."""
    return re.sub(r"<(?:[^<>]+:)?([^<>]+)>", r"{\1}", rule)
