"""The OpenAPI document, for programs and for people."""

from pathlib import Path
from typing import Any

from pyramid.httpexceptions import HTTPMethodNotAllowed
from pyramid.request import Request
from pyramid.response import Response
from pyramid.view import view_config

from app import csp
from app.proxies import described

PAGE = (Path(__file__).parents[1] / "docs.html").read_text("utf-8")
HEADERS = {"Content-Security-Policy": csp.policy(PAGE)}

OTHERS = ("POST", "PUT", "PATCH", "DELETE", "OPTIONS")


@view_config(route_name="openapi.json", request_method="GET", renderer="json")
def document(request: Request) -> Any:
    """Give the document as JSON."""
    spec = request.registry.settings["pyramid_openapi3"]["spec"]
    return described(spec.read_value(), request.script_name)


@view_config(route_name="docs", request_method="GET")
def docs(_: Request) -> Response:
    """Show the document in Swagger UI."""
    response = Response(PAGE, content_type="text/html")
    response.headers.update(HEADERS)
    return response


@view_config(route_name="pyramid_openapi3.spec", request_method=OTHERS)
def refuse(_: Request) -> None:
    """Refuse what pyramid_openapi3's own view would answer: it takes any method."""
    raise HTTPMethodNotAllowed("This path knows other methods.", {"Allow": "GET"})
