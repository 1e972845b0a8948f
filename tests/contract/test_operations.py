"""Operations: health, readiness, metrics, the document and its page."""

import re
import secrets
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from .client import BOOKS, ME, connect, get, problem, samples, total
from .processes import until
from .service import Service, Target

BOOK_ROUTE = "/api/v1/books/{id}"


@pytest.mark.smoke
def test_healthz_says_ok(anonymous: httpx.Client) -> None:
    """`GET /healthz` is 200 `{"status": "ok"}`."""
    response = anonymous.get("/healthz")
    assert response.status_code == 200
    assert response.json() == {"status": "ok"}


@pytest.mark.smoke
def test_readyz_names_each_check(anonymous: httpx.Client, target: Target) -> None:
    """`GET /readyz` is 200 with a check for the database, the cache and the replica."""
    response = anonymous.get("/readyz")
    assert response.status_code == 200
    checks = {"database": "ok"} | ({"cache": "ok"} if target.has_cache else {})
    checks |= {"replica": "ok"} if target.may_have_replica else {}
    assert response.json() == {"status": "ok", "checks": checks}


@pytest.mark.smoke
def test_metrics_are_prometheus_text(anonymous: httpx.Client) -> None:
    """`GET /metrics` is Prometheus text."""
    response = anonymous.get("/metrics")
    assert response.status_code == 200
    assert response.headers["Content-Type"].startswith("text/plain")
    types = {f.name: f.type for f in text_string_to_metric_families(response.text)}
    assert types["http_requests"] == "counter"
    assert types["http_request_duration_seconds"] == "histogram"


def test_metrics_carry_the_labels_of_the_contract(anonymous: httpx.Client) -> None:
    """`http_requests_total{method,route,status}`, `http_request_duration_seconds{method,route}`."""
    anonymous.get(BOOKS)
    families = {f.name: f for f in text_string_to_metric_families(anonymous.get("/metrics").text)}
    counters = [s for s in families["http_requests"].samples if s.name == "http_requests_total"]
    assert {frozenset(s.labels) for s in counters} == {frozenset({"method", "route", "status"})}
    durations = families["http_request_duration_seconds"].samples
    assert {frozenset(s.labels) - {"le"} for s in durations} == {frozenset({"method", "route"})}


def test_metrics_count_every_request_of_every_process(
    service: Service, make_book: Callable[..., dict[str, Any]]
) -> None:
    """`/metrics` is right with more than one web process, whichever is asked."""
    path = f"{BOOKS}/{make_book()['id']}"
    labels = {"method": "GET", "route": BOOK_ROUTE}
    processes = service.web_processes()
    assert len(processes) == 2
    with connect(service.base_url) as client:
        counted = total(client, status="200", **labels)
        timed = sum(samples(client, "http_request_duration_seconds_count", **labels).values())
    for number, process in enumerate(processes):
        with service.only(process) as client:
            for _ in range(5 + number):
                assert client.get(path).status_code == 200
    for process in processes:
        with service.only(process) as client:
            assert total(client, status="200", **labels) == counted + 11
            durations = samples(client, "http_request_duration_seconds_count", **labels)
            assert sum(durations.values()) == timed + 11


@pytest.mark.smoke
def test_a_route_is_the_pattern_never_the_raw_path(
    anonymous: httpx.Client, make_book: Callable[..., dict[str, Any]]
) -> None:
    """`route` is `/api/v1/books/{id}`, never the raw path."""
    path = f"{BOOKS}/{make_book()['id']}"
    anonymous.get(path)
    anonymous.get(f"{BOOKS}/not-a-number")
    metrics = anonymous.get("/metrics").text
    assert f'route="{BOOK_ROUTE}"' in metrics
    assert f'"{path}"' not in metrics
    assert "not-a-number" not in metrics


def test_a_refused_request_counts_under_its_status(anonymous: httpx.Client) -> None:
    """A request that fails is counted with its route and status."""
    labels = {"method": "GET", "route": ME, "status": "401"}
    before = total(anonymous, **labels)
    anonymous.get(ME)
    assert total(anonymous, **labels) == before + 1


def test_unmatched_paths_share_one_label(anonymous: httpx.Client) -> None:
    """Paths that match no route share one `route`, so that nobody can fill the memory."""

    def unmatched() -> dict[tuple[str, ...], float]:
        return samples(anonymous, "http_requests_total", status="404")

    paths = [f"/{secrets.token_hex(8)}", f"/api/v1/{secrets.token_hex(8)}/{secrets.token_hex(8)}"]
    anonymous.get(paths[0])
    before = unmatched()
    for path in paths:
        assert anonymous.get(path).status_code == 404
    grown = [value - before.get(labels, 0) for labels, value in unmatched().items()]
    assert [growth for growth in grown if growth] == [2]
    assert not any(path in anonymous.get("/metrics").text for path in paths)


