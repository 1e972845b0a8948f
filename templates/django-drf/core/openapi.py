"""The OpenAPI document."""

from functools import cache
from http import HTTPStatus
from threading import Lock
from typing import Any

from django.http import HttpResponse
from drf_spectacular.drainage import get_override, has_override
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.openapi import AutoSchema as SpectacularSchema
from drf_spectacular.plumbing import is_patched_serializer
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import ModelViewSet

from core import pages
from core.proxies import described
from core.serializers import StrictFieldsMixin
from core.statuses import WHEN
from core.views import PublicView

MAKING = Lock()  # drf-spectacular makes documents in one thread alone

LENGTHS = {"minLength", "maxLength"}
# What readers may rely on, unless a field says it: see `relied_on`.
RELIED_ON = {"$ref", "additionalProperties", "anyOf", "enum", "format", "items", "type"}
SENT = {"enum", "format", "maximum", "minimum", "pattern", "readOnly", "type"} | LENGTHS
NO_NUL = r"^[^\u0000]{}$"
EMPTY = {"type": "string", "maxLength": 0}
IF_MATCH = OpenApiParameter("If-Match", str, OpenApiParameter.HEADER)
IF_NONE_MATCH = OpenApiParameter("If-None-Match", str, OpenApiParameter.HEADER)
CHANGE = [IF_MATCH], [200, 400, 401, 403, 404, 409, 412, 413, 415, 422, 503]
# Of each action of a resource: the header fields that it reads, and how it may be answered.
ACTIONS: dict[str | None, tuple[list[OpenApiParameter], list[int]]] = {
    "list": ([], [200, 400, 422, 503]),
    "retrieve": ([IF_MATCH, IF_NONE_MATCH], [200, 304, 404, 412, 503]),
    "create": ([], [201, 400, 401, 409, 413, 415, 422, 503]),
    "update": CHANGE,
    "partial_update": CHANGE,
    "destroy": ([IF_MATCH], [204, 401, 403, 404, 409, 412, 503]),
}


class FieldErrorSerializer(serializers.Serializer):
    """What is wrong with one field of a request."""

    field = serializers.CharField()
    message = serializers.CharField()


class ProblemSerializer(serializers.Serializer):
    """The body of every error."""

    type = serializers.CharField()
    title = serializers.CharField()
    status = serializers.IntegerField()
    detail = serializers.CharField()
    instance = serializers.CharField()
    request_id = serializers.CharField()
    errors = FieldErrorSerializer(many=True, required=False)  # type: ignore[assignment]


def problem_responses(*statuses: int) -> dict[Any, Any]:
    """Return the description of these errors, for the `responses` of `extend_schema`."""
    return {(status, "application/problem+json"): ProblemSerializer for status in statuses}


def form(serializer: type[serializers.Serializer]) -> dict[str, Any]:
    """Return the description of a form, for the `request` of `extend_schema`."""
    fields = serializer().fields.items()
    needed = [name for name, field in fields if field.required]
    properties = {
        name: {"type": "string", "pattern": NO_NUL.format("+" if name in needed else "*")}
        for name, _ in fields
    }
    schema = {"type": "object", "properties": properties, "required": needed}
    return {"application/x-www-form-urlencoded": schema}


