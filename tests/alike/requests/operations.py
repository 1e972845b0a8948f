"""Health, metrics, the document and its pages: what is asked last has counted all before."""

from alike.request import ask

PATHS = ["/healthz", "/readyz", "/openapi.json", "/docs", "/docs/swagger-ui.css", "/redoc"]

REQUESTS = {
    **{f"GET {path}": ask("GET", path) for path in PATHS},
    **{f"{path} by who has a bad token": ask("GET", path, who="no JWT") for path in PATHS},
    "metrics as OpenMetrics": ask("GET", "/metrics", "Accept: application/openmetrics-text"),
    "metrics by name": ask("GET", "/metrics?name[]=http_requests_total"),
    "GET /metrics": ask("GET", "/metrics"),
}
