"""The server in front of the application: what HTTP/1.1 allows, and idle connections."""

import asyncio

import pytest
from httpx import AsyncClient

from app import server
from app.settings import settings

HEAD = b"GET /healthz HTTP/1.1\r\nHost: test\r\n"
CHUNKED = (
    b"POST /api/v1/auth/revoke HTTP/1.1\r\nHost: test\r\nConnection: close\r\n"
    b"Content-Type: application/x-www-form-urlencoded\r\nTransfer-Encoding: chunked\r\n\r\n"
)
OK = b"HTTP/1.1 200 OK"


async def answers(client: AsyncClient, sent: bytes) -> bytes:
    """Send something, and return what is answered until the server closes the connection."""
    reader, writer = await asyncio.open_connection("127.0.0.1", client.base_url.port)
    writer.write(sent)
    async with asyncio.timeout(5):
        received = await reader.read()
    writer.close()
    return received


@pytest.mark.parametrize(
    "sent",
    [
        b"GET http://test/healthz HTTP/1.1\r\nHost: other\r\nConnection: close\r\n\r\n",
        b"GET /%68ealthz HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n",
        HEAD + b"Connection: x, Close\r\n\r\n",
        CHUNKED + b'5;a="b"\r\ntoken\r\n2\r\n=x\r\n0\r\nX-Checked: yes\r\n\r\n',
    ],
    ids=["a whole address", "an escaped letter", "a list of options", "chunks"],
)
async def test_what_is_allowed_is_understood(client: AsyncClient, sent: bytes) -> None:
    assert (await answers(client, sent)).startswith(OK)


@pytest.mark.parametrize(
    "body",
    [b"x\r\n", b"1\r\nxyz", b"0\r\nno trailer\r\n\r\n", b"ffffffff\r\n"],
    ids=["no size", "a chunk that is too long", "no trailer", "a size that is too large"],
)
async def test_chunks_that_are_malformed_are_refused(client: AsyncClient, body: bytes) -> None:
    assert OK not in await answers(client, CHUNKED + body)


async def test_a_connection_is_closed_when_it_was_idle_for_long(
    client: AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settings, "keep_alive", 0.2)

    assert (await answers(client, HEAD + b"\r\n" + HEAD + b"\r\n")).count(OK) == 2


async def test_of_too_many_that_are_idle_the_oldest_is_closed(
    client: AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "MAX_IDLE", 0)

    assert OK in await answers(client, HEAD + b"\r\n")
