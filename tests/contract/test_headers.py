"""Headers: what every answer carries, and whom CORS answers."""

import re
import secrets
from base64 import b64encode
from collections.abc import Callable, Iterator
from hashlib import sha256

import httpx
import pytest

from .client import (
    BOOKS,
    ME,
    REVOKE,
    TOKEN,
    USERS,
    book,
    common_headers,
    connect,
    is_uuid,
    policy_of,
    problem,
    signed_in,
)
from .processes import Process
from .service import ADMIN, APP, Target
from .smoke import some

Ask = Callable[[httpx.Client], httpx.Response]

ANSWERS: dict[str, tuple[int, Ask]] = {
    "a check": (200, lambda c: c.get("/healthz")),
    "readiness": (200, lambda c: c.get("/readyz")),
    "metrics": (200, lambda c: c.get("/metrics")),
    "the document": (200, lambda c: c.get("/openapi.json")),
    "a list": (200, lambda c: c.get(BOOKS)),
    "a creation": (201, lambda c: c.post(BOOKS, json=book())),
    "a deletion": (204, lambda c: c.delete(c.post(BOOKS, json=book()).headers["Location"])),
    "no news": (304, lambda c: read_again(c, c.post(BOOKS, json=book()).headers["Location"])),
    "a token error": (400, lambda c: c.post(TOKEN, data={"grant_type": "x"})),
    "a revocation": (200, lambda c: c.post(REVOKE, data={"token": "x"})),
    "no JSON": (400, lambda c: c.post(USERS, content=b"{", headers=JSON)),
    "no token": (401, lambda c: c.get(ME, headers={"Authorization": ""})),
    "no path": (404, lambda c: c.get("/nowhere")),
    "no book": (404, lambda c: c.get(f"{BOOKS}/{2**62}")),
    "a wrong method": (405, lambda c: c.delete("/healthz")),
    "too much": (413, lambda c: c.post(USERS, content=b" " * 1_100_000, headers=JSON)),
    "another type": (415, lambda c: c.post(USERS, content=b"{}")),
    "no valid body": (422, lambda c: c.post(USERS, json={})),
    "no valid parameter": (422, lambda c: c.get(BOOKS, params={"page": 0})),
}
JSON = {"Content-Type": "application/json"}


def read_again(client: httpx.Client, path: str) -> httpx.Response:
    return client.get(path, headers={"If-None-Match": client.get(path).headers["ETag"]})


@pytest.mark.parametrize("kind", some(ANSWERS, "a check", "a wrong method"))
def test_every_answer_carries_the_headers(user: httpx.Client, kind: str) -> None:
    """Every response has a request id and the security headers, and tells no server's version."""
    status, ask = ANSWERS[kind]
    response = ask(user)
    assert response.status_code == status
    common_headers(response)
    assert is_uuid(response.headers["X-Request-ID"])


@pytest.mark.parametrize("path", ["/docs", "/redoc"])
def test_the_pages_on_the_document_carry_the_headers(anonymous: httpx.Client, path: str) -> None:
    """They have them too; a policy of their own in the place of that which allows nothing."""
    response = anonymous.get(path)
    common_headers(response, framed=True)
    assert response.headers.get_list("X-Frame-Options") == ["DENY"]


@pytest.mark.parametrize("path", ["/docs", "/redoc", "/"])
def test_a_page_runs_what_it_holds_and_nothing_else(
    anonymous: httpx.Client, target: Target, path: str
) -> None:
    """A page's `Content-Security-Policy` names its scripts one by one, and no other host."""
    response = anonymous.get(path)
    if path == "/" and not target.has_feed:
        problem(response, 404)
        return
    policy = policy_of(response)
    for directive in ("default-src", "base-uri", "frame-ancestors"):
        assert policy[directive] == ["'none'"]
    assert policy["connect-src"] == ["'self'"]
    for directive in ("script-src", "style-src"):
        for source in policy[directive]:
            assert re.fullmatch(r"'self'|'sha256-.{44}'", source)
    assert policy["img-src"] == policy["font-src"] == ["data:"]
    held = re.findall(r"<script[^>]*>(.*?)</script>", response.text, re.S)
    assert any(held) == (path != "/redoc")
    for text in filter(None, held):
        digest = b64encode(sha256(text.encode()).digest()).decode()
        assert f"'sha256-{digest}'" in policy["script-src"]


@pytest.mark.parametrize(
    "given", some(["a", "x" * 128, "Az09._-", "550e8400-e29b-41d4-a716-446655440000"], "Az09._-")
)
def test_a_good_request_id_is_kept(anonymous: httpx.Client, given: str) -> None:
    """`X-Request-ID` is the request's own if it is 1 to 128 of `[A-Za-z0-9._-]`."""
    response = anonymous.get("/healthz", headers={"X-Request-ID": given})
    assert response.headers.get_list("X-Request-ID") == [given]


@pytest.mark.parametrize(
    "given",
    some(
        [b"", b"x" * 129, b"a b", b"a/b", b"<script>", b"a\tb", b"a,b", "é".encode(), b"a;b"],
        b"a b",
    ),
)
def test_a_bad_request_id_is_replaced(anonymous: httpx.Client, given: bytes) -> None:
    """Any other `X-Request-ID` is replaced by a new UUID."""
    response = anonymous.get("/healthz", headers={b"X-Request-ID": given})
    assert is_uuid(response.headers["X-Request-ID"])


def test_every_request_has_an_id_of_its_own(anonymous: httpx.Client) -> None:
    """Where the request brings no id each answer has a new UUID."""
    ids = {anonymous.get("/healthz").headers["X-Request-ID"] for _ in range(5)}
    assert len(ids) == 5


