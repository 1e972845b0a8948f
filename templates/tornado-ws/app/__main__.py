"""Serves the application: `python -m app`."""

import asyncio
import gc
import os
import shutil
import signal
import sys
import tempfile
from ipaddress import IPv6Address

from tornado.netutil import bind_sockets
from tornado.process import fork_processes

from app.logs import configure_logging
from app.settings import settings


def run() -> None:
    """Run as many web processes as WEB_CONCURRENCY says, until SIGTERM."""
    # To Tornado `::` is IPv6 alone, and None is every address.
    address = None if settings.host == IPv6Address("::") else str(settings.host)
    configure_logging(settings.log_level, readable=settings.environment == "development")
    try:
        # `reuse_port` would share the port with whoever else has it.
        for socket in bind_sockets(settings.port, address):
            socket.close()
    except OSError as error:
        sys.exit(f"HOST, PORT: {settings.host}, {settings.port}: {error.strerror}")
    # Web processes end when nobody holds the other end of this pipe any more: on SIGTERM, and
    # also when this process is killed.
    lifeline, held = os.pipe()
    holder = os.fdopen(held, "wb", buffering=0)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: holder.close())
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = metrics = tempfile.mkdtemp(prefix="metrics-")
    from app.app import main  # with that variable set: prometheus_client reads it once

    # What is loaded by now stays. Looking through it again and again, the collector would hold
    # requests up, for up to 80 ms; they make little garbage that only it finds.
    gc.freeze()
    gc.set_threshold(10_000, 50, 50)
    try:
        fork_processes(settings.web_concurrency)  # returns in the web processes alone
    except BaseException:
        shutil.rmtree(metrics, ignore_errors=True)
        raise
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.SIG_IGN)  # the process above decides
    holder.close()
    asyncio.run(main(address, lifeline))


if __name__ == "__main__":
    run()
