"""Errors as `application/problem+json` (RFC 9457)."""

import json
from collections.abc import Iterator, Mapping
from http import HTTPStatus
from typing import Any

import structlog
from flask import Flask, Response, g, jsonify, request
from marshmallow import EXCLUDE, Schema, fields
from sqlalchemy import exc

from app import conflicts
from app.schemas import Output
from app.security import TryLaterError
from app.statuses import WHEN

RETRY_AFTER = 5  # seconds
MAX_ERRORS = 20  # whatever the request is full of
MAX_TEXT = 200  # characters of a name, or of a message
DETAILS = {  # where nobody tells more
    404: "There is nothing at this path.",
    405: "This path knows other methods.",
    413: "The body is larger than 1 MiB.",
}

NO_STORE = {"Cache-Control": "no-store", "Pragma": "no-cache"}

logger = structlog.get_logger()


class FieldError(Output):
    """What is wrong with one field of a request."""

    field = fields.String()
    message = fields.String()


class Problem(Schema):
    """The body of every error."""

    class Meta:
        unknown = EXCLUDE

    type = fields.String(required=True)
    title = fields.String(required=True)
    status = fields.Integer(required=True)
    detail = fields.String(required=True)
    instance = fields.String(required=True)
    request_id = fields.String(required=True)
    errors = fields.List(fields.Nested(FieldError))


def problem(
    status: int, detail: str, headers: Mapping[str, str] | None = None, **members: Any
) -> Response:
    """Return a problem about the current request, with any extension `members`."""
    body = {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
        "instance": request.script_root + request.path,
        "request_id": g.request_id,
        **members,
    }
    # ASCII: a lone surrogate in the client's own field names has no UTF-8 form.
    return Response(json.dumps(body), status, headers, content_type="application/problem+json")


def token_error(error: str, description: str) -> Response:
    """Return a refusal as RFC 6749, section 5.2 has it."""
    response = jsonify({"error": error, "error_description": description})
    response.status_code = 400
    response.headers.update(NO_STORE)
    return response


def problem_responses(*statuses: int) -> dict[int, dict[str, Any]]:
    """Return the OpenAPI description of these statuses, for a view's `doc(responses=...)`."""
    content = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
    return {status: {"description": WHEN[status], "content": content} for status in statuses}


def field_errors(messages: Any, *path: str) -> Iterator[dict[str, str]]:
    """Yield the first of marshmallow's messages about each field, with the path to it."""
    if isinstance(messages, dict):
        for name, inner in messages.items():
            yield from field_errors(inner, *path, *([] if name == "_schema" else [str(name)]))
    else:
        yield {"field": ".".join(path)[:MAX_TEXT], "message": messages[0][:MAX_TEXT]}


def init_app(app: Flask) -> None:
    """Answer what the application raises; `extensions.Api` does so for `HTTPException`."""
    for error in (exc.OperationalError, exc.InterfaceError, exc.TimeoutError):
        app.register_error_handler(error, on_lost_database)
    app.register_error_handler(exc.IntegrityError, on_conflict)
    app.register_error_handler(TryLaterError, on_try_later)
    app.register_error_handler(Exception, on_bug)


def on_lost_database(error: exc.SQLAlchemyError) -> Response:
    """Answer 503 when the database is lost."""
    logger.warning("database out of reach", error=str(error.__cause__ or error))
    detail = "The database is out of reach; try again."
    return problem(503, detail, {"Retry-After": str(RETRY_AFTER)})


def on_conflict(error: exc.IntegrityError) -> Response:
    """Answer what the database refuses because of its other rows."""
    found = conflicts.explain(error, request.method)
    if found is None:
        return on_bug(error)
    status, detail, members = found
    return problem(status, detail, **members)


def on_try_later(error: TryLaterError) -> Response:
    """Answer who has to come again."""
    return problem(error.status, error.detail, {"Retry-After": str(error.retry_after)})


def on_bug(_: Exception) -> Response:
    """Answer an unforeseen exception with a bare 500, and log it."""
    logger.exception("unhandled error")
    return problem(500, "Something went wrong on our side.")
