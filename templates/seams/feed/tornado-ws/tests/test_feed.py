"""The live feed: who is told of what, who is let in, and who is cut off."""

import asyncio
import json
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

import pytest
from httpx import AsyncClient
from sqlalchemy.ext.asyncio import AsyncSession
from tornado.httpclient import HTTPClientError
from tornado.testing import bind_unused_port
from tornado.web import Application
from tornado.websocket import WebSocketClientConnection, websocket_connect

from app.app import main
from app.hub import Hub, hub
from app.models import Book, User
from app.schemas import Book as ShownBook
from app.settings import settings
from tests.factories import ISBN, book_body, new_book
from tests.feed import PATIENCE, hear, listening
from tests.fixtures import finish_requests

URL = "/api/v1/books"


async def ask(connection: WebSocketClientConnection, message: Any) -> Any:
    """Send a message, as JSON if it is no text; return the answer."""
    ready = isinstance(message, str | bytes)
    await connection.write_message(
        message if ready else json.dumps(message), binary=isinstance(message, bytes)
    )
    return await hear(connection)


def wanted(*authors: str) -> dict[str, Any]:
    """Return the message that asks for these authors' books alone."""
    return {"action": "filter", "authors": [*authors]}


class TestChanges:
    async def test_every_client_is_told_of_every_change(
        self, client: AsyncClient, auth_headers: dict[str, str]
    ) -> None:
        async with listening(client) as first, listening(client) as second:
            created = await client.post(URL, json=book_body(), headers=auth_headers)
            url = created.headers["Location"]
            replaced = await client.put(url, json=book_body(title="New"), headers=auth_headers)
            changed = await client.patch(url, json={"author": "N."}, headers=auth_headers)
            await client.delete(url, headers=auth_headers)

            for listener in (first, second):
                assert [await hear(listener) for _ in range(4)] == [
                    {"type": "book.created", "book": created.json()},
                    {"type": "book.updated", "book": replaced.json()},
                    {"type": "book.updated", "book": changed.json()},
                    {"type": "book.deleted", "book": changed.json()},
                ]

    async def test_nobody_is_told_of_a_change_that_was_refused(
        self, client: AsyncClient, auth_headers: dict[str, str], book: Book
    ) -> None:
        taken = book_body(isbn=ISBN)
        await client.post(URL, json=taken, headers=auth_headers)

        async with listening(client) as listener:
            for method, url in (("POST", URL), ("PATCH", f"{URL}/{book.id}")):
                refused = await client.request(method, url, json=taken, headers=auth_headers)
                assert refused.status_code == 409
            await client.delete(f"{URL}/{book.id}", headers=auth_headers)

            assert (await hear(listener))["type"] == "book.deleted"

    async def test_nobody_is_told_of_what_was_taken_back(
        self, client: AsyncClient, session: AsyncSession, user: User, book: Book
    ) -> None:
        """That is by the end of a savepoint, of one within another, or of the transaction."""
        async with listening(client) as listener:
            kept, inner, outer = (new_book(user, isbn=None) for _ in range(3))
            async with session.begin_nested():
                session.add(kept)
            savepoint = await session.begin_nested()
            session.add(outer)
            async with session.begin_nested():
                session.add(inner)
            await savepoint.rollback()
            await session.commit()
            number = kept.id
            book.title = "Taken back"
            await session.flush()
            await session.rollback()
            await session.refresh(book)
            await session.delete(book)
            await session.commit()

            heard = [await hear(listener) for _ in range(2)]
            assert [(change["type"], change["book"]["id"]) for change in heard] == [
                ("book.created", number),
                ("book.deleted", book.id),
            ]

    async def test_whoever_leaves_is_forgotten(self, client: AsyncClient) -> None:
        async with listening(client):
            assert len(hub.clients) == 1

        await finish_requests()

        assert not hub.clients

    async def test_a_filter_lets_through_what_its_authors_have_written(
        self, client: AsyncClient, auth_headers: dict[str, str]
    ) -> None:
        async with listening(client) as listener:
            answer = await ask(listener, wanted("JANE Austen", "Nobody"))
            for author in ("Ursula K. Le Guin", "Jane Austen"):
                await client.post(URL, json=book_body(author=author), headers=auth_headers)

            assert answer == {"type": "filter", "authors": ["JANE Austen", "Nobody"]}
            assert (await hear(listener))["book"]["author"] == "Jane Austen"

    async def test_an_empty_list_ends_the_filter(
        self, client: AsyncClient, auth_headers: dict[str, str]
    ) -> None:
        async with listening(client) as listener:
            await ask(listener, wanted("Jane Austen"))

            answer = await ask(listener, wanted())

            await client.post(URL, json=book_body(), headers=auth_headers)
            assert answer == {"type": "filter", "authors": []}
            assert (await hear(listener))["type"] == "book.created"


