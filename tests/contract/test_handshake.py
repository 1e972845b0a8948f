"""The live feed: who is let in, and how."""

import secrets
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from typing import Any

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from .client import (
    common_headers,
    connect,
    is_uuid,
    problem,
)
from .feed import (
    TEXT,
    Raw,
    Writer,
    close_frame,
    frame,
    handshake,
    listening,
)
from .processes import Process, until
from .service import ADMIN, APP, Service
from .subjects import Subject

pytestmark = [pytest.mark.resources("books"), pytest.mark.usefixtures("with_feed")]

Make = Callable[..., dict[str, Any]]


@pytest.fixture
def feed(subject: Subject) -> str:
    """Give the path of the feed."""
    return subject.feed


@pytest.fixture
def shop(another: tuple[Process, str]) -> str:
    """Give the address of a process that knows two origins."""
    _, base_url = another
    return base_url


def test_who_is_no_browser_needs_no_origin(shop: str, feed: str) -> None:
    """A handshake without `Origin` is let in."""
    with listening(shop, feed) as listener:
        assert listener.is_answered()


@pytest.mark.parametrize("origin", [APP, ADMIN])
def test_a_known_origin_is_let_in(shop: str, origin: str, feed: str) -> None:
    """The origins in `CORS_ORIGINS` are let in."""
    with listening(shop, feed, origin=origin) as listener:
        assert listener.is_answered()


@pytest.mark.smoke
def test_the_own_host_is_let_in(base_url: str, feed: str) -> None:
    """A page of the service itself is let in, with no `CORS_ORIGINS`."""
    with listening(base_url, feed, origin=base_url) as listener:
        assert listener.is_answered()


@pytest.mark.parametrize("host", ["books.example", "books.example:8080"])
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_the_own_host_is_the_requests(base_url: str, host: str, scheme: str, feed: str) -> None:
    """The own host is what the request calls it, also behind a proxy that speaks TLS."""
    with Raw(base_url, path=feed, Host=host, Origin=f"{scheme}://{host}") as peer:
        assert peer.ask(frame(TEXT, b"{}"))["type"] == "error"


FOREIGN = {
    "another host": "https://evil.example",
    "null": "null",
    "any": "*",
    "a file": "file://",
    "another scheme": APP.replace("https", "http"),
    "another port": f"{APP}:8443",
    "no port": ADMIN.removesuffix(":8443"),
    "a longer host": f"{APP}.evil.example",
    "a longer name": APP.replace("app", "evil-app"),
    "a part of the host": "https://example.org",
    "two origins": f"{APP} {ADMIN}",
    "a list": f"{APP}, {ADMIN}",
    "a user": f"{APP}@evil.example",
    "a path": f"https://evil.example/{APP}",
    "a fragment": f"https://evil.example#{APP}",
    "the own name, another port": "http://127.0.0.1:1",
    "the own name, no port": "http://127.0.0.1",
    "the own host as a user": "http://{host}@evil.example",
    "the own host, longer": "http://{host}.evil.example",
    "the own host, one digit more": "http://{host}0",
    "the own host after a blank": "http://evil.example {host}",
    "the own host as a path": "http://evil.example/{host}",
    "the own port of another name": "http://localhost:{port}",
    "the own host without a scheme": "{host}",
}


@pytest.mark.parametrize("kind", FOREIGN)
def test_another_origin_is_refused(shop: str, kind: str, feed: str) -> None:
    """Any other origin is 403, with nothing of a WebSocket."""
    url = httpx.URL(shop)
    origin = FOREIGN[kind].format(host=url.netloc.decode(), port=url.port)
    with connect(shop) as client:
        response = client.get(feed, headers=handshake(Origin=origin))
    problem(response, 403)
    assert "Sec-WebSocket-Accept" not in response.headers


@pytest.mark.parametrize("origin", [APP, "http://localhost:3000", "null"])
def test_by_default_no_other_origin_is_let_in(
    anonymous: httpx.Client, origin: str, feed: str
) -> None:
    """Without `CORS_ORIGINS` only the own host is let in."""
    problem(anonymous.get(feed, headers=handshake(Origin=origin)), 403)


@pytest.mark.smoke
def test_a_plain_request_is_told_to_upgrade(anonymous: httpx.Client, feed: str) -> None:
    """`GET /ws/books` without a handshake is 426, with `Upgrade` (RFC 9110, section 15.5.22)."""
    response = anonymous.get(feed)
    problem(response, 426)
    assert response.headers["Upgrade"] == "websocket"


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_the_feed_takes_get_alone(anonymous: httpx.Client, method: str, feed: str) -> None:
    """Another method is 405 with `Allow`, also with the headers of a handshake."""
    for headers in ({}, handshake()):
        response = anonymous.request(method, feed, headers=headers)
        problem(response, 405)
        assert response.headers["Allow"] == "GET, HEAD, OPTIONS"


