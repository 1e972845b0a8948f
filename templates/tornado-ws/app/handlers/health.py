"""What operators ask: is it alive, is it ready, how is it doing."""

from app import metrics, readiness
from app.handlers.base import BaseHandler
from app.openapi import operation
from app.schemas import Health


class LivenessHandler(BaseHandler):
    """`/healthz`."""

    @operation("liveness", answer=Health)
    async def get(self) -> None:
        """Say that the process lives; nothing else is asked."""
        self.answer(b'{"status":"ok"}')


class ReadinessHandler(BaseHandler):
    """`/readyz`."""

    @operation("readiness", answer=Health, others={503: Health})
    async def get(self) -> None:
        """Say whether requests can be served."""
        answer = await readiness.check()
        self.set_status(503 if answer["status"] == "error" else 200)
        self.answer(Health.model_validate(answer))


class MetricsHandler(BaseHandler):
    """`/metrics`."""

    @operation("metrics", answer="text/plain")
    async def get(self) -> None:
        """Give the metrics in Prometheus' text format."""
        self.set_header("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
        self.write(metrics.exposition())
