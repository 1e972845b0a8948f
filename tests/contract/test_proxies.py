"""What proxies say of a request: believed where TRUSTED_PROXIES counts them, and else of nobody."""

import re
from collections.abc import Iterator
from urllib.parse import urljoin

import httpx
import pytest

from .client import (
    BOOKS,
    ME,
    REPORTS,
    TOKEN,
    VERIFY,
    bearer,
    book,
    connect,
    login,
    problem,
    raw,
    register,
)
from .feed import FEED, handshake
from .service import Service, Target

PREFIX = "/shop"
TOLD = {
    "X-Forwarded-For": "192.0.2.1",
    "X-Forwarded-Proto": "https",
    "X-Forwarded-Prefix": PREFIX,
}


class Proxy(httpx.HTTPTransport):
    """Shows a service under `/shop` by TLS, as a proxy does, and beside it nothing."""

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        path = request.url.raw_path
        if not path.startswith(f"{PREFIX}/".encode()):
            return httpx.Response(502, text="This path is somebody else's.")
        passed_on = httpx.Request(
            request.method,
            request.url.copy_with(raw_path=path.removeprefix(PREFIX.encode())),
            headers={**request.headers, **TOLD},
            stream=request.stream,
            extensions=request.extensions,
        )
        return super().handle_request(passed_on)


@pytest.fixture(scope="module")
def trusting(service: Service) -> Iterator[str]:
    """Run one more web process, which trusts a proxy in front of it; give its address."""
    with service.another_web(TRUSTED_PROXIES="1", WEB_CONCURRENCY="1") as (_, base_url):
        yield base_url


@pytest.fixture(scope="module")
def direct(trusting: str) -> Iterator[httpx.Client]:
    """Reach that process as its proxy does, which a test plays."""
    with connect(trusting) as client:
        yield client


@pytest.fixture(scope="module")
def credentials(direct: httpx.Client) -> dict[str, str]:
    return register(direct)


@pytest.fixture(scope="module")
def shop(
    trusting: str, direct: httpx.Client, credentials: dict[str, str]
) -> Iterator[httpx.Client]:
    """Reach that process through the proxy, as a user."""
    headers = bearer(login(direct, credentials)["access_token"])
    base_url, transport = f"{trusting}{PREFIX}", Proxy(verify=VERIFY)
    with httpx.Client(base_url=base_url, headers=headers, transport=transport) as client:
        yield client


def followed(client: httpx.Client, response: httpx.Response, reference: str) -> httpx.Response:
    """Get what an answer refers to, as whoever has it finds that."""
    found = client.get(urljoin(str(response.url), reference))
    assert found.status_code == 200, f"{reference} is {found.status_code}"
    return found


def linked(response: httpx.Response) -> dict[str, str]:
    return {
        rel: target
        for target, rel in re.findall(r'<([^>]*)>; rel="(\w+)"', response.headers["Link"])
    }


def test_what_is_made_is_found_under_the_prefix(shop: httpx.Client) -> None:
    """`Location` leads to the new row, from where the client is."""
    response = shop.post(BOOKS, json=book())
    assert response.status_code == 201
    assert followed(shop, response, response.headers["Location"]).json() == response.json()


@pytest.mark.usefixtures("with_tasks")
def test_what_is_accepted_is_found_under_the_prefix(shop: httpx.Client) -> None:
    """Reports likewise."""
    response = shop.post(REPORTS)
    assert response.status_code == 202
    found = followed(shop, response, response.headers["Location"])
    assert found.json()["id"] == response.json()["id"]


@pytest.mark.parametrize("query", ["", "?page_size=1&page=2", "?search=%3C/a%3E"])
def test_links_lead_on_under_the_prefix(shop: httpx.Client, query: str) -> None:
    """The pages that `Link` names are found."""
    for _ in range(2):
        shop.post(BOOKS, json=book(title="</a>"))
    links = linked(response := shop.get(f"{BOOKS}{query}"))
    assert {"first", "last"} <= {*links}
    for target in links.values():
        assert "items" in followed(shop, response, target).json()


def test_a_list_is_kept_for_every_prefix(shop: httpx.Client, direct: httpx.Client) -> None:
    """Whoever asks another way than who asked before gets their own links, cached or not."""
    first, second = direct.get(BOOKS), shop.get(BOOKS)
    third, fourth = direct.get(BOOKS), shop.get(BOOKS)
    assert linked(first) == linked(third)
    assert linked(second) == linked(fourth)
    assert linked(second) == {rel: PREFIX + target for rel, target in linked(first).items()}
    shop.post(BOOKS, json=book())  # the other way about: who asks first is behind the prefix
    assert linked(shop.get(BOOKS))["first"].startswith(f"{PREFIX}{BOOKS}?")
    assert linked(direct.get(BOOKS))["first"].startswith(f"{BOOKS}?")


