"""What the views of the API have in common."""

from typing import Any

from django.http import HttpRequest
from django.urls import register_converter
from django.urls.converters import IntConverter
from rest_framework import views
from rest_framework.exceptions import MethodNotAllowed
from rest_framework.request import Request
from rest_framework.response import Response


class IdConverter(IntConverter):
    """The id of a row, in the one form that it has; a path with another number names nothing."""

    regex = "[1-9][0-9]{0,18}"

    def to_python(self, value: str) -> int:
        """Return the id; raise `ValueError` for one that no row can have."""
        if (number := int(value)) >= 2**63:
            raise ValueError(value)
        return number


register_converter(IdConverter, "id")


class APIView(views.APIView):
    """A view that checks the method before it asks who the user is."""

    http_method_names = ["get", "post", "put", "patch", "delete", "head", "options"]

    @property
    def default_response_headers(self) -> dict[str, str]:
        """Return `Allow` for those who ask for it, or for a method that there is not."""
        methods = sorted(self.allowed_methods)
        served = self.request.method in methods and self.request.method != "OPTIONS"
        return {} if served else {"Allow": ", ".join(methods)}

    def initialize_request(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Request:
        """Return the request, whose body is parsed whether or not it is empty."""
        wrapped = super().initialize_request(request, *args, **kwargs)
        # Without it, DRF takes an empty body for an empty object.
        wrapped._stream = request  # type: ignore[assignment]
        return wrapped

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Do what comes before the handler of the method."""
        if request.method not in self.allowed_methods:
            raise MethodNotAllowed(str(request.method))
        if request.method != "OPTIONS":
            super().initial(request, *args, **kwargs)

    def options(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Response:
        """Answer with the methods that there are."""
        return Response(status=204)

    def perform_authentication(self, request: Request) -> None:
        """Leave it to the permissions to ask who the user is: public views never do."""


class PublicView(APIView):
    """A view that is open to whoever reaches the process."""

    authentication_classes = ()
    permission_classes = ()
