"""The `Host` of a request is the client's word: no answer repeats it, or leads there."""

from contextlib import suppress

import httpx
import pytest

from .client import BOOKS, ME, USERS, book

HOSTS = ["evil.example", "evil.example:8080", "127.0.0.1@evil.example", "127.0.0.1.evil.example"]


def named(host: str) -> dict[str, str]:
    """Return what names a host, in each of the ways that proxies know."""
    names = ("Host", "X-Forwarded-Host", "X-Host", "X-Original-Host", "X-Forwarded-Server")
    return dict.fromkeys(names, host) | {"Forwarded": f"host={host}"}


def judge(response: httpx.Response) -> None:
    """Check an answer: right, or a refusal."""
    assert response.status_code < 500
    told = f"{response.headers} {response.text}"
    assert "evil" not in told, told[:1000]


@pytest.mark.parametrize("host", HOSTS)
@pytest.mark.parametrize("proxied", [{}, {"X-Forwarded-Proto": "https"}], ids=["plain", "TLS"])
def test_no_answer_repeats_the_host(
    anonymous: httpx.Client, host: str, proxied: dict[str, str]
) -> None:
    """Not in a redirect, a link or a document; a service that knows its own may refuse others."""
    paths = ("/", BOOKS, f"{BOOKS}?page=2", f"{BOOKS}/1", ME, "/docs", "/redoc", "/openapi.json")
    more = (
        "/healthz/",
        "//healthz",
        "/admin",
        "/admin/",
        "/admin/login/",
        "/static/none",
        "/ws/books",
    )
    for path in (*paths, *more):
        url = f"{anonymous.base_url}{path}"
        judge(anonymous.get(url, headers=named(host) | proxied))
    with suppress(httpx.NetworkError):  # who refuses may not have read the body
        judge(anonymous.post(USERS, json={}, headers=named(host) | proxied))


def test_what_is_made_is_told_without_the_host(user: httpx.Client) -> None:
    """`Location` is a path."""
    response = user.post(BOOKS, json=book(), headers=named("evil.example"))
    judge(response)
    assert response.headers.get("Location", BOOKS).startswith(BOOKS)


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/metrics"])
@pytest.mark.parametrize("host", ["10.1.2.3", "10.1.2.3:8000", "[fd00::1]:8000", "web"])
def test_operators_may_ask_by_address(anonymous: httpx.Client, path: str, host: str) -> None:
    """Load balancers and Prometheus know a process by an address that it does not know itself."""
    assert anonymous.get(path, headers={"Host": host}).status_code == 200
