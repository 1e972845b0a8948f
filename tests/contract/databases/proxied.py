"""A proxy before a server, that can be paused as any process can."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

from ..processes import Process, accepts, free_port, until


class Server(Protocol):
    port: int
    url: str


class Proxy(Process):
    """A proxy before a server, as strict as those of its kind are."""

    def __init__(self, server: Server, logs: Path) -> None:
        self.port = free_port()
        script = str(Path(__file__).with_name("proxy.py"))
        kind = server.url.partition(":")[0]
        command = [sys.executable, script, str(self.port), str(server.port), kind]
        super().__init__(f"proxy-{self.port}", command, logs=logs)
        self.url = server.url.replace(f":{server.port}/", f":{self.port}/")

    def start(self) -> None:
        super().start()
        until(lambda: accepts(self.port), within=15, failing="the proxy does not start")


@contextmanager
def proxied(server: Server, logs: Path) -> Iterator[Proxy]:
    """Run a proxy before a server."""
    proxy = Proxy(server, logs)
    proxy.start()
    try:
        yield proxy
    finally:
        proxy.stop()
