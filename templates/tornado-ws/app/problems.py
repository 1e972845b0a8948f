"""Errors as `application/problem+json` (RFC 9457)."""

import json
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from pydantic import ValidationError
from sqlalchemy import exc
from tornado.web import HTTPError

from app import conflicts
from app.security import TryLaterError

RETRY_AFTER = "5"  # seconds
MAX_ERRORS = 20  # whatever the request is full of
MAX_TEXT = 200  # characters of a name, or of a message

# What SQLAlchemy raises when the database does not answer.
LOST_DATABASE = (exc.OperationalError, exc.InterfaceError, exc.TimeoutError)

_DETAILS = {
    400: "The request is malformed.",
    404: "There is nothing at this path.",
    405: "This path knows other methods.",
    500: "Something went wrong on our side.",
}


class ProblemError(HTTPError):
    """An error that says what is wrong, with headers and extension members of its own."""

    def __init__(
        self, status: int, detail: str, headers: Mapping[str, str] | None = None, **members: Any
    ) -> None:
        super().__init__(status)
        self.detail = detail
        self.headers = headers or {}
        self.members = members

    def body(self, instance: str, request_id: str) -> bytes:
        """Return the JSON of the problem that a request has met, whose path is `instance`."""
        members = {
            "type": "about:blank",
            "title": HTTPStatus(self.status_code).phrase,
            "status": self.status_code,
            "detail": self.detail,
            "instance": instance,
            "request_id": request_id,
            **self.members,
        }
        # ASCII: a lone surrogate in the client's own field names has no UTF-8 form.
        return json.dumps(members).encode()


def invalid(error: ValidationError, place: str) -> ProblemError:
    """Return the problem of a request whose body or query is not valid."""
    found = error.errors(include_url=False, include_context=False, include_input=False)
    fields = [
        {
            "field": ".".join([place, *map(str, item["loc"])])[:MAX_TEXT],
            "message": item["msg"][:MAX_TEXT],
        }
        for item in found[:MAX_ERRORS]
    ]
    return ProblemError(422, "The request is not valid; see errors.", errors=fields)


def problem_of(error: BaseException | None, status: int, method: str) -> ProblemError:
    """Return what a client is told of the exception that ends its request with this status."""
    if isinstance(error, ProblemError):
        return error
    if isinstance(error, LOST_DATABASE):
        detail = "The database is out of reach; try again."
        return ProblemError(503, detail, {"Retry-After": RETRY_AFTER})
    if isinstance(error, exc.IntegrityError) and (found := conflicts.explain(error, method)):
        status, detail, members = found
        return ProblemError(status, detail, **members)
    if isinstance(error, TryLaterError):
        headers = {"Retry-After": str(error.retry_after)}
        return ProblemError(error.status, error.detail, headers)
    return ProblemError(status, _DETAILS.get(status, HTTPStatus(status).phrase))
