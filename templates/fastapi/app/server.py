"""How requests reach the application: by uvicorn, with deadlines for slow clients."""

import asyncio

from uvicorn._types import ASGI3Application
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

# Seconds that a client has, all in all and not from one byte to the next.
HEAD = 10  # to send a request without its body
BODY = 30  # to send that
ANSWER = 30  # to read one
MAX_HEAD = 64 * 1024  # bytes


class Protocol(HttpToolsProtocol):
    """A connection, whose client has to keep the deadlines."""

    sending: asyncio.TimerHandle | None = None
    reading: asyncio.TimerHandle | None = None
    in_head = True
    head = 0  # bytes of an unfinished head
    running: RequestResponseCycle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin; from now on `pause_writing` means that an answer has not been read."""
        super().connection_made(transport)
        transport.set_write_buffer_limits(high=0)
        self.sending = self.loop.call_later(HEAD, transport.abort)

    def connection_lost(self, exc: Exception | None) -> None:
        """End; tell so the request that is being answered, for uvicorn tells the last alone."""
        self.stop_waiting()
        if self.running:
            self.running.disconnected = True
        self.resume_writing()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Read on; give up a head that has no end."""
        super().data_received(data)
        self.head = self.head + len(data) if self.in_head else 0
        if self.head > MAX_HEAD:
            self.transport.abort()

    def on_message_begin(self) -> None:
        """Wait for a head."""
        super().on_message_begin()
        self.in_head = True
        self.stop_waiting()
        self.sending = self.loop.call_later(HEAD, self.transport.abort)

    def on_headers_complete(self) -> None:
        """Wait for a body."""
        super().on_headers_complete()
        self.in_head = False
        self.stop_waiting()
        self.sending = self.loop.call_later(BODY, self.transport.abort)

    def on_message_complete(self) -> None:
        """Wait for nothing: it is our turn."""
        super().on_message_complete()
        self.stop_waiting()

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: ASGI3Application) -> None:
        self.running = cycle
        super()._start_asgi_task(cycle, app)

    def stop_waiting(self) -> None:
        """Forget the deadline for what is sent."""
        if self.sending:
            self.sending.cancel()

    def pause_writing(self) -> None:
        """Wait for the client to read."""
        super().pause_writing()
        self.reading = self.loop.call_later(ANSWER, self.transport.abort)

    def resume_writing(self) -> None:
        """Go on, for everything has been read."""
        super().resume_writing()
        if self.reading:
            self.reading.cancel()
