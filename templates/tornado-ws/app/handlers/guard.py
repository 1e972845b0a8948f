"""What is around every request: its id, a limit on its body, headers, errors as problems."""

import asyncio
import functools
import re
import uuid
from asyncio import Future
from collections.abc import Awaitable
from types import TracebackType
from typing import Any, cast
from urllib.parse import unquote

import structlog
from tornado.http1connection import HTTP1Connection
from tornado.iostream import IOStream, StreamClosedError
from tornado.web import HTTPError, RequestHandler, stream_request_body

from app import cors, csp, proxies
from app.problems import LOST_DATABASE, ProblemError, problem_of

MAX_BODY = 1024 * 1024  # bytes
ANSWER = 30  # seconds for the client to read one

logger = structlog.get_logger()

# The tasks of requests that are not done with, for a process that has to end.
under_way: set[asyncio.Task[Any]] = set()

_METHODS = ("DELETE", "GET", "PATCH", "POST", "PUT")
_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,128}")


@stream_request_body
class GuardedHandler(RequestHandler):
    """A request, its body checked for its size as it arrives, its errors answered as problems."""

    SUPPORTED_METHODS = (*RequestHandler.SUPPORTED_METHODS, "OTHER")

    def initialize(self) -> None:
        """Begin the request: its log lines have its id."""
        self.body = bytearray()
        request, told = self.request, self.request.headers.get
        request.remote_ip = proxies.client(request.remote_ip or "", told("X-Forwarded-For", ""))
        request.protocol = proxies.scheme(request.protocol, told("X-Forwarded-Proto", ""))
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(
            request_id=self.request_id, method=self.request.method, path=self.request.path
        )
        if self.request.method not in self.SUPPORTED_METHODS:
            self.request.method = "OTHER"  # Tornado would refuse it with the body unread

    @functools.cached_property
    def request_id(self) -> str:
        """The request's own id if it will do, else a new one."""
        asked = self.request.headers.get("X-Request-ID", "")
        return asked if _REQUEST_ID.fullmatch(asked) else str(uuid.uuid4())

    @functools.cached_property
    def prefix(self) -> str:
        """The path under which a proxy shows the service."""
        return proxies.prefix(self.request.headers.get("X-Forwarded-Prefix", ""))

    @property
    def media_type(self) -> str:
        """What the body is said to be."""
        return self.request.headers.get("Content-Type", "").partition(";")[0].strip().lower()

    @property
    def stream(self) -> IOStream:
        """The connection."""
        return cast(HTTP1Connection, self.request.connection).stream

    def set_default_headers(self) -> None:
        """Set what every response carries, errors included."""
        self.clear_header("Server")
        self.set_header("X-Request-ID", self.request_id)
        self.set_header("X-Content-Type-Options", "nosniff")
        self.set_header("Referrer-Policy", "no-referrer")
        self.set_header("X-Frame-Options", "DENY")
        self.set_header("Content-Security-Policy", csp.NOTHING)
        request = self.request
        for name, value in cors.headers(request.method or "", request.headers.get).items():
            self.set_header(name, value)

    def compute_etag(self) -> None:
        """Have no answer tagged by Tornado, which would hash each of them."""

    def prepare(self) -> Awaitable[None] | None:
        """Refuse a body that says that it is too large before it is sent."""
        if task := asyncio.current_task():
            under_way.add(task)
            task.add_done_callback(under_way.discard)
        length = self.request.headers.get("Content-Length", "")
        # Python refuses to read a number of thousands of digits.
        if length.isdecimal() and (len(length) > 18 or int(length) > MAX_BODY):
            return self.refuse_body()
        return None

    async def data_received(self, chunk: bytes) -> None:
        """Keep a part of the body."""
        self.body += chunk
        if len(self.body) > MAX_BODY:
            await self.refuse_body()

    async def refuse_body(self) -> None:
        """Answer 413, and read on for a moment before the connection is closed.

        Closed with data unread it would be reset, and the answer lost on its way.
        """
        refusal = ProblemError(413, "The body is larger than 1 MiB.", {"Connection": "close"})
        self.write_problem(refusal)
        await self.flush()
        try:
            async with asyncio.timeout(1):
                while True:
                    await self.stream.read_bytes(64 * 1024, partial=True)
        except (TimeoutError, StreamClosedError):
            self.finish()

    def finish(self, chunk: str | bytes | dict[str, Any] | None = None) -> Future[None]:
        """Send the answer; close the connection if the client does not read it."""
        stream, sent = self.stream, super().finish(chunk)
        if not sent.done():
            timer = asyncio.get_running_loop().call_later(ANSWER, stream.close)
            sent.add_done_callback(lambda _: timer.cancel())
        return sent

    def head(self, *args: str, **kwargs: str) -> Awaitable[None] | None:
        """Answer as if it were GET; Tornado leaves the body out."""
        return self.get(*args, **kwargs)

    def other(self, *_: str, **__: str) -> None:
        """Know no method but those of HTTP."""
        raise HTTPError(405)

    def options(self, *_: str, **__: str) -> None:
        """Tell what the path knows."""
        self.allow()
        self.set_status(204)

    def allow(self) -> None:
        """Name the methods of the path."""
        known = {m for m in _METHODS if _implements(self, m)}
        also = {"HEAD", "OPTIONS"} if "GET" in known else {"OPTIONS"}
        self.set_header("Allow", ", ".join(sorted(known | also)))

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        """Answer an exception with a problem."""
        _, error, _ = kwargs.get("exc_info", (None, None, None))
        problem = problem_of(error, status_code, self.request.method or "")
        if problem.status_code == 405:
            self.allow()
        self.write_problem(problem)
        self.finish()

    def write_problem(self, problem: ProblemError) -> None:
        """Write a problem, whole: it can be flushed before the end."""
        body = problem.body(self.prefix + unquote(self.request.path), self.request_id)
        self.set_status(problem.status_code)
        for name, value in problem.headers.items():
            self.set_header(name, value)
        self.set_header("Content-Type", "application/problem+json")
        self.set_header("Content-Length", len(body))
        self.write(body)

    def log_exception(
        self,
        _: type[BaseException] | None,
        value: BaseException | None,
        __: TracebackType | None,
    ) -> None:
        """Log what is no refusal of ours."""
        if isinstance(value, LOST_DATABASE):
            logger.warning("database out of reach", error=str(value.__cause__ or value))
        elif isinstance(value, HTTPError):
            return
        elif problem_of(value, 500, self.request.method or "").status_code == 500:
            logger.error("unhandled error", exc_info=value)


class UnmatchedHandler(GuardedHandler):
    """Answers what no route matches."""

    def get(self) -> None:
        """Say that there is nothing."""
        raise HTTPError(404)

    head = post = put = patch = delete = options = other = get  # type: ignore[assignment]


def _implements(handler: RequestHandler, method: str) -> bool:
    name = method.lower()
    return getattr(type(handler), name) is not getattr(RequestHandler, name)
