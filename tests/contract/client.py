"""What the tests say to a service, and what they make of its answers."""

import itertools
import json
import re
import secrets
import socket
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from http import HTTPStatus
from http.client import HTTPResponse
from threading import Barrier, Event
from typing import Any, TypeVar
from urllib.parse import urlsplit
from uuid import UUID

import httpx
from prometheus_client.parser import text_string_to_metric_families

T = TypeVar("T")

USERS = "/api/v1/users"
ME = "/api/v1/users/me"
TOKEN = "/api/v1/auth/token"
REVOKE = "/api/v1/auth/revoke"
BOOKS = "/api/v1/books"
REPORTS = "/api/v1/reports"

PASSWORD = "correct horse battery"
# Nothing here speaks TLS, and reading the certificates takes longer than a request.
VERIFY = False
# RFC 9110 renamed two phrases; Python knows one or the other, depending on its version.
PHRASES = {413: "Content Too Large", 422: "Unprocessable Content"}
ROWS = ("book", "product")
"""What rows are called whose conditions and owners are asked for."""
# The words of every framework for what has one reason, or few.
DETAILS = {
    401: {"The access token is missing or not valid."},
    403: {
        *(f"Only its creator may change a {row}." for row in ROWS),
        "Cross origin websockets not allowed",
    },
    404: {
        "There is nothing at this path.",
        "No such report.",
        *(f"No such {row}." for row in ROWS),
    },
    405: {"This path knows other methods."},
    412: {f"The {row} has changed since; read it again." for row in ROWS},
    413: {"The body is larger than 1 MiB."},
    415: {"The body must be application/json."},
    422: {"The request is not valid; see errors."},
}


def connect(
    base_url: str, token: str | None = None, *, keep_alive: float = 1, timeout: float = 15
) -> httpx.Client:
    """Make a client, of a user if there is a token.

    It uses a connection again within `keep_alive` seconds: none that the server has dropped.
    """
    limits = httpx.Limits(keepalive_expiry=keep_alive)
    client = httpx.Client(base_url=base_url, limits=limits, timeout=timeout, verify=VERIFY)
    if token:
        client.headers.update(bearer(token))
    return client


def get(url: str, *, timeout: float = 15) -> httpx.Response:
    """Ask for something, once, on a new connection."""
    return httpx.get(url, timeout=timeout, verify=VERIFY)


@contextmanager
def eight(base_url: str, token: str | None = None) -> Iterator[list[httpx.Client]]:
    """Make eight clients, each with connections of its own."""
    with ExitStack() as stack:
        yield [stack.enter_context(connect(base_url, token)) for _ in range(8)]


def token_of(client: httpx.Client) -> str:
    return client.headers["Authorization"].removeprefix("Bearer ")


def register(client: httpx.Client, **fields: Any) -> dict[str, str]:
    """Register a user, and return what the password grant asks for."""
    account = {"email": f"{secrets.token_hex(8)}@example.org", "password": PASSWORD, **fields}
    response = client.post(USERS, json=account)
    assert response.status_code == 201, response.text
    return {"username": account["email"], "password": account["password"]}


def login(client: httpx.Client, credentials: dict[str, str]) -> dict[str, Any]:
    """Trade a password for a pair of tokens."""
    response = client.post(TOKEN, data={"grant_type": "password", **credentials})
    assert response.status_code == 200, response.text
    return response.json()


def signed_in(base_url: str) -> httpx.Client:
    """Register somebody new, and return a client that is signed in as them."""
    with connect(base_url) as client:
        return connect(base_url, login(client, register(client))["access_token"])


def talkative(base_url: str) -> httpx.Client:
    """Return a client who says much of themselves with each request: see `told_by`."""
    client = connect(base_url)
    account = register(client)
    client.headers.update(
        {
            "Authorization": f"Bearer {login(client, account)['access_token']}",
            "Cookie": "session=that-of-another-page",
            "User-Agent": account["username"],
            "X-Forwarded-For": "203.0.113.9",
        }
    )
    return client


def told_by(user: httpx.Client) -> list[str]:
    """Return all that a client says of themselves."""
    headers = ("Cookie", "User-Agent", "X-Forwarded-For")
    token = user.headers["Authorization"].removeprefix("Bearer ")
    return [token, *(user.headers[name] for name in headers)]