def preflight(
    client: httpx.Client, origin: str | None = None, method: str = "PATCH"
) -> httpx.Response:
    headers = {
        **({"Origin": origin} if origin else {}),
        "Access-Control-Request-Method": method,
        "Access-Control-Request-Headers": "authorization, content-type, if-match",
    }
    return client.options(f"{BOOKS}/1", headers=headers)


def cors(response: httpx.Response) -> dict[str, str]:
    return {k: v for k, v in response.headers.items() if k.startswith("access-control-")}


def unanswered(client: httpx.Client, origin: str) -> None:
    """Check that an origin learns nothing: a preflight of its is like any `OPTIONS`."""
    assert cors(client.get(BOOKS, headers={"Origin": origin})) == {}
    response = preflight(client, origin)
    assert (response.status_code, cors(response)) == (204, {})


@pytest.mark.parametrize(
    "origin", some([APP, "https://evil.example", "null", "http://localhost:3000"], APP)
)
def test_no_origin_is_answered_by_default(anonymous: httpx.Client, origin: str) -> None:
    """Without `CORS_ORIGINS` no origin is answered, not even in a preflight."""
    unanswered(anonymous, origin)


@pytest.fixture(scope="module")
def browser(another: tuple[Process, str]) -> Iterator[httpx.Client]:
    """Reach a process that knows two origins."""
    _, base_url = another
    with connect(base_url) as client:
        yield client


@pytest.fixture(scope="module")
def visitor(another: tuple[Process, str]) -> Iterator[httpx.Client]:
    """Reach that process as one of its users."""
    _, base_url = another
    with signed_in(base_url) as client:
        yield client


@pytest.mark.parametrize("origin", [APP, ADMIN])
@pytest.mark.parametrize("path", [BOOKS, ME, "/nowhere"])
def test_a_known_origin_is_answered(
    browser: httpx.Client, target: Target, origin: str, path: str
) -> None:
    """CORS answers the origins in `CORS_ORIGINS`, errors included: a page may read the headers."""
    response = browser.get(path, headers={"Origin": origin})
    assert cors(response) == {
        "access-control-allow-origin": origin,
        "access-control-expose-headers": exposed(target),
    }
    common_headers(response)


MORE: dict[str, tuple[int, Ask]] = {
    "a preflight": (204, preflight),
    "its method alone": (204, lambda c: c.options(BOOKS)),
    "the page of the docs": (200, lambda c: c.get("/docs")),
    "the first page": (404, lambda c: c.get("/")),
}


@pytest.mark.parametrize("kind", ANSWERS | MORE)
@pytest.mark.parametrize("origin", [None, APP, "https://evil.example"])
def test_every_answer_varies_by_origin(
    visitor: httpx.Client, target: Target, kind: str, origin: str | None
) -> None:
    """`Vary` is `Origin` in every answer, for caches would show it to others too.

    Also in one to a request without it (Fetch, "CORS protocol and HTTP caches").
    """
    status, ask = (ANSWERS | MORE)[kind]
    visitor.headers.pop("Origin", None)
    visitor.headers.update({"Origin": origin} if origin else {})
    response = ask(visitor)
    shown = kind == "the first page" and target.has_feed
    assert response.status_code == (200 if shown else status)
    assert response.headers.get_list("Vary") == ["Origin"]
    allowed = response.headers.get_list("Access-Control-Allow-Origin")
    assert allowed == ([origin] if origin == APP else [])


def test_by_default_no_answer_varies_by_origin(anonymous: httpx.Client) -> None:
    """Without `CORS_ORIGINS` there is one answer for all origins, and caches may keep one."""
    response = anonymous.get(BOOKS, headers={"Origin": APP})
    assert "Vary" not in response.headers


@pytest.mark.parametrize(
    "origin",
    [
        "https://evil.example",
        "null",
        "*",
        APP.upper(),
        APP.upper().replace("HTTPS", "http"),
        APP.replace("https", "http"),
        f"{APP}.evil.example",
        f"{APP}:8443",
        f"{APP}/",
        "https://evil-app.example.org",
        ADMIN.removesuffix(":8443"),
        f"{APP}, {ADMIN}",
    ],
)
def test_an_unknown_origin_is_not_answered(browser: httpx.Client, origin: str) -> None:
    """CORS answers only the origins in `CORS_ORIGINS`, and nothing that resembles them."""
    unanswered(browser, origin)


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE"])
def test_a_preflight_allows_what_the_api_takes(
    browser: httpx.Client, target: Target, method: str
) -> None:
    """A preflight from a known origin is 204, and allows every method and header of the API."""
    response = preflight(browser, APP, method)
    assert response.status_code == 204
    assert response.headers["Allow"] == "DELETE, GET, HEAD, OPTIONS, PATCH, PUT"
    assert cors(response) == {
        "access-control-allow-origin": APP,
        "access-control-allow-methods": "DELETE, GET, PATCH, POST, PUT",
        "access-control-allow-headers": (
            "Authorization, Content-Type, If-Match, If-None-Match, X-Request-ID"
        ),
        "access-control-max-age": "600",
        "access-control-expose-headers": exposed(target),
    }
    common_headers(response)


def exposed(target: Target) -> str:
    return f"ETag, Link, Location, {'X-Cache, ' * target.has_cache}X-Request-ID"


def test_no_request_without_an_origin_is_answered_with_cors(browser: httpx.Client) -> None:
    """Who is no browser sees nothing of CORS."""
    assert cors(browser.get(BOOKS)) == {}


def test_an_id_is_not_taken_from_another_request(anonymous: httpx.Client) -> None:
    """An id that one request brought is not the next one's, on the same connection."""
    given = secrets.token_hex(8)
    anonymous.get("/healthz", headers={"X-Request-ID": given})
    assert anonymous.get("/healthz").headers["X-Request-ID"] != given
