"""Prometheus and Alertmanager, as a project's `monitoring/` has them, beside a running service."""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from contract.processes import Process, free_port, until
from contract.service import Service

NEEDED = "needs Prometheus and Alertmanager: PROMETHEUS names where .ci/prometheus has put them"
ALERTS = "/api/v2/alerts"
# What takes a minute takes a second here, an hour a minute, and a day as long as 24 of these.
SECONDS = {"m": 1, "h": 60, "d": 1440}
DURATION = re.compile(r"(\[|for: |offset )(\d+)([mhd])\b")


def program(name: str) -> str:
    """Find one of the programs; skip the test where it is not there, but in CI."""
    place = os.environ.get("PROMETHEUS")
    found = shutil.which(name, path=place or os.environ["PATH"])
    if not found:
        pytest.fail(NEEDED) if os.environ.get("CI") else pytest.skip(NEEDED)
    return found


def expressions(project: Path) -> dict[str, str]:
    """Return what the dashboards ask, by the dashboard, the panel and the line."""
    found = {}
    for file in sorted((project / "monitoring/grafana/dashboards").glob("*.json")):
        for panel in json.loads(file.read_text("utf-8"))["panels"]:
            for target in panel["targets"]:
                found[f"{file.stem}: {panel['title']}: {target['refId']}"] = target["expr"]
    return found


class Prometheus(Process):
    """It asks the service twice a second; a minute of its rules is a second here."""

    def __init__(self, service: Service, alertmanager: int, targets: dict[str, int]) -> None:
        place = service.home / "prometheus"
        place.mkdir()
        told = yaml.safe_load(self._read(service, "prometheus.yml"))
        told["global"] = {"scrape_interval": "500ms", "evaluation_interval": "500ms"}
        [peers] = told["alerting"]["alertmanagers"][0]["static_configs"]
        peers["targets"] = [f"127.0.0.1:{alertmanager}"]
        for job in told["scrape_configs"]:
            [found] = job.pop("dns_sd_configs")
            assert found["type"] == "A"
            [name] = found["names"]
            job["static_configs"] = [{"targets": [f"127.0.0.1:{targets[name]}"]}]
        (place / "prometheus.yml").write_text(yaml.safe_dump(told))
        rules = self._read(service, "rules.yml")
        rules = DURATION.sub(lambda m: f"{m[1]}{int(m[2]) * SECONDS[m[3]]}s", rules)
        (place / "rules.yml").write_text(rules)
        self.port = free_port()
        self.api = f"http://127.0.0.1:{self.port}/api/v1"
        command = [program("prometheus"), f"--config.file={place / 'prometheus.yml'}"]
        command += [f"--storage.tsdb.path={place / 'data'}", "--log.level=warn"]
        command += [f"--web.listen-address=127.0.0.1:{self.port}"]
        super().__init__("prometheus", command, logs=service.logs)

    @staticmethod
    def _read(service: Service, name: str) -> str:
        return (service.project.path / "monitoring" / name).read_text("utf-8")

    def ask(self, query: str) -> list[dict[str, Any]]:
        """Return the series that a query has now, with their values."""
        response = httpx.post(f"{self.api}/query", data={"query": query})
        assert response.status_code == 200, f"{query}: {response.text}"
        return response.json()["data"]["result"]

    def firing(self) -> set[str]:
        """Return the names of the alerts that fire, as Prometheus has them."""
        return {each["metric"]["alertname"] for each in self.ask('ALERTS{alertstate="firing"}')}


class Alertmanager(Process):
    """It tells of an alert at once."""

    def __init__(self, service: Service) -> None:
        place = service.home / "alertmanager"
        place.mkdir()
        source = service.project.path / "monitoring/alertmanager.yml"
        told = yaml.safe_load(source.read_text("utf-8"))
        told["route"] |= {"group_wait": "0s", "group_interval": "1s"}
        (place / "alertmanager.yml").write_text(yaml.safe_dump(told))
        self.port = free_port()
        command = [program("alertmanager"), f"--config.file={place / 'alertmanager.yml'}"]
        command += [f"--storage.path={place / 'data'}", "--cluster.listen-address="]
        command += [f"--web.listen-address=127.0.0.1:{self.port}", "--log.level=warn"]
        super().__init__("alertmanager", command, logs=service.logs)

    def alerts(self, **query: Any) -> dict[str, dict[str, Any]]:
        """Return the alerts that it has now, by their names."""
        response = httpx.get(f"http://127.0.0.1:{self.port}{ALERTS}", params=query)
        assert response.status_code == 200, response.text
        return {each["labels"]["alertname"]: each for each in response.json()}


@contextmanager
def watching(service: Service, **targets: int) -> Iterator[tuple[Prometheus, Alertmanager]]:
    """Have both look at a service, whose jobs answer at these ports."""
    with ExitStack() as stack:
        alertmanager = Alertmanager(service)
        prometheus = Prometheus(service, alertmanager.port, targets)
        for process, path in ((alertmanager, "/-/ready"), (prometheus, "/-/ready")):
            process.start()
            stack.callback(process.stop)
            address = f"http://127.0.0.1:{process.port}{path}"
            until(lambda address=address: _answers(address), within=30, failing=process.output)
        yield prometheus, alertmanager


def _answers(address: str) -> bool:
    try:
        return httpx.get(address).is_success
    except httpx.TransportError:
        return False