BAD_HANDSHAKES: dict[str, dict[str, str | None]] = {
    "no upgrade": {"Upgrade": None},
    "another upgrade": {"Upgrade": "h2c"},
    "no connection": {"Connection": None},
    "another connection": {"Connection": "close"},
    "no version": {"Sec_WebSocket_Version": None},
    "version 8": {"Sec_WebSocket_Version": "8"},
    "version 14": {"Sec_WebSocket_Version": "14"},
    "a version in words": {"Sec_WebSocket_Version": "thirteen"},
    "no key": {"Sec_WebSocket_Key": None},
    "an empty key": {"Sec_WebSocket_Key": ""},
    "a key of 8 bytes": {"Sec_WebSocket_Key": "MDEyMzQ1Njc="},
    "a key of 17 bytes": {"Sec_WebSocket_Key": "MDEyMzQ1Njc4OWFiY2RlZmc="},
    "a key that is no base64": {"Sec_WebSocket_Key": "?" * 24},
}


@pytest.mark.parametrize("kind", BAD_HANDSHAKES)
def test_a_bad_handshake_is_a_problem(anonymous: httpx.Client, kind: str, feed: str) -> None:
    """What RFC 6455, section 4.2, does not allow is 400; 426 is for another protocol or version."""
    response = anonymous.get(feed, headers=handshake(**BAD_HANDSHAKES[kind]))
    problem(response, 426 if "upgrade" in kind or "version" in kind else 400)


@pytest.mark.parametrize("version", ["8", "14"])
def test_another_version_is_told_the_right_one(
    anonymous: httpx.Client, version: str, feed: str
) -> None:
    """RFC 6455, section 4.4: who asks for another version is told that this is 13."""
    response = anonymous.get(feed, headers=handshake(Sec_WebSocket_Version=version))
    problem(response, 426)
    assert response.headers["Sec-WebSocket-Version"] == "13"


@pytest.mark.parametrize(
    "changes",
    [
        {"Upgrade": "WebSocket"},
        {"Connection": "keep-alive, upgrade"},
        {"Sec_WebSocket_Extensions": "permessage-deflate; client_max_window_bits"},
        {"Sec_WebSocket_Extensions": "x-made-up; y=1, another"},
        {"Sec_WebSocket_Extensions": "permessage-deflate; made_up=1"},
        {"Sec_WebSocket_Extensions": "permessage-deflate; server_max_window_bits=99"},
        {"Sec_WebSocket_Extensions": ";;,=,"},
        {"Sec_WebSocket_Protocol": "chat, superchat"},
    ],
    ids=str,
)
def test_a_handshake_may_ask_for_more(base_url: str, changes: dict[str, str], feed: str) -> None:
    """Extensions and protocols that the feed does not have, it does not promise."""
    with Raw(base_url, path=feed, **changes) as peer:
        assert "Sec-WebSocket-Protocol" not in peer.headers
        assert "made" not in peer.headers.get("Sec-WebSocket-Extensions", "")
        assert peer.ask(frame(TEXT, b"{}"))["type"] == "error"


def test_the_answer_to_the_handshake_carries_the_headers(base_url: str, feed: str) -> None:
    """The 101 has the headers of every response, and the request's id or a new one."""
    given = secrets.token_hex(8)
    for headers in ({}, {"X_Request_ID": given}):
        with Raw(base_url, path=feed, **headers) as peer:
            common_headers(httpx.Response(101, headers=peer.headers))
            if headers:
                assert peer.headers.get_list("X-Request-ID") == [given]
            else:
                assert is_uuid(peer.headers["X-Request-ID"])


def test_a_connection_is_one_line_in_the_log(
    service: Service, writers: list[Writer], feed: str
) -> None:
    """The log has one JSON object for the request, and nothing of the secrets in its query."""
    request_id, secret = secrets.token_hex(8), secrets.token_hex(20)

    def logged(of: str) -> list[dict[str, Any]]:
        return [e for e in service.web.events() if e.get("request_id") == of and "status" in e]

    with Raw(service.base_url, path=f"{feed}?token={secret}", X_Request_ID=request_id) as peer:
        [line] = until(lambda: logged(request_id), within=20, failing="nothing is in the log")
        assert (line["method"], line["path"], line["status"]) == ("GET", feed, 101)
        assert 0 <= line["duration_ms"] < 5000
        assert peer.ask(frame(TEXT, b"{}"))["type"] == "error"
        peer.send(close_frame(1000))
        assert peer.end() == ([], 1000)
    for writer in writers:
        later = secrets.token_hex(8)
        writer.get("/healthz", headers={"X-Request-ID": later})
        until(partial(logged, later), within=20, failing="a later request is not in the log")
    assert len(logged(request_id)) == 1
    assert secret not in service.web.output()


@pytest.mark.smoke
def test_connections_are_counted(base_url: str, anonymous: httpx.Client, feed: str) -> None:
    """`http_requests_total{method="GET",route="/ws/books",status="101"}` counts them."""

    def counted() -> float:
        families = text_string_to_metric_families(anonymous.get("/metrics").text)
        labels = {"method": "GET", "route": feed, "status": "101"}
        samples = [sample for family in families for sample in family.samples]
        return sum(s.value for s in samples if "_total" in s.name and s.labels == labels)

    before = counted()
    with ExitStack() as stack:
        for _ in range(8):
            stack.enter_context(listening(base_url, feed))
        # A process may count one just after its answer, when another tells the metrics already.
        until(lambda: counted() >= before + 8, within=2, failing="they are not counted")
        assert counted() == before + 8
    assert counted() == before + 8