@pytest.mark.parametrize("path", ["/docs", "/redoc", "/"])
def test_pages_find_what_they_load_under_the_prefix(
    shop: httpx.Client, target: Target, path: str
) -> None:
    """Everything of its own that a page names is there, and its policy lets it be loaded."""
    page = shop.get(path)
    if path == "/" and not target.has_feed:
        problem(page, 404)
        return
    named = re.findall(
        r'(?:src|href|spec-url)="([^"]+)"|url: "([^"]+)"|fetch\(`([^?`]+)', page.text
    )
    ours = [url for urls in named for url in urls if url and ":" not in url]
    assert ours
    for url in ours:
        followed(shop, page, url)
    policy = page.headers["Content-Security-Policy"]
    assert "/static" not in policy
    for kind in re.findall(r"<(script|link)[^>]* (?:src|href)=\"(?!https:|data:)", page.text):
        assert f"{'style' if kind == 'link' else kind}-src 'self'" in policy


def test_the_document_is_right_under_the_prefix(
    shop: httpx.Client, direct: httpx.Client, credentials: dict[str, str]
) -> None:
    """`servers` names the prefix, which goes before each path; tokens are had at `tokenUrl`."""
    response = shop.get("/openapi.json")
    document = response.json()
    [server] = document["servers"]
    for path in ("/healthz", BOOKS, ME):
        assert path in document["paths"]
        followed(shop, response, server["url"] + path)
    flow = document["components"]["securitySchemes"]["bearer"]["flows"]["password"]
    form = {"grant_type": "password", **credentials}
    for name in ("tokenUrl", "refreshUrl"):
        url = urljoin(str(response.url), flow[name])
        assert shop.post(url, data=form).status_code == 200
    plain = direct.get("/openapi.json").json()
    assert "servers" not in plain
    assert (
        plain["components"]["securitySchemes"]["bearer"]["flows"]["password"]["tokenUrl"] == TOKEN
    )


def test_a_problem_names_the_path_of_the_client(shop: httpx.Client) -> None:
    """`instance` is what the client has asked for."""
    assert problem(shop.get("/nowhere"), 404)["instance"] == f"{PREFIX}/nowhere"
    assert problem(shop.post(BOOKS, json={}), 422)["instance"] == f"{PREFIX}{BOOKS}"
    assert problem(shop.get(f"{BOOKS}/{2**62}"), 404)["instance"] == f"{PREFIX}{BOOKS}/{2**62}"
    big = shop.post(BOOKS, json=book(title=" " * 1_100_000))
    assert problem(big, 413)["instance"] == f"{PREFIX}{BOOKS}"


def test_a_prefix_that_begins_a_path_is_told_from_it(direct: httpx.Client) -> None:
    """A service under `/api` has its own `/api` below that, which the proxy has not taken."""
    response = direct.get(BOOKS, headers={"X-Forwarded-Prefix": "/api"})
    assert response.status_code == 200
    assert linked(response)["first"].startswith(f"/api{BOOKS}?")
    nowhere = direct.get("/v1/books", headers={"X-Forwarded-Prefix": "/api"})
    assert problem(nowhere, 404)["instance"] == "/api/v1/books"


def test_an_admin_site_is_found_behind_a_proxy_that_speaks_tls(
    shop: httpx.Client, direct: httpx.Client
) -> None:
    """Where there is one, it leads to its own form by paths, which loads what it names."""
    first = shop.get("/admin/")
    if first.status_code == 404:
        problem(first, 404)
        return
    assert first.headers["Location"] == f"{PREFIX}/admin/login/?next={PREFIX}/admin/"
    form = followed(shop, first, first.headers["Location"])
    named = re.findall(r'(?:src|href)="([^"#]+\.(?:css|js))"', form.text)
    assert named
    for url in named:
        followed(shop, form, url)
    # Without TLS it is shown to nobody, whatever the prefix.
    plain = {"X-Forwarded-Prefix": PREFIX}
    for headers in ({}, {"X-Forwarded-Proto": "http"}):
        response = direct.get("/admin/login/", headers=plain | headers)
        assert response.headers["Location"].startswith("https://")


