"""How requests reach the application: by uvicorn, with deadlines for slow clients."""

import asyncio
from typing import ClassVar

from uvicorn._types import ASGI3Application
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

# Seconds that a client has, all in all and not from one byte to the next.
HEAD = 10  # to send a request without its body
BODY = 30  # to send that
ANSWER = 30  # to read one
MAX_HEAD = 64 * 1024  # bytes
MAX_IDLE = 500  # connections that wait for a next request
LINGER = 0.5  # seconds in which another request arrives when the process has to end


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
        self.waiting = False
        self.idle.pop(self, None)
        if self.in_head:
            self.head_size += len(data)
        super().data_received(data)
        if self.head_size > MAX_HEAD:
            self.transport.abort()

    def on_message_begin(self) -> None:
        """Wait for a head."""
        super().on_message_begin()
        self.in_head = True
        self.wait(HEAD)

    def on_headers_complete(self) -> None:
        """Wait for a body."""
        super().on_headers_complete()
        self.in_head, self.head_size = False, 0
        if self.ending:
            self.cycle.keep_alive = False
        self.wait(BODY)

    def on_message_complete(self) -> None:
        """Wait for nothing: it is our turn."""
        super().on_message_complete()
        self.wait(None)

    def on_response_complete(self) -> None:
        """Wait for the next head: to uvicorn a blank line before it is a sign of life."""
        super().on_response_complete()
        if self.send_deadline is None and not self.pipeline:
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
