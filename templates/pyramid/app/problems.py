"""Errors as `application/problem+json` (RFC 9457)."""

import json
from collections.abc import Iterator, Mapping
from http import HTTPStatus
from itertools import chain, islice
from typing import Any

import structlog
from openapi_core.templating.media_types.exceptions import MediaTypeNotFound
from pyramid.exceptions import PredicateMismatch, URLDecodeError
from pyramid.httpexceptions import HTTPError, HTTPForbidden, HTTPNotFound
from pyramid.request import Request
from pyramid.response import Response
from pyramid.view import exception_view_config, forbidden_view_config, notfound_view_config
from pyramid_openapi3.exceptions import RequestValidationError, ResponseValidationError
from sqlalchemy import exc

from app import conflicts
from app.security import TryLaterError

RETRY_AFTER = "5"  # seconds
MAX_ERRORS = 20  # whatever the request is full of
MAX_TEXT = 200  # characters of a name, or of a message

# What is wrong with a value, in words that do not repeat it: it may be a password.
MESSAGES = {
    "additionalProperties": "This field is not known.",
    "enum": "Must be one of {}.",
    "format": "Must be a valid {}.",
    "maxLength": "Must have at most {} characters.",
    "maximum": "Must be at most {}.",
    "minLength": "Must have at least {} characters.",
    "minimum": "Must be at least {}.",
    "pattern": "Must match {}.",
    "required": "This field is required.",
    "type": "Must be of type {}.",
}

logger = structlog.get_logger()


def problem(
    request: Request,
    status: int,
    detail: str,
    headers: Mapping[str, str] | None = None,
    **members: Any,
) -> Response:
    """Return a problem about the request, with any extension `members`."""
    body = {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
        "instance": request.script_name + request.plain_path,
        "request_id": request.id,
        **members,
    }
    # ASCII: a lone surrogate in the client's own field names has no UTF-8 form.
    response = Response(json.dumps(body).encode(), status, content_type="application/problem+json")
    response.headers.update(headers or {})
    return response


@exception_view_config(HTTPError)
def on_http_error(error: HTTPError, request: Request) -> Response:
    """Answer what a view, or Pyramid itself, refuses."""
    headers = {k: v for k, v in error.headers.items() if not k.startswith("Content-")}
    return problem(request, error.code, error.detail or error.explanation, headers)


@notfound_view_config()
def on_not_found(error: HTTPNotFound, request: Request) -> Response:
    """Answer 404, or on a path that knows other methods 405; OPTIONS asks for these."""
    if isinstance(error, PredicateMismatch):
        paths = request.registry.settings["pyramid_openapi3"]["spec"]["paths"]
        item = paths.get(request.matched_route.pattern, {"get": None})
        allowed = {"OPTIONS", *map(str.upper, item.keys())}
        allowed |= {"HEAD"} if "GET" in allowed else set()
        headers = {"Allow": ", ".join(sorted(allowed))}
        if request.method == "OPTIONS":
            return Response(status=204, headerlist=[*headers.items()])
        return problem(request, 405, "This path knows other methods.", headers)
    if request.matched_route is None:
        return on_bad_url(error, request)
    return problem(request, 404, error.detail)


@exception_view_config(URLDecodeError)
def on_bad_url(_: Exception, request: Request) -> Response:
    """Answer a path that names nothing, or is not even UTF-8."""
    return problem(request, 404, "There is nothing at this path.")


@forbidden_view_config()
def on_forbidden(_: HTTPForbidden, request: Request) -> Response:
    """Answer 403, or 401 when nobody is logged in."""
    if request.identity is None:
        challenge = {"WWW-Authenticate": "Bearer"}
        return problem(request, 401, "The access token is missing or not valid.", challenge)
    kind = getattr(request.context, "kind", "row")
    return problem(request, 403, f"Only its creator may change a {kind}.")


@exception_view_config(RequestValidationError)
def on_invalid_request(error: RequestValidationError, request: Request) -> Response:
    """Answer what the OpenAPI document does not allow."""
    for item in error.errors:
        if isinstance(item.__cause__, MediaTypeNotFound):
            return problem(request, 415, "The body must be application/json.")
    wrong = chain.from_iterable(map(explain, error.errors))
    errors = [
        {"field": field[:MAX_TEXT], "message": message[:MAX_TEXT]}
        for field, message in islice(wrong, MAX_ERRORS)
    ]
    return problem(request, 422, "The request is not valid; see errors.", errors=errors)


def explain(error: Any) -> Iterator[tuple[str, str]]:
    """Yield the fields of a request that one error is about, and what is wrong with each first.

    They come in the order of the document; those that it does not know are the last.
    """
    where = f"{error.location}.{error.name}" if hasattr(error, "name") else "body"
    reasons = getattr(error.__cause__, "schema_errors", None)
    if reasons is None:
        yield where, "Cannot be read as what it should be."
        return
    wrong: dict[tuple[str, ...], str] = {}
    known: list[str] = []
    for reason in reasons:
        message = MESSAGES.get(reason.validator, "Is not valid.").format(reason.validator_value)
        known = [*reason.schema.get("properties", known)]
        if reason.validator == "required":
            names = [name for name in reason.validator_value if name not in reason.instance]
        elif reason.validator == "additionalProperties":
            names = [name for name in reason.instance if name not in known]
        else:
            wrong.setdefault(tuple(map(str, reason.path)), message)
            continue
        for name in names:
            wrong.setdefault((name,), message)
    places: dict[tuple[str, ...], int] = {(name,): place for place, name in enumerate(known)}
    for path in sorted(wrong, key=lambda path: places.get(path[:1], len(places))):
        yield ".".join([where, *path]), wrong[path]


@exception_view_config(exc.OperationalError)
@exception_view_config(exc.InterfaceError)
@exception_view_config(exc.TimeoutError)
def on_lost_database(error: exc.SQLAlchemyError, request: Request) -> Response:
    """Answer 503 when the database is lost."""
    logger.warning("database out of reach", error=str(error.__cause__ or error))
    detail = "The database is out of reach; try again."
    return problem(request, 503, detail, {"Retry-After": RETRY_AFTER})


@exception_view_config(exc.IntegrityError)
def on_conflict(error: exc.IntegrityError, request: Request) -> Response:
    """Answer what the database refuses because of its other rows."""
    found = conflicts.explain(error, request.method)
    if found is None:
        return on_bug(error, request)
    status, detail, members = found
    return problem(request, status, detail, **members)


@exception_view_config(TryLaterError)
def on_try_later(error: TryLaterError, request: Request) -> Response:
    """Answer who has to come again."""
    return problem(request, error.status, error.detail, {"Retry-After": str(error.retry_after)})


@exception_view_config(Exception)
@exception_view_config(ResponseValidationError)
def on_bug(error: Exception, request: Request) -> Response:
    """Answer an unforeseen exception with a bare 500, and log it."""
    logger.error("unhandled error", exc_info=error)
    request.environ["pyramid_openapi3.validate_response"] = False  # no document describes bugs
    return problem(request, 500, "Something went wrong on our side.")
