"""A client of the feed."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from httpx import AsyncClient
from tornado.httpclient import HTTPRequest
from tornado.websocket import WebSocketClientConnection, websocket_connect

PATIENCE = 20  # seconds


@asynccontextmanager
async def listening(
    client: AsyncClient, **headers: str
) -> AsyncIterator[WebSocketClientConnection]:
    """Connect to the feed of the server that `client` talks to."""
    url = client.base_url.copy_with(scheme="ws", path="/ws/books")
    connection = await websocket_connect(HTTPRequest(str(url), headers=headers))
    try:
        yield connection
    finally:
        connection.close()


async def hear(connection: WebSocketClientConnection) -> Any:
    """Return the next message, or None at the connection's end."""
    async with asyncio.timeout(PATIENCE):
        message = await connection.read_message()
    return None if message is None else json.loads(message)
