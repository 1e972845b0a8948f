"""What operators ask: is it alive, is it ready, how is it doing."""

from typing import Any

from pyramid.request import Request
from pyramid.response import Response
from pyramid.view import view_config

from app import metrics, readiness


@view_config(route_name="healthz", request_method="GET", openapi=True, renderer="json")
def liveness(_: Request) -> dict[str, str]:
    """Say that the process lives; nothing else is asked."""
    return {"status": "ok"}


@view_config(route_name="readyz", request_method="GET", openapi=True, renderer="json")
def ready(request: Request) -> dict[str, Any]:
    """Say whether requests can be served."""
    answer = readiness.check()
    if answer["status"] == "error":
        request.response.status = 503
    return answer


@view_config(route_name="metrics", request_method="GET", openapi=True)
def prometheus(_: Request) -> Response:
    """Give the metrics in Prometheus' text format."""
    response = Response(metrics.exposition())
    response.headers["Content-Type"] = "text/plain; version=0.0.4; charset=utf-8"
    return response
