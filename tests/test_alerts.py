"""Prometheus and Alertmanager beside a service: what they see of it, and when they tell of what."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from threading import Event, Thread
from typing import Any

import httpx
import pytest

from combinations import FRAMEWORKS
from contract.client import BOOKS, REPORTS, book, connect, signed_in, token_of
from contract.faults.outages import unread
from contract.feed import listening
from contract.processes import free_port, until
from contract.service import Project, Service, running
from gate import by_turns
from watchers import Alertmanager, Prometheus, expressions, program, watching

# Each has all that there is to see; one has what else PostgreSQL may have.
TOLD = {framework: {"monitoring": "grafana", "cache": "redis"} for framework in FRAMEWORKS}
TOLD["pyramid"] |= {"replicas": "streaming", "broker": "rabbitmq"}


@dataclass
class Watched:
    """A service, and who looks at it."""

    service: Service
    prometheus: Prometheus
    alertmanager: Alertmanager


@pytest.fixture(
    scope="module",
    params=by_turns(3, "alerts"),
)
def watched(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Watched]:
    for name in ("prometheus", "alertmanager"):
        program(name)
    told = TOLD[request.param]
    project = Project.generate(request.param, tmp_path_factory.mktemp("alerts"), **told)
    metrics = free_port()
    with (
        running(project, replicated="replicas" in told, METRICS_PORT=str(metrics)) as service,
        watching(service, web=service.port, worker=metrics) as (prometheus, alertmanager),
    ):
        yield Watched(service, prometheus, alertmanager)


@contextmanager
def used(service: Service) -> Iterator[None]:
    """Have somebody use all of the service all the time, and a probe ask it."""
    over = Event()
    user = signed_in(service.base_url)

    def use(asked: list[tuple[str, str]]) -> None:
        with connect(service.base_url, token_of(user), keep_alive=0) as client:
            while not over.wait(0.05):
                for method, path in asked:
                    body = {"json": book()} if (method, path) == ("POST", BOOKS) else {}
                    try:
                        client.request(method, path or unread(), **body)
                    except httpx.TransportError:
                        continue

    asked = [
        [("GET", ""), ("GET", BOOKS), ("POST", BOOKS)],
        [("GET", "/readyz")],
        [("POST", REPORTS)],
    ]
    threads = [Thread(target=use, args=(each,)) for each in asked]
    with ExitStack() as stack:
        if service.has_feed:
            stack.enter_context(listening(service.base_url))
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            over.set()
            for thread in threads:
                thread.join()
            user.close()


def test_every_query_of_every_dashboard_has_an_answer(watched: Watched) -> None:
    """Of a service that is used; and every rule is evaluated without a warning."""
    asked = {
        name: query.replace("$__rate_interval", "10s").replace("$namespace", ".*")
        for name, query in expressions(watched.service.project.path).items()
    }
    assert not any("$" in query for query in asked.values())

    def silent() -> list[str]:
        return [
            name
            for name, query in asked.items()
            if not any(map(finite, watched.prometheus.ask(query)))
        ]

    with used(watched.service):
        until(lambda: not silent(), within=60, failing=lambda: f"no answer: {silent()}")
    rules = httpx.get(f"{watched.prometheus.api}/rules").json()["data"]["groups"]
    bad = [rule for group in rules for rule in group["rules"] if rule["health"] != "ok"]
    assert bad == []


def finite(series: dict[str, Any]) -> bool:
    return math.isfinite(float(series["value"][1]))


def test_a_lost_database_wakes_somebody_until_it_is_back(watched: Watched) -> None:
    """Of its users' errors, and that it is not ready; whoever was woken gets no ticket as well."""
    service, alertmanager = watched.service, watched.alertmanager
    right = {"AvailabilityBudgetBurnsFast", "NotReady"}
    with used(service):
        until(lambda: not right & {*alertmanager.alerts()}, within=90, failing="it tells already")
        service.database.kill()
        try:
            until(
                lambda: right <= {*alertmanager.alerts()},
                within=60,
                failing=lambda: f"{watched.prometheus.firing()}, {alertmanager.alerts()}",
            )
            told = alertmanager.alerts()
            for name in right:
                assert told[name]["receivers"] == [{"name": "pages"}]
                assert told[name]["annotations"]["runbook"].startswith("docs/runbook.md#")
            assert "TargetDown" not in told
            ticket = "AvailabilityBudgetBurnsSlowly"
            until(lambda: ticket in alertmanager.alerts(), within=60, failing="there is no ticket")
            assert "AvailabilityBudgetBurnsFast" in alertmanager.alerts()
            assert ticket not in alertmanager.alerts(inhibited=False)
        finally:
            service.database.start()
        until(
            lambda: not right & {*alertmanager.alerts()},
            within=120,
            failing=lambda: f"not over: {alertmanager.alerts()}",
        )


def test_a_worker_that_is_gone_is_missed(watched: Watched) -> None:
    """And one that is back is not."""
    worker, alertmanager = watched.service.worker, watched.alertmanager
    assert worker
    until(lambda: "TargetDown" not in alertmanager.alerts(), within=60, failing="it tells already")
    worker.kill()
    try:
        until(lambda: "TargetDown" in alertmanager.alerts(), within=60, failing="nobody misses it")
        assert alertmanager.alerts()["TargetDown"]["labels"]["job"].endswith("-worker")
    finally:
        worker.start()
    until(lambda: "TargetDown" not in alertmanager.alerts(), within=60, failing="it is not over")
