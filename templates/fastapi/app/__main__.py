"""Serves the application in production: `python -m app`."""

import os
import tempfile

import uvicorn

from app.logs import configure_logging
from app.settings import settings


def main() -> None:
    """Run as many web processes as WEB_CONCURRENCY says, until SIGTERM."""
    configure_logging()
    with tempfile.TemporaryDirectory(prefix="metrics-") as directory:
        if settings.web_concurrency > 1:
            os.environ["PROMETHEUS_MULTIPROC_DIR"] = directory
        uvicorn.run(
            "app.main:app",
            host="0.0.0.0",  # noqa: S104 - a container's port is published by its host
            port=settings.port,
            workers=settings.web_concurrency,
            access_log=False,
            log_config=None,
            server_header=False,
            timeout_graceful_shutdown=25,
            timeout_worker_healthcheck=30,
        )


if __name__ == "__main__":
    main()
