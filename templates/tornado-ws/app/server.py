"""How requests reach the application: by Tornado's server, with its connections ours to keep.

Tornado has one setting for how long a connection may be idle and for how long a head may take.
"""

import asyncio
from asyncio import Future
from typing import Any

import structlog
from tornado.http1connection import HTTP1Connection, HTTP1ServerConnection
from tornado.httpserver import HTTPServer, _HTTPRequestContext
from tornado.httputil import (
    HTTPHeaders,
    HTTPServerConnectionDelegate,
    RequestStartLine,
    ResponseStartLine,
)
from tornado.iostream import IOStream, StreamClosedError, UnsatisfiableReadError

from app.settings import settings

# Seconds that a client has, all in all and not from one byte to the next; `base` has a third.
HEAD = 10  # to begin the first request of a connection, and to send any without its body
BODY = 30  # to send that
MAX_IDLE = 500  # connections that wait for a next request

logger = structlog.get_logger()


class Connection(HTTP1Connection):
    """A request, and its answer."""

    def __init__(self, served: "ServerConnection", begun: bytes) -> None:
        super().__init__(served.stream, False, served.params, served.context)
        self.served = served
        self.begun = begun  # what has been read of the request already

    def _parse_headers(self, data: bytes) -> tuple[str, HTTPHeaders]:
        return super()._parse_headers(self.begun + data)

    def write_headers(
        self,
        start_line: RequestStartLine | ResponseStartLine,
        headers: HTTPHeaders,
        chunk: bytes | None = None,
    ) -> "Future[None]":
        """Write the head of an answer: the last on this connection, if the process has to end."""
        if self.served.server.stopping:
            self._disconnect_on_finish = True
        return super().write_headers(start_line, headers, chunk)


class ServerConnection(HTTP1ServerConnection):
    """A connection, which brings one request after the other."""

    def __init__(self, server: "Server", stream: IOStream, address: tuple[Any, ...]) -> None:
        super().__init__(stream, server.conn_params, _HTTPRequestContext(stream, address, None))
        self.server = server

    async def _server_request_loop(self, delegate: HTTPServerConnectionDelegate) -> None:
        begun = b""
        try:
            while True:
                connection = Connection(self, begun)
                if not await connection.read_response(delegate.start_request(self, connection)):
                    return
                begun = await self.next_request()
        except (StreamClosedError, UnsatisfiableReadError, TimeoutError, asyncio.CancelledError):
            self.stream.close()
        except Exception:
            logger.exception("unhandled error")
            self.stream.close()
        finally:
            delegate.on_close(self)

    async def next_request(self) -> bytes:
        """Wait for the first byte of the next request, and return it.

        Raises `TimeoutError` after KEEP_ALIVE, and `StreamClosedError` when either side ends.
        """
        self.server.idle[self] = None
        if len(self.server.idle) > MAX_IDLE:
            next(iter(self.server.idle)).end()
        if self.server.stopping:
            self.end()
        try:
            async with asyncio.timeout(settings.keep_alive):
                # What is no line break: blank lines are no sign of life.
                return await self.stream.read_until_regex(rb"[^\r\n]", max_bytes=1024)
        finally:
            self.server.idle.pop(self, None)

    def end(self) -> None:
        """Close the connection, which is idle."""
        del self.server.idle[self]
        self.stream.close()


class Server(HTTPServer):
    """The connections of one process."""

    def initialize(self, *args: Any, **kwargs: Any) -> None:
        """Begin without any."""
        kwargs |= {"idle_connection_timeout": HEAD, "body_timeout": BODY}
        super().initialize(*args, **kwargs)
        self.idle: dict[ServerConnection, None] = {}  # the oldest first
        self.stopping = False

    def handle_stream(self, stream: IOStream, address: tuple[Any, ...]) -> None:
        """Serve a new connection."""
        connection = ServerConnection(self, stream, address)
        self._connections.add(connection)
        connection.start_serving(self)

    def stop(self) -> None:
        """Stop listening; from now on each answer is the last on its connection."""
        super().stop()
        self.stopping = True

    def close_idle(self) -> None:
        """Close the connections without a request."""
        for connection in list(self.idle):
            connection.end()
