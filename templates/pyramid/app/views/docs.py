"""The OpenAPI document, for programs and for people."""

from pathlib import Path
from typing import Any

from pyramid.exceptions import PredicateMismatch
from pyramid.request import Request
from pyramid.response import Response
from pyramid.view import view_config

from app import csp
from app.openapi import published
from app.proxies import described

PAGE = (Path(__file__).parents[1] / "docs.html").read_text("utf-8")
HEADERS = {"Content-Security-Policy": csp.policy(PAGE)}


@view_config(route_name="openapi.json", request_method="GET", renderer="json")
def document(request: Request) -> Any:
    """Give the document as JSON."""
    spec = request.registry.settings["pyramid_openapi3"]["spec"]
    return described(published(spec.read_value()), request.script_name)


@view_config(route_name="docs", request_method="GET")
def docs(_: Request) -> Response:
    """Show the document in Swagger UI."""
    response = Response(PAGE, content_type="text/html")
    response.headers.update(HEADERS)
    return response


@view_config(route_name="openapi.json")
def refuse(_: Request) -> None:
    """Refuse any other method, in the place of pyramid_openapi3's view: it takes all."""
    raise PredicateMismatch