class TestMessages:
    @pytest.mark.parametrize(
        "message",
        [
            "",
            "filter",
            "[]",
            "[" * 4096,
            {"action": "dance"},
            {"action": "filter"},
            {"action": "filter", "authors": "Jane Austen"},
            {"action": "filter", "authors": [1]},
            {"action": "filter", "authors": ["\ud800"]},
            {"action": "filter", "authors": [], "until": "tomorrow"},
            b'{"action": "filter", "authors": []}',
        ],
        ids=lambda message: repr(message)[:50],
    )
    async def test_an_error_leaves_the_connection_and_its_filter_as_they_were(
        self, client: AsyncClient, auth_headers: dict[str, str], message: Any
    ) -> None:
        async with listening(client) as listener:
            await ask(listener, wanted("Jane Austen"))

            answer = await ask(listener, message)

            assert answer.keys() == {"type", "detail"}
            assert answer["type"] == "error"
            for author in ("Ursula K. Le Guin", "Jane Austen"):
                await client.post(URL, json=book_body(author=author), headers=auth_headers)
            assert (await hear(listener))["book"]["author"] == "Jane Austen"

    async def test_a_message_has_up_to_4_kib(self, client: AsyncClient) -> None:
        async with listening(client) as listener:
            assert (await ask(listener, json.dumps(wanted()).ljust(4096)))["type"] == "filter"
            assert await ask(listener, json.dumps(wanted()).ljust(4097)) is None
            assert listener.close_code == 1009


class TestHandshake:
    async def test_pages_of_the_service_and_of_known_origins_are_let_in(
        self, client: AsyncClient
    ) -> None:
        for origin in (str(client.base_url), "https://shop.example"):
            async with listening(client, Origin=origin) as listener:
                assert (await ask(listener, wanted()))["type"] == "filter"

    @pytest.mark.parametrize("origin", ["https://evil.example", "http://127.0.0.1", "null"])
    async def test_pages_of_other_origins_are_refused(
        self, client: AsyncClient, origin: str
    ) -> None:
        with pytest.raises(HTTPClientError, match="HTTP 403"):
            async with listening(client, Origin=origin):
                pass

    @pytest.mark.parametrize(
        "headers",
        [{}, {"Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Version": "8"}],
        ids=["none at all", "another version"],
    )
    async def test_who_asks_for_no_websocket_is_told_that_this_is_one(
        self, client: AsyncClient, headers: dict[str, str]
    ) -> None:
        response = await client.get("/ws/books", headers=headers)

        assert response.status_code == 426
        assert response.headers["Upgrade"] == "websocket"
        assert response.headers["Sec-WebSocket-Version"] == "13"
        assert response.headers["Content-Type"] == "application/problem+json"

    async def test_a_handshake_needs_a_key(self, client: AsyncClient) -> None:
        headers = {"Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Version": "13"}

        response = await client.get("/ws/books", headers=headers)

        assert response.status_code == 400
        assert response.headers["Content-Type"] == "application/problem+json"


