"""What operators ask: is it alive, is it ready, how is it doing."""

from typing import Any

from flask import Response

from app import metrics, readiness, schemas
from app.extensions import Blueprint
from app.statuses import NOT_READY

operations = Blueprint("operations", __name__)


@operations.get("/healthz")
@operations.response(200, schemas.Health)
def liveness() -> dict[str, str]:
    """Say that the process lives; nothing else is asked."""
    return {"status": "ok"}


@operations.get("/readyz", endpoint="readiness")
@operations.alt_response(503, schema=schemas.Health, description=NOT_READY)
@operations.response(200, schemas.Health)
def ready() -> tuple[dict[str, Any], int]:
    """Say whether requests can be served."""
    answer = readiness.check()
    return answer, 503 if answer["status"] == "error" else 200


@operations.get("/metrics", endpoint="metrics")
@operations.response(200, {"type": "string"}, content_type="text/plain")
def prometheus() -> Response:
    """Give the metrics in Prometheus' text format."""
    return Response(metrics.exposition(), content_type="text/plain; version=0.0.4; charset=utf-8")
