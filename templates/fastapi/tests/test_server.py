"""The server in front of the application: clients who are slow, or leave."""

import asyncio
import socket
import time
from collections.abc import AsyncIterator

import pytest
import uvicorn
from fastapi import FastAPI
from starlette.types import Message, Receive, Scope, Send
from structlog.testing import capture_logs
from uvicorn.server import ServerState

from app import server

LARGE = 8 * 1024 * 1024  # bytes, more than the kernel keeps for a client
HEAD = b"GET / HTTP/1.1\r\nHost: test\r\n"


async def large(_: Scope, receive: Receive, send: Send) -> None:
    """Read the request, and answer something large."""
    while (await receive()).get("more_body"):
        pass
    length = (b"content-length", b"%d" % LARGE)
    await send({"type": "http.response.start", "status": 200, "headers": [length]})
    await send({"type": "http.response.body", "body": b"x" * LARGE})


@pytest.fixture
def state() -> ServerState:
    return ServerState()


@pytest.fixture
async def client(
    monkeypatch: pytest.MonkeyPatch, state: ServerState
) -> AsyncIterator[socket.socket]:
    """Serve with short deadlines; give a connection."""
    monkeypatch.setattr(server, "HEAD", 0.2)
    monkeypatch.setattr(server, "BODY", 0.4)
    monkeypatch.setattr(server, "ANSWER", 0.4)
    config = uvicorn.Config(large, log_config=None, timeout_keep_alive=1)
    config.load()
    served = await asyncio.get_running_loop().create_server(
        lambda: server.Protocol(config, state, {}), "127.0.0.1", 0
    )
    with socket.create_connection(served.sockets[0].getsockname(), timeout=5) as client:
        yield client
    served.close()


def seconds_until_closed(client: socket.socket, drop: bytes) -> float:
    """Wait until the connection is closed, something sent again and again."""
    started = time.monotonic()
    client.settimeout(0.05)
    while True:
        try:
            client.sendall(drop)
            if not client.recv(1024):
                break
        except TimeoutError:
            continue
        except ConnectionError:
            break
    return time.monotonic() - started


def read(client: socket.socket) -> bytes:
    """Read all that there is."""
    with client.makefile("rb") as answers:
        return answers.read()


@pytest.mark.parametrize("drop", [b"", b"x"])
@pytest.mark.parametrize(
    ("sent", "deadline"),
    [(b"", 0.2), (HEAD + b"X-Mine: ", 0.2), (HEAD + b"Content-Length: 9999\r\n\r\n", 0.4)],
    ids=["nothing", "a head", "a body"],
)
async def test_a_client_who_is_slow_is_closed(
    client: socket.socket, sent: bytes, deadline: float, drop: bytes
) -> None:
    client.sendall(sent)

    seconds = await asyncio.to_thread(seconds_until_closed, client, drop if sent else b"")

    assert deadline - 0.1 <= seconds < deadline + 1


async def test_blank_lines_do_not_keep_a_connection(client: socket.socket) -> None:
    client.sendall(HEAD + b"\r\n")
    answer = client.makefile("rb")
    assert len(await asyncio.to_thread(answer.read, LARGE)) == LARGE

    seconds = await asyncio.to_thread(seconds_until_closed, client, b"\r\n")

    answer.close()
    assert 0.9 <= seconds < 2


async def test_a_client_who_does_not_read_is_closed(client: socket.socket) -> None:
    client.sendall(HEAD + b"\r\n")
    await asyncio.sleep(1)

    assert len(await asyncio.to_thread(read, client)) < LARGE


async def test_a_client_who_reads_has_the_answers(client: socket.socket) -> None:
    client.sendall(HEAD + b"\r\n" + HEAD + b"Connection: close\r\n\r\n")

    answers = await asyncio.to_thread(read, client)

    assert answers.count(b"HTTP/1.1 200 OK") == 2
    assert answers.count(b"x") == 2 * LARGE


