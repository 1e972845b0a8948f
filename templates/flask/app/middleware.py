"""What surrounds the views: logs and metrics, limits, and the form of answers."""

import re
import time
import uuid
from functools import cache
from typing import Any

import structlog
from flask import Flask, Response, abort, current_app, g, request
from flask.json.provider import DefaultJSONProvider
from werkzeug.exceptions import MethodNotAllowed, NotFound
from werkzeug.routing import Rule

from app import cors, csp, metrics

logger = structlog.get_logger()

_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,128}")
_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "X-Frame-Options": "DENY",
}


class CompactJSON(DefaultJSONProvider):
    """JSON in UTF-8 without blanks, with members as the schemas order them."""

    ensure_ascii = False
    sort_keys = False

    def dumps(self, obj: Any, **kwargs: Any) -> str:
        """Return an object as JSON."""
        return super().dumps(obj, separators=(",", ":"), **kwargs)

    def response(self, *args: Any, **kwargs: Any) -> Response:
        """Return an answer of JSON, without the line break that Flask ends one with."""
        return Response(self.dumps(*args, **kwargs), mimetype=self.mimetype)


class Service(Flask):
    """A Flask application whose answers are as short as they can be."""

    json_provider_class = CompactJSON

    def make_default_options_response(self) -> Response:
        """Answer OPTIONS with what is allowed, and no body."""
        response = super().make_default_options_response()
        response.status_code = 204
        return response


def init_app(app: Flask) -> None:
    """Surround the requests of the application: call this first, to see the others' responses."""
    app.before_request(begin)
    app.after_request(end)


def begin() -> None:
    """Give the request an id, and its log lines what they all tell."""
    asked = request.headers.get("X-Request-ID", "")
    g.request_id = asked if _REQUEST_ID.fullmatch(asked) else str(uuid.uuid4())
    g.started = time.perf_counter()
    path = request.environ["PATH_INFO"]
    if path.lstrip("/") != path[1:]:  # no slash or several: Werkzeug takes both for one
        request.path = path.encode("latin-1").decode(errors="replace")
        request.url_rule, request.routing_exception = None, NotFound()
    structlog.contextvars.clear_contextvars()
    structlog.contextvars.bind_contextvars(
        request_id=g.request_id, method=request.method, path=request.path
    )
    if too_large():
        abort(413)


def too_large() -> bool:
    """Tell whether the request announces a larger body than is read."""
    limit: int = current_app.config["MAX_CONTENT_LENGTH"]
    return (request.content_length or 0) > limit


def end(response: Response) -> Response:
    """Give the response the standing headers; log and measure the request."""
    response.headers.extend({**_HEADERS, "X-Request-ID": g.request_id})
    response.headers.setdefault("Content-Security-Policy", csp.NOTHING)
    response.headers.extend(cors.headers(request.method, request.headers.get))
    if "Allow" in response.headers:
        response.headers["Allow"] = ", ".join(sorted(response.allow))
    if not response.response:
        del response.content_type
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
