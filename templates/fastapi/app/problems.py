"""Errors as `application/problem+json` (RFC 9457)."""

import json
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

import structlog
from fastapi import FastAPI, HTTPException, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from sqlalchemy import exc
from starlette.exceptions import HTTPException as StarletteHTTPException
from starlette.types import Scope

from app.schemas import Problem
from app.security import TryLaterError
from app.statuses import WHEN

RETRY_AFTER = "5"  # seconds
MAX_ERRORS = 20  # whatever the request is full of
MAX_TEXT = 200  # characters of a name, or of a message

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


class StrictJSONRoute(APIRoute):
    """A route that takes its body as `application/json` in UTF-8 and nothing else."""

    def get_route_handler(self) -> Any:
        """Return the handler, given a request whose `json()` is strict."""
        handle = super().get_route_handler()
        if self.body_field is None:
            return handle

        async def strict(request: Request) -> Response:
            media_type = request.headers.get("Content-Type", "").partition(";")[0]
            if media_type.strip().lower() != "application/json":
                raise HTTPException(415, "The body must be application/json.")
            request = StrictJSONRequest(request.scope, request.receive)
            if not await request.body():
                raise HTTPException(400, "The body is empty; it must be JSON.")
            return await handle(request)

        return strict


class StrictJSONRequest(Request):
    """A request whose body is JSON as RFC 8259 has it: in UTF-8, and without NaN."""

    async def json(self) -> Any:
        """Return the parsed body; raise 400 when it does not parse."""
        try:
            return json.loads((await self.body()).decode(), parse_constant=_refuse)
        except (ValueError, RecursionError) as error:
            raise HTTPException(400, "The body is not valid JSON.") from error


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is not JSON")


def describe(document: dict[str, Any]) -> dict[str, Any]:
    """Put problems into an OpenAPI document in the place of FastAPI's own error schemas."""
    schemas = document["components"]["schemas"]
    for name in ("HTTPValidationError", "ValidationError"):
        schemas.pop(name, None)
    schema = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
    schemas |= schema.pop("$defs") | {"Problem": schema}
    for path in document["paths"].values():
        for operation in path.values():
            invalid = operation["responses"].get("422", {}).get("content", {})
            if "application/json" in invalid:  # added by FastAPI wherever there is a parameter
                del operation["responses"]["422"]
    return document


def install(app: FastAPI) -> None:
    """Have every error of the application answered with a problem."""

    @app.exception_handler(StarletteHTTPException)
    async def on_http_exception(request: Request, error: StarletteHTTPException) -> Response:
        headers = dict(error.headers or {})
        if error.status_code == 405:
            # Each method is a route of its own, and Starlette names only the first one's.
            path = getattr(request.scope.get("route"), "path", "")
            methods = app.openapi()["paths"].get(path) or headers["Allow"].split(", ")
            allowed = {method.upper() for method in methods}
            allowed |= {"HEAD"} if "GET" in allowed else set()
            headers["Allow"] = ", ".join(sorted(allowed))
        return problem(request.scope, error.status_code, error.detail, headers)

    @app.exception_handler(RequestValidationError)
    async def on_validation_error(request: Request, error: RequestValidationError) -> Response:
        fields = [
            {
                "field": ".".join(map(str, item["loc"]))[:MAX_TEXT],
                "message": item["msg"][:MAX_TEXT],
            }
            for item in error.errors()[:MAX_ERRORS]
        ]
        detail = "The request is not valid; see errors."
        return problem(request.scope, 422, detail, errors=fields)

    @app.exception_handler(TryLaterError)
    async def on_try_later(request: Request, error: TryLaterError) -> Response:
        headers = {"Retry-After": str(error.retry_after)}
        return problem(request.scope, error.status, error.detail, headers)

    @app.exception_handler(exc.OperationalError)
    @app.exception_handler(exc.InterfaceError)
    @app.exception_handler(exc.TimeoutError)
    async def on_lost_database(request: Request, error: exc.SQLAlchemyError) -> Response:
        logger.warning("database out of reach", error=str(error.__cause__ or error))
        detail = "The database is out of reach; try again."
        return problem(request.scope, 503, detail, {"Retry-After": RETRY_AFTER})
