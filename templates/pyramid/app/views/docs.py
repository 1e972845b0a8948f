"""The OpenAPI document, for programs and for people."""

from typing import Any

from pyramid.exceptions import PredicateMismatch
from pyramid.request import Request
from pyramid.response import Response
from pyramid.view import view_config

from app import pages
from app.openapi import published
from app.proxies import described


@view_config(route_name="openapi.json", request_method="GET", renderer="json")
def document(request: Request) -> Any:
    """Give the document as JSON."""
    spec = request.registry.settings["pyramid_openapi3"]["spec"]
    return described(published(spec.read_value()), request.script_name)


def show(request: Request) -> Response:
    """Show a page on the document, or give a file that it loads."""
    content, headers = pages.read(request.matched_route.pattern)
    response = Response(content)
    response.headers.update(headers)
    return response


@view_config(route_name="openapi.json")
def refuse(_: Request) -> None:
    """Refuse any other method, in the place of pyramid_openapi3's view: it takes all."""
    raise PredicateMismatch
