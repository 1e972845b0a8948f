"""How requests reach the application: by uvicorn, with deadlines for slow clients."""

import asyncio
import re
from typing import ClassVar

import httptools
from uvicorn._types import ASGI3Application
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

# Seconds that a client has, all in all and not from one byte to the next.
HEAD = 10  # to send a request without its body
BODY = 30  # to send that
ANSWER = 30  # to read one
MAX_HEAD = 64 * 1024  # bytes
MAX_IDLE = 500  # connections that wait for a next request
HOST = re.compile(rb"(\[[0-9A-Fa-f:.]+\]|[\w.~!$&'()*+;=%-]*)(:[0-9]*)?")
LINGER = 0.5  # seconds in which another request may arrive when the process has to end


class Protocol(HttpToolsProtocol):
    """A connection, whose client has to keep the deadlines."""

    send_deadline: asyncio.TimerHandle | None = None
    read_deadline: asyncio.TimerHandle | None = None
    in_head = True
    head_size = 0  # bytes of what has come of a head
    running: RequestResponseCycle | None = None
    ending = False
    waiting = True  # for a request to begin
    idle: ClassVar[dict["Protocol", None]] = {}  # those of the process, the oldest first

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin; from now on `pause_writing` means that an answer has not been read."""
        super().connection_made(transport)
        transport.set_write_buffer_limits(high=0)
        self.wait(HEAD)

    def connection_lost(self, exc: Exception | None) -> None:
        """End; tell so the request that is being answered, for uvicorn tells the last alone."""
        self.wait(None)
        self.idle.pop(self, None)
        if self.running:
            self.running.disconnected = True
        self.resume_writing()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Read on; give up a head that has no end."""
        if self.in_head:
            self.head_size += len(data)
        self._unset_keepalive_if_required()
        while data:  # as uvicorn has it, but for an upgrade
            try:
                self.parser.feed_data(data)
                break
            except httptools.HttpParserUpgrade as upgrade:
                data = self.without_upgrade() + data[upgrade.args[0] :]
            except httptools.HttpParserError:
                self.logger.warning("Invalid HTTP request received.")
                self.send_400_response("Invalid HTTP request received.")
                break
        if self.head_size > MAX_HEAD:
            self.transport.abort()

    def on_message_begin(self) -> None:
        """Wait for a head."""
        super().on_message_begin()
        self.waiting = False
        self.idle.pop(self, None)
        self.in_head = True
        self.wait(HEAD)

    def without_upgrade(self) -> bytes:
        """Return the head without its `Upgrade`, for a new parser: the old one would read no body.

        Nobody has to heed `Upgrade` (RFC 9110, section 7.8), and nothing else is spoken here.
        """
        version = self.parser.get_http_version().encode()
        target = b"%b %b HTTP/%b\r\n" % (self.parser.get_method(), self.url, version)
        lines = [b"%b: %b\r\n" % line for line in self.headers if line[0] != b"upgrade"]
        self.parser = httptools.HttpRequestParser(self)
        self.parser.set_dangerous_leniencies(lenient_data_after_close=True)
        return b"".join([target, *lines, b"\r\n"])

    def on_headers_complete(self) -> None:
        """Check what comes more than once, or not at all; wait for a body.

        httptools makes each error that is raised here a 400.
        """
        if self.parser.get_method() == b"CONNECT":
            raise ValueError("this is no proxy")
        if self.parser.should_upgrade():
            return  # it is read again
        joined: dict[bytes, bytes] = {}
        for name, value in self.headers:  # RFC 9110, section 5.3
            joined[name] = b", ".join([joined[name], value]) if name in joined else value
        self.headers[:] = joined.items()
        old = self.parser.get_http_version() != "1.1"
        # RFC 9112, sections 3.2 and 6.1.
        if not HOST.fullmatch(joined.get(b"host", b"" if old else b",")):
            raise ValueError("there is no host, or none that can be one")
        if joined.get(b"transfer-encoding", b"chunked").lower() != b"chunked":
            raise ValueError("this coding of a body is not known")
        if old:
            self.expect_100_continue = False  # RFC 9110, section 10.1.1
        super().on_headers_complete()
        self.in_head, self.head_size = False, 0
        if self.ending:
            self.cycle.keep_alive = False
        self.wait(BODY)

    def on_message_complete(self) -> None:
        """Wait for nothing: it is our turn."""
        if self.parser.should_upgrade():
            return
        super().on_message_complete()
        self.wait(None)
        self.rest()

    def on_response_complete(self) -> None:
        """Go on with the next request, or wait for one."""
        super().on_response_complete()
        self.rest()

    def rest(self) -> None:
        """Wait for the next head, once the last request has come and is answered, in any order.

        To uvicorn a blank line before it is a sign of life.
        """
        if self.cycle.response_complete and self.send_deadline is None:
            self.wait(self.timeout_keep_alive)
            self.waiting = True
            self.idle[self] = None
            if len(self.idle) > MAX_IDLE:
                oldest = next(iter(self.idle))
                del self.idle[oldest]
                oldest.transport.close()

    def shutdown(self) -> None:
        """End with the next answer; without a request, in a moment, in which one may arrive."""
        self.ending = True
        if self.cycle and not self.cycle.response_complete:
            super().shutdown()
        else:
            self.loop.call_later(LINGER, self.end)

    def end(self) -> None:
        """Close the connection, unless a request has begun."""
        if self.waiting:
            self.transport.close()

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: ASGI3Application) -> None:
        self.running = cycle
        super()._start_asgi_task(cycle, app)

    def wait(self, seconds: float | None) -> None:
        """Close the connection unless the client has sent what is due by then; None: nothing is."""
        if self.send_deadline:
            self.send_deadline.cancel()
        self.send_deadline = (
            self.loop.call_later(seconds, self.transport.abort) if seconds else None
        )

    def pause_writing(self) -> None:
        """Wait for the client to read."""
        super().pause_writing()
        self.read_deadline = self.loop.call_later(ANSWER, self.transport.abort)

    def resume_writing(self) -> None:
        """Go on, for everything has been read."""
        super().resume_writing()
        if self.read_deadline:
            self.read_deadline.cancel()