def refresh(client: httpx.Client, token: str) -> httpx.Response:
    return client.post(TOKEN, data={"grant_type": "refresh_token", "refresh_token": token})


def renew(client: httpx.Client, pair: dict[str, Any]) -> dict[str, Any]:
    """Trade the tokens of a pair for new ones, which is cheap: no password is hashed."""
    response = refresh(client, pair["refresh_token"])
    assert response.status_code == 200, response.text
    pair |= response.json()
    return pair


def signed_in_again(base_url: str, pair: dict[str, Any]) -> httpx.Client:
    """Return a client that is signed in for the next 15 minutes as somebody known."""
    with connect(base_url) as client:
        return connect(base_url, renew(client, pair)["access_token"])


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def isbn() -> str:
    """Make up an ISBN with a right check digit."""
    digits = f"97{secrets.randbelow(10**10):010d}"
    total = sum(int(digit) * weight for digit, weight in zip(digits, itertools.cycle((1, 3))))
    return f"{digits}{-total % 10}"


def book(**fields: Any) -> dict[str, Any]:
    """Make the body of a book that is valid but for the fields given."""
    return {
        "title": "The Dispossessed",
        "author": f"Ursula K. Le Guin {secrets.token_hex(4)}",
        "publication_date": "1974-05-01",
        **fields,
    }


def page_of(client: httpx.Client, **parameters: Any) -> list[dict[str, Any]]:
    """Return the items of one page of the list."""
    response = client.get(BOOKS, params=parameters)
    assert response.status_code == 200, response.text
    return response.json()["items"]


def prompt(seconds: Iterable[float], *, limit: float) -> bool:
    """Tell whether no more than one answer, or one in twenty, took as many seconds as `limit`.

    The machine runs other tests too, and holds up one at times; what waits in the service holds
    up each.
    """
    took = [*seconds]
    return len(took) > 1 and sum(each >= limit for each in took) <= max(1, len(took) // 20)


def at_once(calls: list[Callable[[], T]]) -> list[T]:
    """Make all the calls at the same moment, each in a thread of its own."""
    barrier = Barrier(len(calls))

    def run(call: Callable[[], T]) -> T:
        barrier.wait()
        return call()

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(run, calls))


@dataclass
class Load:
    """What has become of the requests of a few clients so far."""

    answers: list[httpx.Response] = field(default_factory=list)
    broken: list[tuple[float, str]] = field(default_factory=list)

    @property
    def statuses(self) -> set[int]:
        return {answer.status_code for answer in self.answers}

    def broken_before(self, moment: float) -> list[str]:
        """Return the failures of what began before a moment of `time.monotonic()`."""
        return [error for began, error in self.broken if began < moment]


@contextmanager
def load(base_url: str, path: Callable[[], str], *, clients: int = 8) -> Iterator[Load]:
    """Have clients get one path after the other, each on a connection of its own."""
    found, ended = Load(), Event()

    def ask() -> None:
        with connect(base_url, keep_alive=0) as client:
            while not ended.is_set():
                began = time.monotonic()
                try:
                    found.answers.append(client.get(path()))
                except httpx.TransportError as error:
                    # A connection is refused at the end of the try, however early that began.
                    refused = isinstance(error, httpx.ConnectError)
                    found.broken.append((time.monotonic() if refused else began, repr(error)))
                    time.sleep(0.01)

    with ThreadPoolExecutor(clients) as pool:
        running = [pool.submit(ask) for _ in range(clients)]
        try:
            yield found
        finally:
            ended.set()
        for future in running:
            future.result()


def problem(response: httpx.Response, expected: int) -> dict[str, Any]:
    """Check that an answer is an RFC 9457 problem of a status; return it."""
    assert response.status_code == expected, f"{response.status_code}: {response.text[:500]}"
    assert response.headers["Content-Type"] == "application/problem+json"
    body = response.json()
    status = HTTPStatus(response.status_code)
    assert {*body} - {"errors"} == {"type", "title", "status", "detail", "instance", "request_id"}
    assert body["status"] == status
    if body["type"] == "about:blank":
        assert body["title"] in {status.phrase, PHRASES.get(status)}
    else:
        assert urlsplit(body["type"]).scheme
        assert body["title"]
    assert isinstance(body["detail"], str)
    assert body["detail"] in DETAILS.get(expected, {body["detail"]} - {""})
    assert body["request_id"] == response.headers["X-Request-ID"]
    common_headers(response)
    return body


