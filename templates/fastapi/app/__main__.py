"""Serves the application in production: `python -m app`."""

import os
import tempfile

import uvicorn
from uvicorn.supervisors import Multiprocess

from app.logs import configure_logging
from app.server import Protocol
from app.settings import settings


class Supervisor(Multiprocess):
    """Keeps the web processes running."""

    def terminate_all(self) -> None:
        """Stop accepting, here too, and have the processes finish what they are at."""
        # uvicorn leaves its own listener open: who connects then would wait for nobody.
        for socket in self.sockets:
            socket.close()
        super().terminate_all()


def main() -> None:
    """Run as many web processes as WEB_CONCURRENCY says, until SIGTERM."""
    configure_logging(settings.log_level, readable=settings.environment == "development")
    config = uvicorn.Config(
        "app.main:app",
        host=str(settings.host),
        port=settings.port,
        http=Protocol,
        workers=settings.web_concurrency,
        access_log=False,
        log_config=None,
        server_header=False,
        proxy_headers=False,  # whom to believe is for TRUSTED_PROXIES to say: see app/proxies.py
        timeout_keep_alive=settings.keep_alive,
        timeout_graceful_shutdown=25,
        timeout_worker_healthcheck=30,
    )
    with tempfile.TemporaryDirectory(prefix="metrics-") as directory:
        os.environ["PROMETHEUS_MULTIPROC_DIR"] = directory
        Supervisor(config, [config.bind_socket()]).run()


if __name__ == "__main__":
    main()
