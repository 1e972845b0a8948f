"""Prometheus, Alertmanager and Grafana, as the profile `monitoring` starts them."""

import json
from pathlib import Path
from typing import Any

import httpx
import pytest

from combinations import DEFAULTS
from contract.processes import until

from .conftest import generate
from .stack import Stack

GRAFANA = "http://127.0.0.1:3000"
PROMETHEUS = "http://127.0.0.1:9090/api/v1"


@pytest.mark.everything  # their images are had from elsewhere
def test_grafana_shows_what_prometheus_sees(engine: None, tmp_path: Path) -> None:
    """Nobody has to log in, and nobody can; every dashboard is there, with data of the service."""
    project = tmp_path / "shop-grafana"
    generate(project, **DEFAULTS["fastapi"] | {"monitoring": "grafana"})
    stack = Stack(project, project.name, COMPOSE_PROFILES="monitoring")
    try:
        stack.up("--build")

        for server in ("prometheus", "alertmanager", "grafana"):
            assert stack.health(server) == "healthy"
            user = stack("exec", "-T", server, "id", "-u").strip()
            assert user != "0"
        until(lambda: jobs() == {"web", "worker"}, within=60, failing="a job is not seen")
        found = {each["uid"]: each for each in ask("/api/search?type=dash-db")}
        files = [*(project / "monitoring/grafana/dashboards").glob("*.json")]
        dashboards = [json.loads(file.read_text("utf-8")) for file in files]
        assert {*found} == {each["uid"] for each in dashboards}
        for dashboard in dashboards:
            shown = ask(f"/api/dashboards/uid/{dashboard['uid']}")["dashboard"]
            assert len(shown["panels"]) == len(dashboard["panels"])
        query = {"refId": "A", "expr": "up", "instant": True, "datasource": {"uid": "prometheus"}}
        told = {"queries": [query], "from": "now-5m", "to": "now"}
        answer = httpx.post(f"{GRAFANA}/api/ds/query", json=told).json()
        assert len(answer["results"]["A"]["frames"]) == 2
        assert httpx.get(f"{GRAFANA}/api/users", auth=("admin", "admin")).status_code == 401
        assert httpx.get(f"{GRAFANA}/api/admin/settings").status_code in {401, 403}
    finally:
        stack.down()


def ask(path: str) -> Any:
    response = httpx.get(f"{GRAFANA}{path}")
    assert response.status_code == 200, response.text
    return response.json()


def jobs() -> set[str]:
    """Return which processes Prometheus gets metrics of."""
    series = httpx.get(f"{PROMETHEUS}/query", params={"query": "up == 1"}).json()["data"]["result"]
    return {each["metric"]["job"].rpartition("-")[2] for each in series}
