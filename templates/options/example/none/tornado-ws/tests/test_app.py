"""A web process, from its start to its end, and how it reads the heads of requests."""

import asyncio
import os
from collections.abc import AsyncIterator

import pytest
from httpx import AsyncClient
from tornado.testing import bind_unused_port
from tornado.web import Application

from app.app import ROUTES, main
from app.handlers.base import BaseHandler
from app.settings import settings

PATIENCE = 20  # seconds
FORM = b"Host: test\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 7\r\n"


async def wait_for(port: int, *, open: bool) -> None:
    """Wait until somebody takes connections there, or until nobody does."""
    while True:
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except ConnectionRefusedError:
            taken = False
        else:
            taken = True
            writer.close()
        if taken == open:
            return
        await asyncio.sleep(0.01)


@pytest.fixture
async def connection(
    client: AsyncClient,
) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """Give a connection to the server that `client` talks to."""
    reader, writer = await asyncio.open_connection("127.0.0.1", client.base_url.port)
    yield reader, writer
    writer.close()
    await writer.wait_closed()


async def test_a_process_that_has_to_end_finishes_what_is_under_way(
    application: Application, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, told = asyncio.Event(), asyncio.Event()

    class SlowHandler(BaseHandler):
        async def get(self) -> None:
            begun.set()
            await told.wait()
            self.answer("{}")

    taken, port = bind_unused_port()
    taken.close()
    monkeypatch.setattr(settings, "port", port)
    monkeypatch.setattr("app.app.LINGER", 0)
    monkeypatch.setitem(ROUTES, "/slow", SlowHandler)
    lifeline, held = os.pipe()
    process = asyncio.create_task(main("127.0.0.1", lifeline))
    async with (
        asyncio.timeout(PATIENCE),
        AsyncClient(base_url=f"http://127.0.0.1:{port}", trust_env=False) as client,
    ):
        await wait_for(port, open=True)
        request = asyncio.create_task(client.get("/slow"))
        await begun.wait()

        os.close(held)
        await wait_for(port, open=False)
        told.set()

        response = await request
        assert (response.status_code, response.headers["Connection"]) == (200, "close")
        await process
    os.close(lifeline)


@pytest.mark.parametrize(
    "head",
    [
        b"GET /healthz HTTP/1.1\r\nHost: a b\r\n\r\n",
        b"GET /\xc3\xa4 HTTP/1.1\r\nHost: test\r\n\r\n",
        b"GET /healthz HTTP/1.1\r\n\r\n",
    ],
    ids=["a host with a blank", "a path beyond ASCII", "no host"],
)
async def test_a_malformed_head_is_a_bad_request(
    connection: tuple[asyncio.StreamReader, asyncio.StreamWriter], head: bytes
) -> None:
    reader, writer = connection
    writer.write(head)

    async with asyncio.timeout(PATIENCE):
        assert (await reader.read()).startswith(b"HTTP/1.1 400 ")


async def test_who_asks_before_the_body_is_told_to_go_on(
    connection: tuple[asyncio.StreamReader, asyncio.StreamWriter],
) -> None:
    reader, writer = connection
    writer.write(b"POST /api/v1/auth/revoke HTTP/1.1\r\n" + FORM + b"Expect: 100-Continue\r\n\r\n")

    async with asyncio.timeout(PATIENCE):
        assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 100 ")
        writer.write(b"token=x")
        assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 200 ")