class AutoSchema(SpectacularSchema):
    """Describes a view by its docstrings and serializers, as the other services' documents do."""

    def get_operation(self, *args: Any) -> dict[str, Any] | None:
        """Return the description of one method of the view."""
        operation: dict[str, Any] | None = super().get_operation(*args)
        if operation is None:
            return None
        if "requestBody" in operation:
            operation["requestBody"]["required"] = True
        for parameter in operation.get("parameters", []):
            parameter.pop("description", None)
        for status, response in operation["responses"].items():
            if response["description"] in ("", "No response body"):
                phrase = HTTPStatus(int(status)).phrase
                response["description"] = WHEN.get(int(status), phrase)
        return operation

    def get_override_parameters(self) -> list[Any]:
        """Return the header fields that are read."""
        return [*super().get_override_parameters(), *self.of_action[0]]

    def get_response_serializers(self) -> Any:
        """Return what may be answered, by status."""
        found = super().get_response_serializers()
        if not (statuses := self.of_action[1]):
            return found
        answers = {status: found if status < 204 else None for status in statuses if status < 400}
        return answers | problem_responses(*(status for status in statuses if status >= 400))

    @property
    def of_action(self) -> tuple[list[OpenApiParameter], list[int]]:
        """What there is in `ACTIONS`."""
        action = self.view.action if isinstance(self.view, ModelViewSet) else None
        return ACTIONS.get(action, ([], []))

    def get_summary(self) -> str:
        """Return the first line of the method's docstring."""
        return super().get_description().partition("\n")[0].rstrip(".")

    def get_description(self) -> str:  # type: ignore[override]
        """Return nothing: the summary says it all."""
        return ""

    def get_paginated_name(self, serializer_name: str) -> str:
        """Return the name of a page: `BookPage`."""
        return f"{serializer_name}Page"

    def _get_serializer_name(self, serializer: Any, direction: str, *args: Any) -> str:
        """Return the name of a body: `Book`, or `BookIn` or `BookPatch` of a request."""
        name: str = super()._get_serializer_name(serializer, "response", *args)
        if direction == "response":
            return name
        return name + ("Patch" if is_patched_serializer(serializer, direction) else "In")

    def _map_basic_serializer(self, serializer: Any, direction: str) -> Any:
        """Return the schema of a body: what a client may rely on, or what it has to send."""
        schema = super()._map_basic_serializer(serializer, direction)  # type: ignore[no-untyped-call]
        schema.pop("description", None)
        for name, found in schema["properties"].items():
            field = serializer.fields[name]
            kept = getattr(field, "relied_on", RELIED_ON) if direction == "response" else SENT
            # A field that is described by hand has its limits there.
            own = get_override(field, "field") if has_override(field, "field") else LENGTHS
            left_out = LENGTHS.difference(own if isinstance(own, dict | set) else ())
            schema["properties"][name] = plain(found, kept - left_out)
        if direction == "response":
            schema["required"] = [
                name
                for name, field in serializer.fields.items()
                if field.required or field.read_only or field.default is not serializers.empty
            ]
        elif isinstance(serializer, StrictFieldsMixin):
            schema["additionalProperties"] = False
        return schema

    def get_auth(self) -> list[dict[str, Any]]:
        """Return the security requirements of the operation."""
        requirements = super().get_auth()
        return [] if {} in requirements else requirements


def plain(schema: dict[str, Any], kept: set[str]) -> dict[str, Any]:
    """Return the schema of a field without what is not to be kept."""
    if EMPTY in schema.get("oneOf", []):  # its other one has no least length, which says as much
        schema = schema["oneOf"][0]
    if "oneOf" in schema:
        schema["anyOf"] = schema["oneOf"]
    if "pattern" not in kept and "pattern" in schema:
        schema.pop("format", None)  # which is of what a client has to send
    return {
        key: plain(value, kept) if isinstance(value, dict) else value
        for key, value in schema.items()
        if key in kept
    }


class BearerScheme(OpenApiAuthenticationExtension):
    """How the token endpoint's tokens are used."""

    target_class = "accounts.authentication.BearerAuthentication"
    name = "bearer"

    def get_security_definition(self, auto_schema: SpectacularSchema) -> dict[str, Any]:
        """Return the scheme, with which the docs can log in too."""
        token = "/api/v1/auth/token"
        flow = {"tokenUrl": token, "refreshUrl": token, "scopes": {}}
        return {"type": "oauth2", "flows": {"password": flow}}


@extend_schema(exclude=True)
class DocumentView(PublicView):
    """Gives the document that `/docs` shows."""

    def get(self, request: Request) -> Response:
        """Answer with the document."""
        with MAKING:
            found = document()
        return Response(described(found, request.META["SCRIPT_NAME"]))


@extend_schema(exclude=True)
class DocsView(PublicView):
    """Shows a page on the document, or gives a file that it loads."""

    def get(self, request: Request) -> HttpResponse:
        """Answer with the file."""
        content, headers = pages.read(request.path_info)
        return HttpResponse(content, headers=headers)


@cache
def document() -> dict[str, Any]:
    """Return the document; it does not change while the process lives."""
    found: dict[str, Any] = SchemaGenerator().get_schema(request=None, public=True)
    return found