def invalid_fields(response: httpx.Response) -> set[str]:
    """Check that an answer is a 422 that explains itself; return the fields that it names."""
    errors = problem(response, 422)["errors"]
    assert all({*error} == {"field", "message"} and error["message"] for error in errors)
    return {error["field"] for error in errors}


def oauth_error(response: httpx.Response, code: str) -> None:
    """Check that an answer is an error of RFC 6749 section 5.2."""
    assert response.status_code == 400, f"{response.status_code}: {response.text[:500]}"
    assert response.headers["Content-Type"] == "application/json"
    body = response.json()
    assert (body["error"], {*body}) == (code, {"error", "error_description"})


def common_headers(response: httpx.Response, *, framed: bool = False) -> None:
    """Check the headers that every response carries; `framed` where it is a page for people."""
    assert re.fullmatch(r"[A-Za-z0-9._-]{1,128}", response.headers["X-Request-ID"])
    assert response.headers.get_list("X-Content-Type-Options") == ["nosniff"]
    assert response.headers.get_list("Referrer-Policy") == ["no-referrer"]
    if not framed:
        assert response.headers.get_list("X-Frame-Options") == ["DENY"]
        assert policy_of(response) == {"default-src": ["'none'"], "frame-ancestors": ["'none'"]}
        assert "Cross-Origin-Opener-Policy" not in response.headers
    assert not re.search(r"[/0-9]", response.headers.get("Server", ""))


def policy_of(response: httpx.Response) -> dict[str, list[str]]:
    """Return what the `Content-Security-Policy` of an answer says, by directive."""
    [policy] = response.headers.get_list("Content-Security-Policy")
    directives = [directive.split() for directive in policy.split(";")]
    assert len({name for name, *_ in directives}) == len(directives)
    return {name: sources for name, *sources in directives}


def is_uuid(text: str) -> bool:
    try:
        return str(UUID(text)) == text.lower()
    except ValueError:
        return False


def utc(text: str) -> datetime:
    """Read an RFC 3339 time in UTC."""
    pattern = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{6})?Z"
    assert re.fullmatch(pattern, text), f"{text!r} is no RFC 3339 time in UTC"
    moment = datetime.fromisoformat(text)
    assert moment.utcoffset() == timedelta(0)
    return moment


def raw(base_url: str, request: bytes, *, half_close: bool = False) -> httpx.Response:
    """Send bytes that no well-behaved client would send, and read the answer."""
    url = urlsplit(base_url)
    with socket.create_connection((url.hostname, url.port), timeout=15) as sock:
        sock.sendall(request)
        if half_close:
            with suppress(OSError):  # which the server has closed already
                sock.shutdown(socket.SHUT_WR)
        answer = HTTPResponse(sock, method=request.split(b" ", 1)[0].decode("latin-1"))
        answer.begin()
        with answer:
            return httpx.Response(answer.status, headers=answer.getheaders(), content=answer.read())


def raw_post(
    base_url: str, path: str, body: bytes, *, token: str | None = None, **headers: str
) -> httpx.Response:
    """Post a body as it is; underscores in the names of headers stand for hyphens."""
    fields = {"Content_Type": "application/json", "Content_Length": str(len(body)), **headers}
    if token:
        fields["Authorization"] = f"Bearer {token}"
    lines = [f"{name.replace('_', '-')}: {value}\r\n" for name, value in fields.items()]
    head = f"POST {path} HTTP/1.1\r\nHost: test\r\nConnection: close\r\n{''.join(lines)}\r\n"
    return raw(base_url, head.encode("latin-1") + body)


def compact(body: Any) -> bytes:
    return json.dumps(body).encode()


def samples(client: httpx.Client, name: str, **labels: str) -> dict[tuple[str, ...], float]:
    """Return the values of a metric's samples that carry the labels, by the rest of theirs."""
    families = text_string_to_metric_families(client.get("/metrics").text)
    return {
        tuple(value for key, value in sorted(sample.labels.items()) if key not in labels): (
            sample.value
        )
        for family in families
        for sample in family.samples
        if sample.name == name and labels.items() <= sample.labels.items()
    }


def total(client: httpx.Client, **labels: str) -> float:
    """Return how many requests with the labels have been counted."""
    return sum(samples(client, "http_requests_total", **labels).values())
