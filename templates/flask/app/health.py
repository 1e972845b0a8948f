"""What operators ask: is it alive, is it ready, how is it doing."""

from typing import Any

from flask import Response

from app import metrics, readiness, schemas
from app.extensions import Blueprint

operations = Blueprint("operations", __name__)


@operations.get("/healthz")
@operations.response(200, schemas.Liveness)
def liveness() -> dict[str, str]:
    """Say that the process lives; nothing else is asked."""
    return {"status": "ok"}


@operations.get("/readyz")
@operations.alt_response(503, schema=schemas.Readiness, description="Not ready")
@operations.response(200, schemas.Readiness)
def ready() -> tuple[dict[str, Any], int]:
    """Say whether requests can be served."""
    answer = readiness.check()
    return answer, 503 if answer["status"] == "error" else 200


@operations.get("/metrics")
@operations.doc(responses={200: {"content": {"text/plain": {}}}})
@operations.response(200)
def prometheus() -> Response:
    """Give the metrics in Prometheus' text format."""
    return Response(metrics.exposition(), content_type="text/plain; version=0.0.4; charset=utf-8")
