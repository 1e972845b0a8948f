"""The OpenAPI document."""

from functools import cache
from http import HTTPStatus
from pathlib import Path
from threading import Lock
from typing import Any

from django.http import HttpResponse, JsonResponse
from drf_spectacular.extensions import OpenApiAuthenticationExtension, OpenApiSerializerExtension
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.openapi import AutoSchema as SpectacularSchema
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.request import Request

from core import csp
from core.proxies import described
from core.views import APIView

MAKING = Lock()  # drf-spectacular makes documents in one thread alone
PAGE = Path(__file__).with_name("docs.html").read_text("utf-8")

IF_MATCH = OpenApiParameter("If-Match", str, OpenApiParameter.HEADER)
IF_NONE_MATCH = OpenApiParameter("If-None-Match", str, OpenApiParameter.HEADER)


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


def problem_responses(*statuses: int) -> dict[Any, OpenApiResponse]:
    """Return the description of these errors, for the `responses` of `extend_schema`."""
    return {
        (status, "application/problem+json"): OpenApiResponse(
            ProblemSerializer, description=HTTPStatus(status).phrase
        )
        for status in statuses
    }


class AutoSchema(SpectacularSchema):
    """Describes a view: a body is always required, and a token only where one is."""

    def get_operation(self, *args: Any) -> dict[str, Any] | None:
        """Return the description of one method of the view."""
        operation: dict[str, Any] | None = super().get_operation(*args)
        if operation and "requestBody" in operation:
            operation["requestBody"]["required"] = True
        return operation

    def get_auth(self) -> list[dict[str, Any]]:
        """Return the security requirements of the operation."""
        requirements = super().get_auth()
        return [] if {} in requirements else requirements


class BearerScheme(OpenApiAuthenticationExtension):
    """How the token endpoint's tokens are used."""

    target_class = "accounts.authentication.BearerAuthentication"
    name = "bearer"

    def get_security_definition(self, auto_schema: SpectacularSchema) -> dict[str, Any]:
        """Return the scheme, with which the docs can log in too."""
        token = "/api/v1/auth/token"
        flow = {"tokenUrl": token, "refreshUrl": token, "scopes": {}}
        return {"type": "oauth2", "flows": {"password": flow}}


class StrictFields(OpenApiSerializerExtension):
    """Bodies with a field that is not known are refused."""

    target_class = "core.serializers.StrictFieldsMixin"
    match_subclasses = True

    def map_serializer(self, auto_schema: SpectacularSchema, direction: str) -> dict[str, Any]:
        """Return the schema of a serializer."""
        schema: dict[str, Any] = auto_schema._map_serializer(
            self.target, direction, bypass_extensions=True
        )
        return schema | ({"additionalProperties": False} if direction == "request" else {})


@extend_schema(exclude=True)
class DocumentView(APIView):
    """Gives the document that `/docs` shows."""

    authentication_classes = ()
    permission_classes = ()

    def get(self, request: Request) -> JsonResponse:
        """Answer with the document."""
        with MAKING:
            found = document()
        return JsonResponse(described(found, request.META["SCRIPT_NAME"]))


@extend_schema(exclude=True)
class DocsView(APIView):
    """Shows the document in Swagger UI."""

    authentication_classes = ()
    permission_classes = ()

    def get(self, _: Request) -> HttpResponse:
        """Answer with the page."""
        return HttpResponse(PAGE, headers={"Content-Security-Policy": csp.policy(PAGE)})


@cache
def document() -> dict[str, Any]:
    """Return the document; it does not change while the process lives."""
    found: dict[str, Any] = SchemaGenerator().get_schema(request=None, public=True)
    return found
