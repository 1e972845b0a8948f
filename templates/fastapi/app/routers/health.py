"""What operators ask: is it alive, is it ready, how is it doing, what can it do."""

from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse, PlainTextResponse

from app import pages
from app.metrics import exposition
from app.proxies import described
from app.readiness import check
from app.schemas import Health
from app.statuses import NOT_READY

router = APIRouter(tags=["operations"])


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


async def show(request: Request) -> Response:
    """Show a page on the document, or give a file that it loads."""
    content, headers = pages.read(request.scope["route"].path)
    return Response(content, headers=headers)


for path in pages.FILES:
    router.add_api_route(path, show, include_in_schema=False)
