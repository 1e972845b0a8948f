"""Errors as `application/problem+json` (RFC 9457)."""

from collections.abc import Iterator, Mapping
from http import HTTPStatus
from itertools import islice
from typing import Any

import structlog
from django.db import IntegrityError
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from rest_framework import exceptions, views

from core import conflicts
from core.serializers import MAX_ERRORS

RETRY_AFTER = "5"  # seconds
MAX_TEXT = 200  # characters of a name, or of a message
DETAILS = {  # where DRF has words of its own
    401: "The access token is missing or not valid.",
    405: "This path knows other methods.",
    415: "The body must be application/json.",
}


class TryLaterError(exceptions.APIException):
    """A request that is refused with this status, to be tried again after so many seconds."""

    def __init__(self, status: int, detail: str, retry_after: int) -> None:
        super().__init__(detail)
        self.status_code = status
        self.wait = retry_after


def problem(
    request: HttpRequest,
    status: int,
    detail: str,
    headers: Mapping[str, str] | None = None,
    **members: Any,
) -> HttpResponse:
    """Return a problem about the request, with any extension `members`."""
    body = {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
        "instance": request.path,
        "request_id": structlog.contextvars.get_contextvars().get("request_id", ""),
        **members,
    }
    # ASCII: a lone surrogate in the client's own field names has no UTF-8 form.
    return JsonResponse(
        body, status=status, headers=headers, content_type="application/problem+json"
    )


def exception_handler(error: Exception, context: dict[str, Any]) -> HttpResponse | None:
    """Answer what a view of the API raises, or leave it to Django."""
    request = context["request"]
    if isinstance(error, IntegrityError):
        error = conflicts.refusal(error, request.method) or error
    response = views.exception_handler(error, context)
    if response is None:
        return None
    if isinstance(error, exceptions.ValidationError):
        source = "query" if request.method in {"GET", "HEAD"} else "body"
        errors = [
            {"field": ".".join([source, *path])[:MAX_TEXT], "message": message[:MAX_TEXT]}
            for path, message in islice(flatten(error.detail), MAX_ERRORS)
        ]
        return problem(request, 422, "The request is not valid; see errors.", errors=errors)
    rows = getattr(context["view"], "queryset", None)
    if isinstance(error, Http404) and rows is not None:
        detail = f"No such {rows.model._meta.verbose_name}."
    else:
        detail = DETAILS.get(response.status_code, str(response.data["detail"]))
    names = ("Retry-After", "WWW-Authenticate")
    headers = {name: response[name] for name in names if name in response}
    return problem(request, response.status_code, detail, headers)


def flatten(detail: Any, *path: str) -> Iterator[tuple[tuple[str, ...], str]]:
    """Yield the first message about each field of a validation error, with the path to it."""
    if isinstance(detail, dict):
        for name, inner in detail.items():
            yield from flatten(inner, *path, *([] if name is None else [str(name)]))
    elif isinstance(detail, list):
        yield from flatten(next(filter(None, detail)), *path)
    else:
        yield path, str(detail)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer what Django itself finds suspicious."""
    return problem(request, 400, "The request is malformed.")


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer who may not."""
    return problem(request, 403, "That is not allowed.")


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer for a path that does not exist."""
    return problem(request, 404, "There is nothing at this path.")


def server_error(request: HttpRequest) -> HttpResponse:
    """Answer for a bug, of which Django has written all to the log."""
    return problem(request, 500, "Something went wrong on our side.")
