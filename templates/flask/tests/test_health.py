"""What operators see: health, metrics, documentation, and headers on everything."""

import re
from uuid import UUID

import pytest
from sqlalchemy import create_engine

from app.models import Book
from tests.factories import DATABASE_OUT_OF_REACH
from tests.fixtures import Client

URL = "/api/v1/books"


def test_the_service_is_ready(client: Client) -> None:
    response = client.get("/readyz")

    assert response.status_code == 200
    assert response.json["status"] == "ok"
    assert set(response.json["checks"].values()) == {"ok"}


def test_without_the_database_the_service_is_not_ready(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.readiness.engine", create_engine(DATABASE_OUT_OF_REACH))

    response = client.get("/readyz")

    assert response.status_code == 503
    assert response.json["checks"]["database"] == "error"


class TestMetrics:
    def test_requests_are_counted_under_the_pattern_of_their_route(
        self, client: Client, book: Book
    ) -> None:
        client.get(f"{URL}/{book.id}")

        metrics = client.get("/metrics").text

        labels = 'method="GET",route="/api/v1/books/{id}"'
        assert re.search(rf'^http_requests_total{{{labels},status="200"}} \d', metrics, re.M)
        assert f'http_request_duration_seconds_bucket{{le="+Inf",{labels}}}' in metrics
        assert f"{URL}/{book.id}" not in metrics

    def test_unmatched_paths_share_a_label(self, client: Client) -> None:
        client.get("/one-nobody-knows")
        client.open("/another-nobody-knows", method="BREW")

        metrics = client.get("/metrics").text

        routes = set(re.findall(r'http_requests_total{.*route="([^"]*)",status="404"}', metrics))
        assert "nobody-knows" not in metrics
        assert len({route for route in routes if not route.startswith("/")}) == 1


class TestHeaders:
    @pytest.mark.parametrize("path", ["/healthz", "/nowhere", "/metrics", "/openapi.json"])
    def test_every_response_carries_the_standing_headers(self, client: Client, path: str) -> None:
        headers = client.get(path).headers

        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Referrer-Policy"] == "no-referrer"
        assert headers["X-Frame-Options"] == "DENY"
        assert "Server" not in headers

    def test_a_request_id_is_kept(self, client: Client) -> None:
        for request_id in ("a", "A-z_0.9", "x" * 128):
            response = client.get("/healthz", headers={"X-Request-ID": request_id})
            assert response.headers["X-Request-ID"] == request_id

    def test_a_bad_request_id_is_replaced(self, client: Client) -> None:
        for request_id in ("", "x" * 129, "a b", "<script>", "é"):
            response = client.get("/healthz", headers={"X-Request-ID": request_id})
            assert UUID(response.headers["X-Request-ID"])

    def test_cors_answers_a_configured_origin(self, client: Client) -> None:
        headers = {"Origin": "https://shop.example", "Access-Control-Request-Method": "POST"}

        preflight = client.options(URL, headers=headers)

        assert preflight.status_code == 204
        assert preflight.headers["Access-Control-Allow-Origin"] == "https://shop.example"
        assert "PATCH" in preflight.headers["Access-Control-Allow-Methods"]

    def test_cors_answers_no_other_origin(self, client: Client) -> None:
        response = client.get(URL, headers={"Origin": "https://evil.example"})

        assert response.headers["Vary"] == "Origin"
        assert "Access-Control-Allow-Origin" not in response.headers


class TestDocumentation:
    def test_the_openapi_document_tells_which_operations_need_a_token(self, client: Client) -> None:
        document = client.get("/openapi.json").json

        assert document["openapi"].startswith("3.1")
        secured = {
            (method.upper(), path)
            for path, operations in document["paths"].items()
            for method, operation in operations.items()
            if "security" in operation and path.startswith(("/api/v1/users", URL))
        }
        assert secured == {
            ("GET", "/api/v1/users/me"),
            ("POST", URL),
            ("PUT", f"{URL}/{{id}}"),
            ("PATCH", f"{URL}/{{id}}"),
            ("DELETE", f"{URL}/{{id}}"),
        }

    def test_the_openapi_document_describes_errors_as_problems(self, client: Client) -> None:
        document = client.get("/openapi.json").json

        responses = document["paths"][f"{URL}/{{id}}"]["patch"]["responses"]
        errors = {status for status in responses if status >= "400"}
        assert errors == {"400", "401", "403", "404", "409", "412", "413", "415", "422", "503"}
        for status in errors:
            assert set(responses[status]["content"]) == {"application/problem+json"}

    @pytest.mark.parametrize("path", ["/docs", "/redoc"])
    def test_a_page_shows_the_document(self, client: Client, path: str) -> None:
        response = client.get(path)

        assert response.headers["Content-Type"].startswith("text/html")
        assert '"openapi.json"' in response.text
        for file in re.findall(r'(?:src|href)="(?!data:)([^"]+)"', response.text):
            assert client.get(f"/{file}").status_code == 200