async def test_what_comes_with_a_head_is_none_of_it(
    client: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "MAX_HEAD", 300)
    client.sendall(HEAD + b"Content-Length: 400\r\n\r\n")
    await asyncio.sleep(0.1)
    client.sendall(b"x" * 400 + HEAD[:9])  # the next one begins with the end of the body
    await asyncio.sleep(0.1)
    client.sendall(HEAD[9:] + b"Connection: close\r\n\r\n")

    assert (await asyncio.to_thread(read, client)).count(b"HTTP/1.1 200 OK") == 2


async def test_a_head_without_end_is_given_up(client: socket.socket) -> None:
    client.sendall(HEAD + b"X-Mine: " + b"x" * server.MAX_HEAD)

    assert await asyncio.to_thread(seconds_until_closed, client, b"") < 0.15


@pytest.mark.parametrize("body", [b"Content-Length: 2\r\n\r\n{}", b"\r\n"])
async def test_a_request_for_another_protocol_is_answered_in_this_one(
    client: socket.socket, body: bytes
) -> None:
    client.sendall(HEAD + b"Upgrade: h2c\r\nConnection: Upgrade\r\n" + body)
    client.sendall(HEAD + b"Connection: close\r\n\r\n")

    assert (await asyncio.to_thread(read, client)).count(b"HTTP/1.1 200 OK") == 2


@pytest.mark.parametrize(
    "sent",
    [
        b"GET / HTTP/1.1\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a/b\r\n\r\n",
        HEAD + HEAD.splitlines(keepends=True)[1] + b"\r\n",
        b"CONNECT test:80 HTTP/1.1\r\nHost: test\r\n\r\n",
        HEAD + b"Transfer-Encoding: gzip, chunked\r\n\r\n",
    ],
    ids=["no host", "a bad host", "two hosts", "a tunnel", "a coding that is not known"],
)
async def test_what_is_no_request_is_refused(client: socket.socket, sent: bytes) -> None:
    client.sendall(sent)

    assert (await asyncio.to_thread(read, client)).startswith(b"HTTP/1.1 400 ")


async def test_an_old_client_names_no_host(client: socket.socket) -> None:
    client.sendall(b"GET / HTTP/1.0\r\n\r\n")

    assert (await asyncio.to_thread(read, client)).startswith(b"HTTP/1.1 200 OK")


async def test_of_too_many_that_are_idle_the_oldest_is_closed(
    client: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "MAX_IDLE", 0)
    client.sendall(HEAD + b"\r\n")

    assert (await asyncio.to_thread(read, client)).startswith(b"HTTP/1.1 200 OK")


@pytest.mark.parametrize("last", [b"", HEAD + b"\r\n"], ids=["nothing", "a request"])
async def test_what_is_on_its_way_when_the_process_ends_is_answered(
    client: socket.socket, state: ServerState, monkeypatch: pytest.MonkeyPatch, last: bytes
) -> None:
    monkeypatch.setattr(server, "LINGER", 0.1)
    monkeypatch.setattr(server, "ANSWER", 30)  # no matter how slow this machine reads
    client.sendall(HEAD + b"\r\n")
    await asyncio.sleep(0.1)
    with client.makefile("rb") as answers:
        first = await asyncio.to_thread(answers.read, LARGE)
        [connection] = state.connections
        connection.shutdown()
        client.sendall(last)
        rest = await asyncio.to_thread(answers.read)

    assert (first + rest).count(b"HTTP/1.1 200 OK") == 1 + bool(last)


async def test_a_client_who_leaves_in_mid_body_is_no_bug(application: FastAPI) -> None:
    messages: list[Message] = [
        {"type": "http.request", "body": b"{", "more_body": True},
        {"type": "http.disconnect"},
    ]
    scope = {
        "type": "http",
        "method": "POST",
        "path": "/api/v1/users",
        "query_string": b"",
        "headers": [(b"content-type", b"application/json")],
    }
    sent: list[Message] = []

    async def receive() -> Message:
        return messages.pop(0)

    async def send(message: Message) -> None:
        sent.append(message)

    with capture_logs() as logs:
        await application(scope, receive, send)

    assert sent == []
    assert [(line["event"], line["status"]) for line in logs] == [("request", 499)]
