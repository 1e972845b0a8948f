"""How requests reach the application: by waitress, in each of the processes that gunicorn keeps.

One thread of waitress reads the requests and sends the answers of all clients, so that none who is
slow keeps others from the threads of the application. What it lacks are deadlines for them.

It has no setting for them, so this extends its classes, each at the one place where it decides
something. Read it from its end: a `Worker` runs a `Server`, which has a `Channel` for each client,
which reads with a `Parser` and answers by a `Task` or a `Refusal`. `tests/test_server.py` tells
when a new release of waitress decides elsewhere.
"""

import contextlib
import json
import logging
import math
import os
import re
import select
import socket
import time
import uuid
from collections.abc import Callable, Iterable
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import structlog
from gunicorn.workers.base import Worker as BaseWorker
from waitress import wasyncore
from waitress.channel import HTTPChannel
from waitress.parser import HTTPRequestParser, ParsingError
from waitress.server import TcpWSGIServer
from waitress.task import ErrorTask, WSGITask
from waitress.utilities import BadRequest, Error, RequestEntityTooLarge

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

DEADLINES = {  # seconds that a client has, all in all and not from one byte to the next
    "head": 10,  # to send a request without its body
    "body": 30,  # to send that
    "answer": 30,  # to read one
    "end": 1,  # to close, when we have
}
LINGER = 0.5  # seconds in which the request of a new connection arrives when the process has to end
MAX_IDLE = 500  # connections that wait for a next request; the rest are for those who ask
THREADS = 16  # so many that some are left when others wait for a server that is lost
MAX_CONNECTIONS = 900  # for each process: nearly everywhere it may have 1024 files open
MAX_HEAD = 32 * 1024  # bytes
MAX_LINE = 4 * 1024  # bytes before a chunk, and of trailers
MAX_BODY = 1024 * 1024  # bytes: what the application takes, which refuses the rest
CODING = re.compile(rb"\r\nTransfer-Encoding:[\t ]*([^\r]*)", re.IGNORECASE)
HOST = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[\w.~!$&'()*+;=%-]*)(:[0-9]*)?", re.ASCII)

logger = structlog.get_logger()


class Parser(HTTPRequestParser):
    """Reads a request; of a body that is too large no more than shows that."""

    error: Error | None = None

    def parse_header(self, header_plus: bytes) -> None:
        """Read the head; refuse one that a proxy may read otherwise (RFC 9112, section 6.1)."""
        try:
            super().parse_header(header_plus)
        except ValueError as error:
            raise ParsingError("The request cannot be read.") from error
        # waitress reads chunks of HTTP/1.1 alone, and drops this header then.
        if "TRANSFER_ENCODING" in self.headers or (
            self.chunked and "CONTENT_LENGTH" in self.headers
        ):
            raise ParsingError("The length of the body is told in two ways.")
        # It also reads chunks within chunks as chunks, and a coding without a name as none.
        codings = [coding.strip().lower() for coding in CODING.findall(header_plus)]
        if codings not in ([], [b"chunked"]):
            raise ParsingError("This coding of a body is not known.")
        host = self.headers.get("HOST", None if self.version == "1.1" else "")
        if host is None or not HOST.fullmatch(host):  # RFC 9112, section 3.2
            raise ParsingError("There is no host, or none that can be one.")
        if self.proxy_netloc:  # section 3.2.2
            self.headers["HOST"] = self.proxy_netloc
        options = self.headers.get("CONNECTION", "").lower().split(",")
        if "close" in [option.strip() for option in options]:  # section 9.6
            self.headers["CONNECTION"] = "close"
        self.headers.pop("UPGRADE", None)  # there is nothing else that we speak

    def received(self, data: bytes) -> int:
        """Take what has come; return how much of it is part of this request."""
        consumed: int = super().received(data)
        size = max(self.content_length, len(self.body_rcv or b""))
        if size > MAX_BODY or isinstance(self.error, RequestEntityTooLarge):
            # The application answers that, by the length.
            self.headers["CONTENT_LENGTH"] = str(max(size, MAX_BODY + 1))
            self.headers["CONNECTION"] = "close"
            self.completed, self.error = True, None
        if self.chunked and len(self.body_rcv.control_line + self.body_rcv.trailer) > MAX_LINE:
            self.completed, self.error = True, BadRequest("What surrounds the chunks is too long.")
        if self.completed:
            self.expect_continue = False
        return consumed


class Task(WSGITask):
    """Has the application answer a request."""

    def get_environment(self) -> "WSGIEnvironment":
        """Return what the application is told."""
        environ: WSGIEnvironment = super().get_environment()
        environ["PATH_INFO"] = self.request.path  # waitress would make one of several slashes
        return environ

    def write(self, data: bytes) -> None:
        """Send a part of the answer; to HEAD no body, which not every application leaves out."""
        super().write(b"" if self.request.command == "HEAD" else data)

    def build_response_header(self) -> bytes:
        """Return the head of the answer: the last on this connection, if the process has to end."""
        if not self.channel.server.accepting:
            self.set_close_on_finish()
        head: bytes = super().build_response_header()
        return head

    def set_close_on_finish(self) -> None:
        """Close the connection after this answer, but not because that has no body, and no length.

        waitress asks for it then.
        """
        asked = self.version != "1.1" or self.request.headers.get("CONNECTION") == "close"
        if self.has_body or asked or not self.channel.server.accepting:
            super().set_close_on_finish()


class Refusal(ErrorTask):
    """Answers what is no request with a problem (RFC 9457), and closes the connection."""

    def execute(self) -> None:
        """Write the answer."""
        status = HTTPStatus(self.request.error.code)
        path: str = getattr(self.request, "path", "/")
        request_id = str(uuid.uuid4())
        detail = self.request.error.body
        logger.info("request refused", request_id=request_id, status=int(status), reason=detail)
        problem = {
            "type": "about:blank",
            "title": status.phrase,
            "status": status,
            "detail": detail,
            "instance": path.encode("latin-1").decode(errors="replace"),
            "request_id": request_id,
        }
        self.status = f"{status} {status.phrase}"
        self.response_headers = [
            ("Content-Type", "application/problem+json"),
            ("X-Content-Type-Options", "nosniff"),
            ("Referrer-Policy", "no-referrer"),
            ("X-Frame-Options", "DENY"),
            ("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'"),
            ("X-Request-ID", request_id),
        ]
        self.set_close_on_finish()
        body = json.dumps(problem).encode()
        self.content_length = len(body)
        self.write(body)


class Channel(HTTPChannel):
    """A connection, whose client has to keep the deadlines."""

    parser_class = Parser
    task_class = Task
    error_task_class = Refusal

    served = 0
    held = False  # there is a next request, which waits until the last answer has been read
    ending = False
    turn: tuple[str, int] | None = None
    since = 0.0

    @property
    def begun(self) -> bool:
        """Whether something of a request has come: blank lines before it are nothing."""
        request = self.request
        return request is not None and bool(request.headers_finished or request.header_plus.strip())

    @property
    def stage(self) -> str:
        """What is under way: what the client has a deadline for, or `work`, which is ours."""
        if self.ending:
            return "end"
        if self.total_outbufs_len:
            return "answer"
        if self.requests:
            return "work"
        if not self.begun:
            return "idle" if self.served else "head"
        return "body" if self.request.headers_finished else "head"

    def expire(self, now: float) -> None:
        """Close the connection if its client has taken too long."""
        turn = self.stage, self.served
        if turn != self.turn:
            self.turn, self.since = turn, now
        elif now - self.since > self.server.deadlines.get(self.stage, math.inf):
            self.ending = True
            self.handle_close()

    def service(self) -> None:
        """Have the next request answered, in a thread of the application."""
        super().service()
        self.served += 1

    def readable(self) -> bool:
        """Tell whether we want to read."""
        return self.connected and (self.ending or super().readable())

    def writable(self) -> bool:
        """Tell whether we want to write."""
        if self.held and not self.total_outbufs_len:
            self.held = False
            self.server.add_task(self)
        return self.connected and not self.ending and super().writable()

    def handle_close(self) -> None:
        """Close the connection; if it was our wish, not before the client does, or its deadline.

        Closed with data unread it would be reset, and the answer lost on its way.
        """
        if self.connected and self.will_close and not self.ending:
            self.ending = True
            with contextlib.suppress(OSError):
                self.socket.shutdown(socket.SHUT_WR)
        else:
            super().handle_close()


class Server(TcpWSGIServer):
    """The connections of one process."""

    channel_class = Channel

    def __init__(
        self,
        application: Callable[..., Iterable[bytes]],
        listener: socket.socket,
        keep_alive: float,
    ) -> None:
        self.deadlines = {**DEADLINES, "idle": keep_alive}
        super().__init__(
            application,
            _sock=listener,
            sockinfo=(listener.family, listener.type),
            bind_socket=False,
            asyncore_use_poll=True,
            cleanup_interval=1,
            clear_untrusted_proxy_headers=False,
            connection_limit=MAX_CONNECTIONS,
            ident=None,
            log_socket_errors=False,
            max_request_body_size=8 * MAX_BODY,  # with what surrounds its chunks
            max_request_header_size=MAX_HEAD,
            threads=THREADS,
        )

    def maintenance(self, _: float) -> None:
        """Close the connections of those who are too slow, and the oldest of too many idle ones."""
        for channel in list(self.active_channels.values()):
            channel.expire(time.monotonic())
        idle = [channel for channel in self.active_channels.values() if channel.stage == "idle"]
        for channel in sorted(idle, key=lambda channel: channel.since)[:-MAX_IDLE]:
            channel.handle_close()

    def add_task(self, channel: Channel) -> None:
        """Have a request answered, but not before the last answer on its connection is read.

        Whoever asks for much and reads nothing is answered once.
        """
        if channel.total_outbufs_len:
            channel.held = True
        else:
            super().add_task(channel)

    def step(self, seconds: float = 0.5) -> None:
        """Do what there is to do, or wait for it at most so long."""
        wasyncore.loop(timeout=seconds, use_poll=True, map=self._map, count=1)

    def stop(self, grace: float) -> None:
        """Stop listening, and serve for some seconds at most whoever has connected by then."""
        while select.select([self.socket], [], [], 0)[0]:
            self.handle_accept()
        wasyncore.dispatcher.close(self)
        told = time.monotonic()
        while self.active_channels and time.monotonic() < told + grace:
            self.step(0.1)
            self.maintenance(0)
            if time.monotonic() > told + LINGER:
                for channel in list(self.active_channels.values()):
                    if channel.stage in {"idle", "head"} and not channel.begun:
                        channel.handle_close()


class Worker(BaseWorker):
    """One of the processes, which gunicorn starts, watches and ends."""

    def run(self) -> None:
        """Serve until it is told to end."""
        # Each time that all threads are busy is nothing to warn of.
        logging.getLogger("waitress.queue").setLevel(logging.ERROR)
        listeners: Any = self.sockets
        server = Server(self.wsgi, listeners[0].sock, self.cfg.keepalive)
        while self.alive and os.getppid() == self.ppid:
            self.notify()
            server.step()
        server.stop(self.cfg.graceful_timeout)
