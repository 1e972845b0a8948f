"""What surrounds the application, from the outside in: logs, metrics and headers; limits."""

import asyncio
import re
import time
import uuid
from contextlib import suppress

import structlog
from fastapi import HTTPException
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app import cors, csp, metrics
from app.problems import DETAILS, problem

MAX_BODY = 1024 * 1024  # bytes
TOO_LARGE = "The body is larger than 1 MiB."
CLOSE = {"Connection": "close"}  # for the rest of it may not be read

logger = structlog.get_logger()

_REQUEST_ID = re.compile(rb"[A-Za-z0-9._-]{1,128}")
_HEADERS = [
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"x-frame-options", b"DENY"),
]


class RequestMiddleware:
    """Gives each request an id and its response the standing headers; logs and measures both."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, pure ASGI: context variables set here reach the endpoint."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        asked = next((v for k, v in scope["headers"] if k == b"x-request-id"), b"")
        request_id = asked.decode() if _REQUEST_ID.fullmatch(asked) else str(uuid.uuid4())
        scope.setdefault("state", {})["request_id"] = request_id
        method = scope["method"]
        if method == "HEAD":
            scope = {**scope, "method": "GET"}  # so it is answered; uvicorn leaves the body out
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(
            request_id=request_id, method=method, path=scope["path"]
        )
        started, status = time.perf_counter(), 499  # what is logged when the client went away

        async def send_with_headers(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                own = (b"x-request-id", request_id.encode())
                message["headers"] = [*message["headers"], *_HEADERS, own]
                headers = MutableHeaders(scope=message)
                headers.setdefault("Content-Security-Policy", csp.NOTHING)
                headers.update(cors.headers(method, Headers(scope=scope).get))
            await send(message)

        try:
            await self.app(scope, receive, send_with_headers)
        finally:
            seconds = time.perf_counter() - started
            route = getattr(scope.get("route"), "path_format", None)
            metrics.observe(method, route, status, seconds)
            logger.info("request", status=status, duration_ms=round(seconds * 1000, 2))


class GuardMiddleware:
    """Refuses bodies over 1 MiB; answers an unforeseen exception with a bare 500 and logs it."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request.

        Starlette's `RequestBodyLimitMiddleware` answers in plain text, and closes the connection on
        a client who is still sending: who then finds it reset, and no answer.
        """
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        received, unread = 0, True
        length = next((int(v) for k, v in scope["headers"] if k == b"content-length"), 0)

        async def receive_within_limit() -> Message:
            nonlocal received, unread
            message = await receive()
            received += len(message.get("body", b""))
            unread = message.get("more_body", False)
            if received > MAX_BODY:
                raise HTTPException(413, TOO_LARGE, CLOSE)
            return message

        async def send_and_linger(message: Message) -> None:
            too_large = max(length, received) > MAX_BODY
            if too_large and unread and message["type"] == "http.response.body":
                await send({**message, "more_body": True})
                await discard(receive)
                message = {"type": "http.response.body"}
            await send(message)

        try:
            if length > MAX_BODY:
                await problem(scope, 413, TOO_LARGE, CLOSE)(scope, receive, send_and_linger)
            elif scope["path"].endswith("\n"):  # which Starlette's expressions overlook
                await problem(scope, 404, DETAILS[404])(scope, receive, send)
            else:
                await self.app(scope, receive_within_limit, send_and_linger)
        except ClientDisconnect:
            pass  # there is nobody to answer
        except Exception:
            logger.exception("unhandled error")
            answer = problem(scope, 500, "Something went wrong on our side.")
            await answer(scope, receive, send)


async def discard(receive: Receive) -> None:
    """Read on for a moment before the connection is closed.

    Closed with data unread it would be reset, and the answer lost on its way.
    """
    with suppress(TimeoutError):
        async with asyncio.timeout(1):
            while (await receive()).get("more_body"):
                pass
