"""What the views of the API have in common."""

from typing import Any

from rest_framework import views
from rest_framework.exceptions import MethodNotAllowed, ParseError
from rest_framework.request import Request


class APIView(views.APIView):
    """A view that checks the method first, then the user, then that there is a body."""

    http_method_names = ["get", "post", "put", "patch", "delete", "head"]

    default_response_headers: dict[str, str] = {}  # `Allow` is for those who get 405

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Do what comes before the handler of the method."""
        if request.method not in self.allowed_methods:
            raise MethodNotAllowed(str(request.method))
        super().initial(request, *args, **kwargs)
        if request.method in {"POST", "PUT", "PATCH"} and request.parsers and not request.stream:
            raise ParseError("The body is empty.")

    def perform_authentication(self, request: Request) -> None:
        """Leave it to the permissions to ask who the user is: public views never do."""