class Peer:
    """A client that writes its frames by hand, and answers nothing by itself."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    async def closed(self) -> int:
        """Read pings, and then a close frame; return the code that it gives."""
        async with asyncio.timeout(PATIENCE):
            while (head := await self.reader.readexactly(2)) == b"\x89\x00":
                pass
            payload = await self.reader.readexactly(head[1])
        assert head[0] == 0x88
        return int.from_bytes(payload[:2], "big")


@asynccontextmanager
async def connected(client: AsyncClient) -> AsyncIterator[Peer]:
    """Connect a peer to the feed of the server that `client` talks to."""
    host, port = client.base_url.host, client.base_url.port
    reader, writer = await asyncio.open_connection(host, port)
    writer.write(
        f"GET /ws/books HTTP/1.1\r\nHost: {host}:{port}\r\n"
        "Connection: Upgrade\r\nUpgrade: websocket\r\n"
        "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n".encode()
    )
    try:
        assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 101 ")
        yield Peer(reader, writer)
    finally:
        writer.close()
        await writer.wait_closed()


class TestBadCompany:
    @pytest.mark.parametrize(
        "frame",
        [
            pytest.param(b"\xca\x80\0\0\0\0", id="a reserved bit"),
            pytest.param(b"\x83\x80\0\0\0\0", id="an opcode that means nothing"),
        ],
    )
    async def test_a_frame_against_the_rules_ends_the_connection(
        self, client: AsyncClient, frame: bytes
    ) -> None:
        async with connected(client) as peer:
            peer.writer.write(frame)

            async with asyncio.timeout(PATIENCE):
                assert await peer.reader.read() == b""

    async def test_a_silent_peer_is_given_up(
        self,
        application: Application,
        client: AsyncClient,
        auth_headers: dict[str, str],
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        monkeypatch.setitem(application.settings, "websocket_ping_interval", 0.5)

        async with connected(client) as silent, listening(client) as answering:
            assert await silent.closed() == 1000
            created = await client.post(URL, json=book_body(), headers=auth_headers)
            assert created.status_code == 201
            assert (await hear(answering))["type"] == "book.created"

    async def test_a_client_that_does_not_read_is_cut_off_and_holds_up_nobody(
        self, client: AsyncClient, book: Book
    ) -> None:
        long = ShownBook.model_validate(book).model_copy(update={"title": "x" * 50_000})

        async with listening(client) as idle, listening(client) as reader:
            for number in range(500):
                await hub.publish("book.updated", long.model_copy(update={"id": number}))
                assert (await hear(reader))["book"]["id"] == number

            kept = 0
            while await hear(idle) is not None:
                kept += 1
            assert idle.close_code == 1013
            assert 256 <= kept < 500


async def test_the_page_at_the_root_connects_to_the_feed(client: AsyncClient) -> None:
    response = await client.get("/")

    assert response.headers["Content-Type"].startswith("text/html")
    assert '"ws/books"' in response.text


async def test_clients_are_told_when_the_process_ends(
    application: Application, monkeypatch: pytest.MonkeyPatch
) -> None:
    socket, port = bind_unused_port()
    socket.close()
    monkeypatch.setattr(settings, "port", port)
    own = Hub(str(settings.redis_url))
    monkeypatch.setattr("app.app.hub", own)
    monkeypatch.setattr("app.handlers.feed.hub", own)
    lifeline, held = os.pipe()
    process = asyncio.create_task(main("127.0.0.1", lifeline))
    listener = None
    async with asyncio.timeout(PATIENCE):
        while listener is None:  # it does not listen at once
            with suppress(ConnectionRefusedError):
                listener = await websocket_connect(f"ws://127.0.0.1:{port}/ws/books")
            await asyncio.sleep(0.01)

    os.close(held)

    assert await hear(listener) is None
    assert listener.close_code == 1001
    listener.close()
    await process
    os.close(lifeline)
