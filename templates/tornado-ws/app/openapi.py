"""The OpenAPI document, made of the routes, the handlers' docstrings and the bodies' models."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, TypeVar

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema
from tornado.web import RequestHandler

from app import schemas, statuses

Method = TypeVar("Method", bound=Callable[..., Any])
Content = type[BaseModel] | str | None  # a model of JSON, or another media type, or nothing

_REFERENCE = "#/components/schemas/{model}"
_SECURITY = {
    "type": "oauth2",
    "flows": {
        "password": {
            "scopes": {},
            "tokenUrl": "/api/v1/auth/token",
            "refreshUrl": "/api/v1/auth/token",
        }
    },
}


@dataclass(frozen=True)
class Operation:
    """What a handler's method takes and gives, beside what its path and its docstring say.

    The errors that follow from a body, a form, a query, an id in the path, a token or the database
    go without saying.
    """

    id: str = ""
    answer: Content = None
    status: int = 200
    body: type[BaseModel] | None = None
    form: type[BaseModel] | None = None
    query: type[BaseModel] | None = None
    headers: tuple[str, ...] = ()
    errors: tuple[int, ...] = ()
    others: Mapping[int, Content] = field(default_factory=dict)


def operation(id: str = "", **described: Any) -> Callable[[Method], Method]:
    """Describe a method of a handler, with the arguments of `Operation`."""

    def describe(method: Method) -> Method:
        method.operation = Operation(id or method.__qualname__, **described)  # type: ignore[attr-defined]
        return method

    return describe


def document(
    routes: Mapping[str, type[RequestHandler]], *, title: str, description: str
) -> dict[str, Any]:
    """Return the document, of each method that is described."""
    paths: dict[str, dict[str, Any]] = {}
    models: set[type[BaseModel]] = {schemas.Problem}
    for path, handler in routes.items():
        for name in ("get", "post", "put", "patch", "delete"):
            method = getattr(handler, name)
            if described := getattr(method, "operation", None):
                paths.setdefault(path, {})[name] = _operation(method, path, described)
                models |= _models(described)
    ordered = sorted(models, key=lambda model: model.__name__)
    _, found = models_json_schema(
        [(model, "validation") for model in ordered], ref_template=_REFERENCE
    )
    return {
        "openapi": "3.1.0",
        "info": {"title": title, "description": description, "version": "0.1.0"},
        "paths": paths,
        "components": {"schemas": found["$defs"], "securitySchemes": {"bearer": _SECURITY}},
    }


def _operation(method: Callable[..., Any], path: str, described: Operation) -> dict[str, Any]:
    answers = {described.status: described.answer, **described.others}
    members: dict[str, Any] = {
        "operationId": described.id,
        "tags": [path.split("/")[3] if path.startswith("/api/") else "operations"],
        "summary": (method.__doc__ or "").removesuffix("."),
        "responses": {
            str(status): {"description": _when(status, content), **_content(content)}
            for status, content in sorted((_problems(method, path, described) | answers).items())
        },
    }
    if parameters := _parameters(path, described):
        members["parameters"] = parameters
    if described.body:
        members["requestBody"] = {"required": True, **_content(described.body)}
    if described.form:
        schema = described.form.model_json_schema()
        content = {"application/x-www-form-urlencoded": {"schema": schema}}
        members["requestBody"] = {"required": True, "content": content}
    if hasattr(method, "authenticated"):
        members["security"] = [{"bearer": []}]
    return members


def _parameters(path: str, described: Operation) -> list[dict[str, Any]]:
    identity = {"type": "integer", "minimum": 1, "maximum": 2**63 - 1}
    query = described.query.model_json_schema()["properties"] if described.query else {}
    text = {"type": "string"}
    names = re.findall(r"{(\w+)}", path)
    return [
        *(_parameter(name, "path", identity if name == "id" else text) for name in names),
        *(_parameter(name, "query", schema) for name, schema in query.items()),
        *(_parameter(name, "header", text) for name in described.headers),
    ]


def _parameter(name: str, place: str, schema: Mapping[str, Any]) -> dict[str, Any]:
    required = {"required": True} if place == "path" else {}
    return {"name": name, "in": place, **required, "schema": schema}


def _when(status: int, content: Content) -> str:
    if content is schemas.TokenError:
        return statuses.REFUSED_GRANT
    if content is schemas.Health and status == 503:
        return statuses.NOT_READY
    return statuses.WHEN.get(status) or HTTPStatus(status).phrase


def _problems(method: Callable[..., Any], path: str, described: Operation) -> dict[int, Content]:
    expected = {*described.errors}
    if path.startswith("/api/"):
        expected |= {503}
    if "{" in path:
        expected |= {404}
    if described.query:
        expected |= {400, 422}
    if described.body:
        expected |= {400, 413, 415, 422}
    if described.form:
        expected |= {413}
    if hasattr(method, "authenticated"):
        expected |= {401}
    return dict.fromkeys(expected, schemas.Problem)


def _content(content: Content) -> dict[str, Any]:
    if content is None:
        return {}
    if isinstance(content, str):
        return {"content": {content: {"schema": {"type": "string"}}}}
    media_type = f"application/{'problem+' if content is schemas.Problem else ''}json"
    schema = {"$ref": _REFERENCE.format(model=content.__name__)}
    return {"content": {media_type: {"schema": schema}}}


def _models(described: Operation) -> set[type[BaseModel]]:
    used = {described.answer, described.body, *described.others.values()}
    return {model for model in used if isinstance(model, type)}
