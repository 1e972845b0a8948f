"""What operators ask: is it alive, is it ready, how is it doing, what can it do."""

from pathlib import Path
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse, JSONResponse, PlainTextResponse

from app import csp
from app.metrics import exposition
from app.proxies import described
from app.readiness import check
from app.schemas import Health
from app.statuses import NOT_READY

router = APIRouter(tags=["operations"])

DOCS = (Path(__file__).parents[1] / "docs.html").read_text("utf-8")
DOCS_HEADERS = {"Content-Security-Policy": csp.policy(DOCS)}


@router.get("/healthz", response_model_exclude_unset=True)
async def liveness() -> Health:
    """Say that the process lives; nothing else is asked."""
    return Health(status="ok")


@router.get(
    "/readyz",
    response_model=Health,
    responses={503: {"model": Health, "description": NOT_READY}},
)
async def readiness(response: Response) -> dict[str, Any]:
    """Say whether requests can be served."""
    answer = await check()
    response.status_code = 503 if answer["status"] == "error" else 200
    return answer


@router.get("/metrics", response_class=PlainTextResponse)
async def metrics() -> Response:
    """Give the metrics in Prometheus' text format."""
    return Response(exposition(), media_type="text/plain; version=0.0.4; charset=utf-8")


@router.get("/openapi.json", include_in_schema=False)
async def document(request: Request) -> JSONResponse:
    """Give the OpenAPI document."""
    return JSONResponse(described(request.app.openapi(), request.scope["root_path"]))


@router.get("/docs", include_in_schema=False)
async def docs() -> HTMLResponse:
    """Show the document in Swagger UI."""
    return HTMLResponse(DOCS, headers=DOCS_HEADERS)