@pytest.mark.usefixtures("with_feed")
def test_the_page_of_the_feed_connects_under_the_prefix(shop: httpx.Client) -> None:
    """The page's WebSocket is beside it."""
    page = shop.get("/")
    [url] = re.findall(r'new WebSocket\("([^"]+)"', page.text)
    assert urljoin(str(page.url), url) == str(shop.base_url.join(f"{PREFIX}{FEED}"))
    with shop.stream("GET", FEED, headers=handshake()) as response:
        assert response.status_code == 101


@pytest.mark.parametrize(
    "prefix",
    ["", "/", "shop", "//evil.example", "/\\evil.example", "https://evil.example", "/a>; rel=x, <"],
)
def test_what_is_no_path_is_no_prefix(direct: httpx.Client, prefix: str) -> None:
    """A trusted proxy may pass on what a client has made up: nothing leads to another host."""
    response = direct.get(BOOKS, headers={"X-Forwarded-Prefix": prefix})
    assert linked(response)["first"].startswith(f"{BOOKS}?")
    nowhere = direct.get("/nowhere", headers={"X-Forwarded-Prefix": prefix})
    assert problem(nowhere, 404)["instance"] == "/nowhere"


def test_the_nearest_proxy_has_the_last_word(direct: httpx.Client) -> None:
    """Of several prefixes, in one line or more, the last is believed: the first is the client's."""
    for lines in (
        [("X-Forwarded-Prefix", "/evil, /shop")],
        [("X-Forwarded-Prefix", "/evil"), ("X-Forwarded-Prefix", "/shop")],
    ):
        assert linked(direct.get(BOOKS, headers=lines))["first"].startswith(f"{PREFIX}{BOOKS}?")


FORGED = {
    **TOLD,
    "X-Forwarded-Host": "evil.example",
    "X-Forwarded-Port": "1",
    "X-Forwarded-Server": "evil.example",
    "X-Forwarded-Path": "/evil",
    "X-Forwarded-Ssl": "on",
    "Forwarded": "for=192.0.2.1;proto=https;host=evil.example",
    "X-Real-IP": "192.0.2.1",
    "X-Scheme": "https",
    "X-Url-Scheme": "https",
    "Front-End-Https": "on",
    "X-Script-Name": "/x",
    "Script-Name": "/x",
    "SCRIPT_NAME": "/x",
    "Path-Info": "/metrics",
    "PATH_INFO": "/metrics",
    "X_Forwarded_Prefix": PREFIX,
    "X_Forwarded_Proto": "https",
    "X-Original-URL": "/metrics",
    "X-Rewrite-URL": "/metrics",
    "X-HTTP-Method-Override": "DELETE",
    "Remote-User": "1",
    "REMOTE_USER": "1",
    "X-Remote-User": "1",
    "Remote-Addr": "192.0.2.1",
    "REMOTE_ADDR": "192.0.2.1",
    "Wsgi.Url-Scheme": "https",
}
PATHS = ["/healthz", BOOKS, "/nowhere", "/openapi.json", "/docs", "/", ME, "/admin/", "/x/metrics"]


def told(response: httpx.Response) -> tuple[int, dict[str, str], str]:
    """Return what is the same in every answer to one request."""
    changing = {"date", "x-request-id"}
    headers = {name: value for name, value in response.headers.items() if name not in changing}
    return response.status_code, headers, re.sub(r'"request_id": ?"[^"]+"', "", response.text)


@pytest.mark.parametrize("path", [path for path in PATHS if path != "/admin/"])
def test_tls_changes_no_answer(trusting: str, path: str) -> None:
    """That an API is met by TLS alone is the proxy's to say; an admin site may say it of itself."""
    assert asked(trusting, path, {"X-Forwarded-Proto": "https"}) == asked(trusting, path, {})


def asked(base_url: str, path: str, headers: dict[str, str]) -> tuple[int, dict[str, str], str]:
    """Ask with headers whose names are as they are."""
    lines = {"Host": "test", "Connection": "close", **headers}
    head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
    return told(raw(base_url, f"GET {path} HTTP/1.1\r\n{head}\r\n".encode()))


@pytest.mark.parametrize("path", PATHS)
def test_nobody_else_is_believed(base_url: str, path: str) -> None:
    """Without TRUSTED_PROXIES nothing changes, whatever a client says of itself."""
    assert asked(base_url, path, FORGED) == asked(base_url, path, {})


@pytest.mark.parametrize("path", PATHS)
def test_proxies_are_believed_in_three_headers(trusting: str, path: str) -> None:
    """What a proxy passes on that it does not know is believed no more than before."""
    forged = {name: value for name, value in FORGED.items() if name not in TOLD}
    assert asked(trusting, path, forged) == asked(trusting, path, {})
