"""How gunicorn serves the project."""

import os
import select
import shutil
import tempfile
from typing import Any

from gunicorn.glogging import Logger
from gunicorn.workers.gthread import ThreadWorker

from config.environment import settings
from core.logs import configure_logging


class RootLogger(Logger):
    """Leaves gunicorn's own lines to the root logger, which writes them as it does all others."""

    def setup(self, _: Any) -> None:
        """Set the root logger up in the main process, which knows nothing of Django."""
        configure_logging(settings.log_level, readable=settings.environment == "development")
        self.error_log.propagate = True


class Worker(ThreadWorker):
    """Stops listening at once when it is told to end, and serves whoever has connected by then."""

    def set_accept_enabled(self, enabled: bool) -> None:
        """Begin or stop to accept connections."""
        super().set_accept_enabled(enabled)
        if not self.alive:
            for listener in self.sockets:
                while select.select([listener], [], [], 0)[0]:
                    self.accept(listener)
                listener.close()


bind = f"0.0.0.0:{settings.port}"
workers = settings.web_concurrency
worker_class = Worker
threads = 16  # so many that some are left when others wait for a server that is lost
graceful_timeout = 25  # seconds
limit_request_line = 8190  # bytes, as many as it can be
logger_class = RootLogger
control_socket_disable = True

# The metrics of the processes meet in files.
os.environ["PROMETHEUS_MULTIPROC_DIR"] = tempfile.mkdtemp(prefix="metrics-")


def pre_request(_: Any, request: Any) -> None:
    """Say that the connection will be closed, where it may be: after a body that nobody has read.

    Of such a body gunicorn reads 64 KiB, to come to the next request; then it gives up.
    """
    headers = dict(request.headers)
    if "TRANSFER-ENCODING" in headers or int(headers.get("CONTENT-LENGTH", 0)) > 64 * 1024:
        request.force_close()


def on_exit(_: Any) -> None:
    """Remove the files of the metrics."""
    shutil.rmtree(os.environ["PROMETHEUS_MULTIPROC_DIR"], ignore_errors=True)
