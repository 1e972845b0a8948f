"""The OpenAPI document for programs; pyramid_openapi3 shows it to people, on `/docs`."""

from typing import Any

from pyramid.httpexceptions import HTTPMethodNotAllowed
from pyramid.request import Request
from pyramid.view import view_config

OTHERS = ("POST", "PUT", "PATCH", "DELETE", "OPTIONS")


@view_config(route_name="openapi.json", request_method="GET", renderer="json")
def document(request: Request) -> Any:
    """Give the document as JSON."""
    return request.registry.settings["pyramid_openapi3"]["spec"].read_value()


@view_config(route_name="pyramid_openapi3.spec", request_method=OTHERS)
@view_config(route_name="pyramid_openapi3.explorer", request_method=OTHERS)
@view_config(route_name="pyramid_openapi3.explorer.oauth2-redirect", request_method=OTHERS)
def refuse(_: Request) -> None:
    """Refuse what pyramid_openapi3's own views would answer: they take any method."""
    raise HTTPMethodNotAllowed("This path knows other methods.", {"Allow": "GET"})
