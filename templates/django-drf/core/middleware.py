"""What is done for every request, whichever view it is for."""

import re
import time
import uuid
from collections.abc import Callable
from contextlib import suppress
from functools import cache

import structlog
from django.conf import settings
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse, HttpResponsePermanentRedirect
from django.middleware.common import CommonMiddleware
from django.urls import Resolver404, resolve

from core import cors, csp, metrics
from core.problems import RETRY_AFTER, TryLaterError, problem

GetResponse = Callable[[HttpRequest], HttpResponse]

logger = structlog.get_logger()

# The pages of the admin site hold no scripts and no styles: they load them from this server.
ADMIN_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:;"
    " connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)

_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,128}")


class RequestMiddleware:
    """Gives each request an id; logs and measures it; answers when the database is lost."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Serve one request."""
        if not is_admin(request):
            request.META.pop("HTTP_COOKIE", None)  # nothing else has sessions
        asked = request.META.get("HTTP_X_REQUEST_ID", "")
        request_id = asked if _REQUEST_ID.fullmatch(asked) else str(uuid.uuid4())
        started = time.perf_counter()
        with structlog.contextvars.bound_contextvars(
            request_id=request_id, method=request.method, path=request.path_info
        ):
            response = self.get_response(request)
            status, seconds = response.status_code, time.perf_counter() - started
            logger.info("request", status=status, duration_ms=round(seconds * 1000, 2))
        response["X-Request-ID"] = request_id
        if is_admin(request):
            # Its forms are checked to come from its own pages: browsers have to tell from where.
            response["Referrer-Policy"] = "same-origin"
            response["Content-Security-Policy"] = ADMIN_POLICY
            response["Cross-Origin-Opener-Policy"] = "same-origin"
        else:
            # Whether the API is met by TLS alone is for the proxy in front to say.
            del response["Strict-Transport-Security"]
            for name, value in cors.headers(str(request.method), request.headers.get).items():
                response[name] = value
        response.setdefault("Content-Security-Policy", csp.NOTHING)
        route = pattern(request.resolver_match.route) if request.resolver_match else None
        metrics.observe(str(request.method), route, status, seconds)
        return response

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        """Answer when a view has lost the database, or the admin site is asked too often."""
        if isinstance(error, TryLaterError):
            headers = {"Retry-After": str(error.wait)}
            return problem(request, error.status_code, str(error.detail), headers)
        if not isinstance(error, OperationalError | InterfaceError):
            return None
        logger.warning("database out of reach", error=str(error))
        detail = "The database is out of reach; try again."
        return problem(request, 503, detail, {"Retry-After": RETRY_AFTER})


class BodyLimitMiddleware:
    """Refuses bodies over 1 MiB, before they are read."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Serve one request."""
        if int(request.META.get("CONTENT_LENGTH") or 0) > settings.DATA_UPLOAD_MAX_MEMORY_SIZE:
            with suppress(Resolver404):
                request.resolver_match = resolve(request.path_info)  # for the metrics
            return problem(request, 413, "The body is larger than 1 MiB.")
        return self.get_response(request)


class HostMiddleware(CommonMiddleware):
    """Refuses hosts that `ALLOWED_HOSTS` does not name, where answers depend on the host."""

    def process_request(self, request: HttpRequest) -> HttpResponsePermanentRedirect | None:
        """Let pass whoever asks for something else than the admin site."""
        return super().process_request(request) if is_admin(request) else None


def is_admin(request: HttpRequest) -> bool:
    """Tell whether the request is for a page of the admin site."""
    return request.path_info.startswith("/admin/")


@cache
def pattern(route: str) -> str:
    """Return a route as OpenAPI writes it: `/api/v1/books/{id}`."""
    return "/" + re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", route)
