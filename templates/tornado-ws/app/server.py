"""How requests reach the application: by Tornado's server, with what it lacks of HTTP/1.1.

To Tornado, how long a connection may be idle and how long a head may take is one setting; these are
two here.
"""

import asyncio
import re
from typing import Any

import structlog
from tornado.http1connection import HTTP1Connection, HTTP1ServerConnection
from tornado.httpserver import HTTPServer, _HTTPRequestContext
from tornado.httputil import (
    HTTPHeaders,
    HTTPInputError,
    HTTPMessageDelegate,
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
MAX_LINE = 4 * 1024  # bytes before a chunk, and of trailers

# RFC 9112, sections 3.2.2, 7.1 and 7.1.2.
ABSOLUTE = re.compile(r"(?i:https?)://([^/?#]*)(.*)")
HOST = re.compile(r"(\[[^\]]*\]|[^:]*)(:[0-9]*)?")
ESCAPED = re.compile(r"%(2[dDeEfF]|3\d|4[1-9a-fA-F]|5[\daA]|5[fF]|6[1-9a-fA-F]|7[\daAeE])")
CHUNK = re.compile(rb"([0-9a-fA-F]{1,16})(;[\t\x20-\x7e\x80-\xff]*)?\r\n")
TRAILER = re.compile(rb"[\w!#$%&'*+.^`|~-]+:[\t\x20-\x7e\x80-\xff]*\r\n")

logger = structlog.get_logger()


class Connection(HTTP1Connection):
    """A request, and its answer."""

    def __init__(self, served: "ServerConnection", begun: bytes) -> None:
        super().__init__(served.stream, False, served.params, served.context)
        self.served = served
        self.begun = begun  # what has been read of the request already

    def _parse_headers(self, data: bytes) -> tuple[str, HTTPHeaders]:
        """Read a head; write what Tornado knows in one spelling alone in that one."""
        line, headers = super()._parse_headers(self.begun + data)
        method, target, version = [*line.split(" ", 2), "", ""][:3]
        if not target.isascii() or not HOST.fullmatch(headers.get("Host", "")):
            raise HTTPInputError("a target is malformed (RFC 3986, sections 2 and 3.2)")
        if absolute := ABSOLUTE.fullmatch(target):
            headers["Host"], rest = absolute.groups()
            target = rest if rest.startswith("/") else f"/{rest}"
        path, *query = target.partition("#")[0].split("?", 1)
        # Escaped or not, these mean the same (RFC 3986, section 2.3), and so does a slash, which is
        # part of no name here; routes are compared with one.
        path = ESCAPED.sub(lambda found: chr(int(found[1], 16)), path)
        if headers.get("Expect", "").lower() == "100-continue":
            headers["Expect"] = "100-continue" if version == "HTTP/1.1" else "nothing"
        return f"{method} {'?'.join([path, *query])} {version}", headers

    def _can_keep_alive(self, start_line: RequestStartLine, headers: HTTPHeaders) -> bool:
        options = headers.get("Connection", "").lower().split(",")
        closed = "close" in [option.strip() for option in options]
        return not closed and super()._can_keep_alive(start_line, headers)

    async def _read_chunked_body(self, delegate: HTTPMessageDelegate) -> None:
        """Read a body in chunks, whose extensions and trailers mean nothing to us."""
        total = 0
        while size := await self._read_size():
            total += size
            if total > self._max_body_size:
                raise HTTPInputError("a body in chunks is too large")
            await self._read_fixed_body(size, delegate)
            if await self.stream.read_bytes(2) != b"\r\n":
                raise HTTPInputError("a chunk is longer than its size")
            await asyncio.sleep(0)  # others have their turn, however small the chunks are
        left = MAX_LINE
        while (line := await self.stream.read_until(b"\r\n", max_bytes=left)) != b"\r\n":
            left -= len(line)
            if not TRAILER.fullmatch(line) or left < 2:
                raise HTTPInputError("a trailer is malformed")

    async def _read_size(self) -> int:
        line = await self.stream.read_until(b"\r\n", max_bytes=MAX_LINE)
        if not (found := CHUNK.fullmatch(line)):
            raise HTTPInputError("the size of a chunk is malformed")
        return int(found[1], 16)

    def write_headers(
        self,
        start_line: RequestStartLine | ResponseStartLine,
        headers: HTTPHeaders,
        chunk: bytes | None = None,
    ) -> asyncio.Future[None]:
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