def test_methods_that_nobody_knows_share_one_label(anonymous: httpx.Client) -> None:
    """`method` is one that the API may take, or `other`: `route` is the pattern all the same."""
    before = total(anonymous, method="other", route=BOOK_ROUTE, status="405")
    assert anonymous.request("PROPFIND", f"{BOOKS}/1").status_code == 405
    assert total(anonymous, method="other", route=BOOK_ROUTE, status="405") == before + 1
    assert "PROPFIND" not in anonymous.get("/metrics").text


def test_no_request_can_make_the_metrics_grow(anonymous: httpx.Client) -> None:
    """Whatever method is invented, on a path of the service or on none, makes no new series."""

    def invent(times: int) -> None:
        for _ in range(times):
            for path in ("/healthz", "/docs", BOOKS, f"{BOOKS}/1", f"/{secrets.token_hex(8)}"):
                anonymous.request(f"X{secrets.token_hex(4)}".upper(), path)

    def series() -> int:
        families = text_string_to_metric_families(anonymous.get("/metrics").text)
        return sum(len(family.samples) for family in families)

    invent(1)
    anonymous.get("/metrics")
    before = series()
    invent(60)
    assert series() == before


def test_durations_are_seconds(
    service: Service, anonymous: httpx.Client, make_book: Callable[..., dict[str, Any]]
) -> None:
    """`http_request_duration_seconds` adds up what the requests took, in seconds."""
    labels = {"method": "GET", "route": BOOK_ROUTE}
    path = f"{BOOKS}/{make_book()['id']}"

    def spent() -> float:
        return sum(samples(anonymous, "http_request_duration_seconds_sum", **labels).values())

    before = spent()
    with ThreadPoolExecutor(1) as pool:
        with service.locked("book"):
            answer = pool.submit(get, f"{service.base_url}{path}")
            until(service.waiting, within=20, failing="the request does not wait")
            time.sleep(0.3)  # The time that it takes is what is measured.
        answer.result()
    assert 0.3 <= spent() - before < 5


@pytest.mark.smoke
def test_openapi_document_is_json_and_names_its_version(anonymous: httpx.Client) -> None:
    """`GET /openapi.json` is an OpenAPI 3.1 document, or 3.0.3."""
    response = anonymous.get("/openapi.json")
    assert response.status_code == 200
    assert response.headers["Content-Type"].split(";")[0] == "application/json"
    assert re.fullmatch(r"3\.1\.\d+|3\.0\.3", response.json()["openapi"])


@pytest.mark.smoke
@pytest.mark.parametrize(
    ("path", "start"), [("/docs", "SwaggerUIBundle"), ("/redoc", "<redoc spec-url")]
)
def test_pages_on_the_document_come_with_all_that_they_load(
    anonymous: httpx.Client, path: str, start: str
) -> None:
    """`GET /docs`, `GET /redoc`: Swagger UI and ReDoc, from files of the service itself."""
    page = anonymous.get(path)
    assert page.status_code == 200
    assert page.headers["Content-Type"] == "text/html; charset=utf-8"
    assert start in page.text
    assert '"openapi.json"' in page.text
    assert "://" not in page.text
    named = re.findall(r'(?:src|href)="(?!data:)([^"]+)"', page.text)
    assert named
    for name in named:
        file = anonymous.get(f"/{name}")
        assert file.status_code == 200
        kind = "css" if name.endswith(".css") else "javascript"
        assert file.headers["Content-Type"] == f"text/{kind}; charset=utf-8"
        assert file.headers["Cache-Control"] == "max-age=86400"
        assert len(file.content) > 100_000


@pytest.mark.parametrize(
    "name",
    ["", "redoc.js", "docs.html", "pages.py", "..%2fpages.py", "%2e%2e/pages.py", "__init__.py"],
)
def test_the_files_of_the_pages_are_no_directory(anonymous: httpx.Client, name: str) -> None:
    """What no page names is not there, nor is there a list of what is."""
    problem(anonymous.get(f"/docs/{name}"), 404)


def test_liveness_follows_the_process(service: Service) -> None:
    """`/healthz` answers while the process lives, in each web process by itself."""
    for process in service.web_processes():
        with service.only(process) as client:
            until(
                lambda client=client: client.get("/healthz").status_code == 200,
                within=5,
                failing=f"process {process.pid} does not answer alone",
            )
