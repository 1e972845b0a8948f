"""The live feed: changes to the catalogue, over WebSockets (RFC 6455)."""

import re
import socket
from asyncio import Future
from typing import Any

from pydantic import ValidationError
from tornado.websocket import WebSocketClosedError, WebSocketHandler

from app.handlers.base import BaseHandler
from app.hub import hub
from app.problems import ProblemError
from app.schemas import Change, Filter
from app.settings import settings

MAX_MESSAGE = 4096  # bytes
MAX_WAITING = 256  # messages
PING_INTERVAL = 20  # seconds; a peer that does not answer by the next ping is silent
# The kernel's share of what waits for a client: with its default of megabytes, a client that does
# not read would be found out thousands of messages too late.
SEND_BUFFER = 32 * 1024  # bytes
KEY = re.compile(r"[A-Za-z0-9+/]{22}==")  # 16 bytes in base64: RFC 6455, section 4.1


class FeedHandler(BaseHandler, WebSocketHandler):
    """`/ws/books`: a client, whom the hub tells of changes."""

    def initialize(self) -> None:
        """Begin with a client that wants every change, and has nothing to read yet."""
        super().initialize()
        self.authors: frozenset[str] = frozenset()
        self.waiting = 0
        self.cut_off = False

    async def get(self) -> None:
        """Upgrade the connection."""
        headers = self.request.headers
        asked = headers.get("Upgrade", "").lower(), headers.get("Sec-WebSocket-Version")
        if asked != ("websocket", "13") or self.request.method != "GET":
            offer = {"Upgrade": "websocket", "Sec-WebSocket-Version": "13"}
            raise ProblemError(426, "This path speaks WebSocket, version 13.", offer)
        if not KEY.fullmatch(headers.get("Sec-WebSocket-Key", "")):
            raise ProblemError(400, "Sec-WebSocket-Key must be 16 bytes in base64.")
        if not self.stream.closed():
            self.stream.set_nodelay(True)
            self.stream.socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER)
            await super().get()

    def check_origin(self, origin: str) -> bool:
        """Let in the pages of known origins; Tornado asks about no page of the service itself."""
        return origin in settings.cors_origins

    def finish(self, chunk: str | bytes | dict[Any, Any] | None = None) -> Future[None]:
        """Finish the request; where Tornado refuses a handshake in plain text, with a problem."""
        if isinstance(chunk, str) and self.get_status() >= 400:
            raise ProblemError(self.get_status(), chunk)
        return super().finish(chunk)

    def open(self) -> None:
        """Join the clients of the feed."""
        hub.clients.add(self)

    def on_close(self) -> None:
        """Leave the clients of the feed."""
        hub.clients.discard(self)

    def on_message(self, message: str | bytes) -> None:
        """Take a filter, and say so; say what is wrong with anything else."""
        if isinstance(message, bytes):
            self.send({"type": "error", "detail": "a message must be text"})
            return
        try:
            asked = Filter.model_validate_json(message)
        except ValidationError as error:
            wrong = error.errors()[0]
            place = "".join(f"{part}: " for part in wrong["loc"])
            self.send({"type": "error", "detail": f"{place}{wrong['msg']}"})
        else:
            self.authors = frozenset(author.casefold() for author in asked.authors)
            self.send({"type": "filter", "authors": asked.authors})

    def tell(self, change: Change, message: str) -> None:
        """Pass a change on to a client that wants it."""
        if not self.authors or change.book.author.casefold() in self.authors:
            self.send(message)

    def send(self, message: str | dict[str, Any]) -> None:
        """Send a message; cut a client off for whom too many wait already."""
        if self.waiting == MAX_WAITING:
            self.cut_off = True
            hub.clients.discard(self)
        if self.cut_off:
            return
        try:
            written = self.write_message(message)
        except WebSocketClosedError:
            return  # it is leaving
        self.waiting += 1
        written.add_done_callback(self.on_written)

    def on_written(self, written: Future[None]) -> None:
        """Count a message that the kernel has taken."""
        self.waiting -= 1
        lost = written.cancelled() or written.exception()
        if self.cut_off and not self.waiting and not lost:
            # It reads again, and can be told; one that never does will not answer a ping either.
            self.close(1013, "too many messages were waiting")
