"""Errors as `application/problem+json` (RFC 9457)."""

import json
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

import structlog
from fastapi import Request, Response
from fastapi.exceptions import RequestValidationError
from sqlalchemy import exc
from starlette.exceptions import HTTPException as StarletteHTTPException
from starlette.types import Scope

from app import conflicts
from app.schemas import Problem
from app.security import TryLaterError
from app.statuses import WHEN

RETRY_AFTER = "5"  # seconds
MAX_ERRORS = 20  # whatever the request is full of
MAX_TEXT = 200  # characters of a name, or of a message

FORM = "application/x-www-form-urlencoded"
DETAILS = {404: "There is nothing at this path.", 405: "This path knows other methods."}

logger = structlog.get_logger()


def problem(
    scope: Scope,
    status: int,
    detail: str,
    headers: Mapping[str, str] | None = None,
    **members: Any,
) -> Response:
    """Return a problem about the request of `scope`, with any extension `members`."""
    body = {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
        "instance": scope["path"],
        "request_id": scope["state"]["request_id"],
        **members,
    }
    # ASCII: a lone surrogate in the client's own field names has no UTF-8 form.
    return Response(json.dumps(body), status, headers, "application/problem+json")


def problem_responses(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Return the OpenAPI description of these statuses, for a route's `responses`."""
    content = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
    return {s: {"description": WHEN[s], "content": content} for s in statuses}


def describe(document: dict[str, Any]) -> dict[str, Any]:
    """Return an OpenAPI document of FastAPI's, as plain as its models and with errors as they are.

    FastAPI repeats each docstring, gives all a title, and describes 422 as it would answer it.
    """
    schemas = document["components"]["schemas"]
    for name in ("HTTPValidationError", "ValidationError"):
        schemas.pop(name, None)
    schema = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
    schemas |= schema.pop("$defs") | {"Problem": schema}
    for path in document["paths"].values():
        for operation in path.values():
            operation["summary"] = operation.pop("description").removesuffix(".")
            responses = operation["responses"]
            if "application/json" in responses.get("422", {}).get("content", {}):
                del responses["422"]
            for status, response in responses.items():
                if response["description"] == "Successful Response":
                    response["description"] = HTTPStatus(int(status)).phrase
            for parameter in operation.get("parameters", []):
                del parameter["schema"]["title"]
                if not parameter["required"]:
                    del parameter["required"]
            if form := operation.get("requestBody", {}).get("content", {}).get(FORM):
                form["schema"] = schemas.pop(form["schema"]["$ref"].rpartition("/")[2])
    return document


async def on_http_exception(request: Request, error: StarletteHTTPException) -> Response:
    """Answer what is raised by an endpoint, or by the routing."""
    status, detail = error.status_code, error.detail
    headers = dict(error.headers or {})
    if status == 405:
        # Each method is a route of its own, and Starlette names only the first one's.
        path = getattr(request.scope.get("route"), "path_format", "")
        methods = request.app.openapi()["paths"].get(path) or headers["Allow"].split(", ")
        allowed = {"OPTIONS", *(method.upper() for method in methods)}
        allowed |= {"HEAD"} if "GET" in allowed else set()
        headers["Allow"] = ", ".join(sorted(allowed))
        if request.method == "OPTIONS":
            return Response(status_code=204, headers=headers)
    if detail == HTTPStatus(status).phrase:  # Starlette's word, not ours
        detail = DETAILS.get(status, detail)
    return problem(request.scope, status, detail, headers)


async def on_validation_error(request: Request, error: RequestValidationError) -> Response:
    """Answer 422, and name the fields."""
    fields = [
        {
            "field": ".".join(map(str, item["loc"]))[:MAX_TEXT],
            "message": item["msg"][:MAX_TEXT],
        }
        for item in error.errors()[:MAX_ERRORS]
    ]
    detail = "The request is not valid; see errors."
    return problem(request.scope, 422, detail, errors=fields)


async def on_conflict(request: Request, error: exc.IntegrityError) -> Response:
    """Answer what the database refuses because of its other rows."""
    found = conflicts.explain(error, request.method)
    if found is None:
        raise error
    status, detail, members = found
    return problem(request.scope, status, detail, **members)


async def on_try_later(request: Request, error: TryLaterError) -> Response:
    """Answer who has to come again."""
    headers = {"Retry-After": str(error.retry_after)}
    return problem(request.scope, error.status, error.detail, headers)


async def on_lost_database(request: Request, error: exc.SQLAlchemyError) -> Response:
    """Answer 503 when the database is lost."""
    logger.warning("database out of reach", error=str(error.__cause__ or error))
    detail = "The database is out of reach; try again."
    return problem(request.scope, 503, detail, {"Retry-After": RETRY_AFTER})


HANDLERS: dict[Any, Any] = {
    StarletteHTTPException: on_http_exception,
    RequestValidationError: on_validation_error,
    TryLaterError: on_try_later,
    exc.IntegrityError: on_conflict,
    exc.OperationalError: on_lost_database,
    exc.InterfaceError: on_lost_database,
    exc.TimeoutError: on_lost_database,
}
