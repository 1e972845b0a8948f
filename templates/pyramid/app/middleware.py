"""What surrounds the views, from the outside in: logs and metrics, headers, limits."""

import re
import time
import uuid
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qsl

import structlog
from pyramid.config import Configurator
from pyramid.decorator import reify
from pyramid.events import ApplicationCreated, BeforeTraversal
from pyramid.httpexceptions import HTTPRequestEntityTooLarge
from pyramid.interfaces import IRequestExtensions
from pyramid.registry import Registry
from pyramid.request import Request
from pyramid.response import Response
from pyramid_retry import is_error_retryable
from webob.multidict import MultiDict, NoVars

from app import cors, csp, metrics

MAX_BODY = 1024 * 1024  # bytes

# The first is the first to see a request, and the last to see its response.
TWEENS = [
    "app.middleware.request_tween",
    "pyramid_tm.tm_tween_factory",
    "pyramid_openapi3.tween.response_tween_factory",
    "pyramid.tweens.excview_tween_factory",
]

Handler = Callable[[Request], Response]

logger = structlog.get_logger()

_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,128}")
_HEADERS = [
    ("X-Content-Type-Options", "nosniff"),
    ("Referrer-Policy", "no-referrer"),
    ("X-Frame-Options", "DENY"),
]


def includeme(config: Configurator) -> None:
    """Have requests be ours, and too large ones tried once."""
    config.set_request_factory(ServiceRequest)
    config.add_subscriber(complete_request_class, ApplicationCreated)
    config.add_subscriber(limit, BeforeTraversal)
    config.add_settings({"retry.activate_hook": tries})


class ServiceRequest(Request):
    """A request with an id, whose body is small enough never to need a file."""

    request_body_tempfile_limit = MAX_BODY

    @reify
    def GET(self) -> Any:  # noqa: N802
        """Return the query as WHATWG reads it; `NoVars` for one that is not UTF-8."""
        try:
            query = self.query_string.encode("latin-1").decode()
            return MultiDict(parse_qsl(query, keep_blank_values=True, errors="strict"))
        except UnicodeDecodeError:
            return NoVars("The query is not UTF-8.")

    @reify
    def id(self) -> str:
        """Return the id that the request brings, or a new one."""
        asked = self.headers.get("X-Request-ID", "")
        return asked if _REQUEST_ID.fullmatch(asked) else str(uuid.uuid4())

    @reify
    def plain_path(self) -> str:
        """Return the path as it was meant, also where it is not UTF-8."""
        path: str = self.environ.get("PATH_INFO", "")
        return path.encode("latin-1").decode(errors="replace")


def complete_request_class(event: ApplicationCreated) -> None:
    """Give requests, once and for all, what `add_request_method` has promised them.

    Pyramid would make a class for each request, which takes a tenth of the time of a short one
    and is garbage that only the collector finds.
    """
    descriptors = event.app.registry.getUtility(IRequestExtensions).descriptors
    for name, descriptor in descriptors.items():
        setattr(ServiceRequest, name, descriptor)
    descriptors.clear()


def request_tween(handler: Handler, _: Registry) -> Handler:
    """Give each request an id and its response the standing headers; log and measure both."""

    def tween(request: Request) -> Response:
        started = time.perf_counter()
        method = request.method
        with structlog.contextvars.bound_contextvars(
            request_id=request.id, method=method, path=request.plain_path
        ):
            if method == "HEAD":
                request.method = "GET"  # as such it is judged; WebOb leaves the body out
            try:
                response = handler(request)
            except Exception as error:
                if is_error_retryable(request, error):
                    raise
                response = request.invoke_exception_view()
            finally:
                request.method = method
            if is_error_retryable(request, request.exception):
                return response  # not the last: pyramid_retry tries again
            seconds = time.perf_counter() - started
            logger.info(
                "request", status=response.status_code, duration_ms=round(seconds * 1000, 2)
            )
        response.headerlist += [*_HEADERS, ("X-Request-ID", request.id)]
        response.headers.setdefault("Content-Security-Policy", csp.NOTHING)
        response.headers.update(cors.headers(method, request.headers.get))
        route = request.matched_route
        metrics.observe(method, route and route.pattern, response.status_code, seconds)
        return response

    return tween


def limit(event: BeforeTraversal) -> None:
    """Refuse bodies over 1 MiB, before they are read; the route is known, for the metrics."""
    if (event.request.content_length or 0) > MAX_BODY:
        raise HTTPRequestEntityTooLarge("The body is larger than 1 MiB.")


def tries(request: Request) -> int | None:
    """Try a request with too large a body once: for more, pyramid_retry would read it all."""
    return 1 if (request.content_length or 0) > MAX_BODY else None
