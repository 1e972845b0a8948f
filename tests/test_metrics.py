"""What a project with `monitoring=grafana` tells Prometheus beyond its requests."""

import os
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path

import httpx
import psutil
import pytest

from combinations import DEFAULTS, FRAMEWORKS
from contract.client import BOOKS, REPORTS, book, connect, login, register, samples
from contract.faults.outages import killed
from contract.feed import both, listening
from contract.processes import accepts, free_port, leaves, until
from contract.service import Project, Service, running

CORES = os.cpu_count() or 1  # a worker has so many processes
# By RabbitMQ, and on each other way to speak to a database.
OTHERS = {
    "flask-rabbitmq": DEFAULTS["flask"] | {"broker": "rabbitmq"},
    "django-drf-sqlite": DEFAULTS["django-drf"] | {"database": "sqlite"},
    "tornado-ws-sqlite": DEFAULTS["tornado-ws"] | {"database": "sqlite"},
    "django-drf-mariadb": DEFAULTS["django-drf"] | {"database": "mariadb"},
    "fastapi-mariadb": DEFAULTS["fastapi"] | {"database": "mariadb"},
    "pyramid-least": DEFAULTS["pyramid"] | {"cache": "none", "tasks": "none"},
}
ASKED = DEFAULTS | OTHERS
# How many connections a web process may have.
LIMITS = {"django-drf": 16, "fastapi": 15, "flask": 26, "pyramid": 26, "tornado-ws": 15}


def param(name: str) -> object:
    left = pytest.mark.one_of(2, name) if name in FRAMEWORKS else pytest.mark.everything
    return pytest.param(ASKED[name], id=name, marks=[left, pytest.mark.xdist_group(f"told-{name}")])


@pytest.fixture(scope="module", params=[param(name) for name in ASKED])
def service(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Service]:
    """Run a project that tells Prometheus."""
    told = request.param | {"monitoring": "grafana"}
    project = Project.generate(home=tmp_path_factory.mktemp("told"), **told)
    with running(project, METRICS_PORT=str(free_port())) as service:
        yield service


@pytest.fixture
def web(service: Service) -> Iterator[httpx.Client]:
    with connect(service.base_url, keep_alive=0) as client:
        yield client


@pytest.fixture
def user(service: Service, web: httpx.Client) -> Iterator[httpx.Client]:
    token = login(web, register(web))["access_token"]
    with connect(service.base_url, token, keep_alive=0) as client:
        yield client


@pytest.fixture
def worker(service: Service) -> Iterator[httpx.Client]:
    """Give a client of the worker's metrics, if there is one."""
    if not service.worker:
        pytest.skip("generated without tasks")
    with connect(f"http://127.0.0.1:{service.env['METRICS_PORT']}", keep_alive=0) as client:
        yield client


def value(client: httpx.Client, name: str, **labels: str) -> float:
    """Return the one value of a metric with these labels; nothing counts as 0."""
    found = samples(client, name, **labels)
    assert len(found) <= 1, found
    return sum(found.values())


def becomes(client: httpx.Client, name: str, wanted: float, **labels: str) -> None:
    until(
        lambda: value(client, name, **labels) == wanted,
        within=20,
        failing=lambda: f"{name} is {samples(client, name, **labels)}, and not {wanted}",
    )


@contextmanager
def stopped(processes: list[psutil.Process]) -> Iterator[None]:
    for process in processes:
        process.suspend()
    try:
        yield
    finally:
        for process in processes:
            process.resume()


# The web processes


def test_connections_in_use_rise_with_slow_requests(service: Service, web: httpx.Client) -> None:
    """Of all web processes; at their end nobody uses one."""
    limit = 2 * LIMITS[service.answers["framework"]]
    becomes(web, "database_connections_limit", limit)
    with service.database.counted_slowly("book"), ThreadPoolExecutor(4) as pool:
        for _ in range(4):
            # A query, so that no cache has it.
            pool.submit(httpx.get, f"{service.base_url}{BOOKS}?page_size=19", timeout=60)
        becomes(web, "database_connections", 4, state="in_use")
    becomes(web, "database_connections", 0, state="in_use")
    assert value(web, "database_connections_limit") == limit


def test_who_was_killed_holds_nothing(service: Service, web: httpx.Client) -> None:
    """A process that takes its place is told of alone; what it had counted stays."""
    limit = 2 * LIMITS[service.answers["framework"]]
    becomes(web, "database_connections_limit", limit)
    labels = {"method": "GET", "route": BOOKS, "status": "200"}
    counted = value(web, "http_requests_total", **labels) + 1
    assert web.get(BOOKS).status_code == 200
    becomes(web, "http_requests_total", counted, **labels)
    first, _ = both(service.web, service.base_url)
    first.kill()
    until(lambda: not first.is_running(), within=60, failing="nobody misses it")
    until(lambda: len(service.web_processes()) == 2, within=60, failing="nobody takes its place")
    becomes(web, "database_connections_limit", limit)
    assert value(web, "http_requests_total", **labels) == counted


@pytest.mark.parametrize("kind", ["row", "page"])
def test_what_the_cache_has_is_told_from_what_it_has_not(
    service: Service, web: httpx.Client, user: httpx.Client, kind: str
) -> None:
    if not service.has_cache:
        pytest.skip("generated without a cache")
    row = user.post(BOOKS, json=book()).json()["id"]
    path = f"{BOOKS}/{row}" if kind == "row" else BOOKS
    before = {each: value(web, "cache_requests_total", outcome=each) for each in ("hit", "miss")}
    for _ in range(3):
        assert web.get(path).status_code == 200
    becomes(web, "cache_requests_total", before["miss"] + 1, outcome="miss")
    becomes(web, "cache_requests_total", before["hit"] + 2, outcome="hit")


def test_who_follows_the_feed_is_told_and_who_has_left_is_not(
    service: Service, web: httpx.Client
) -> None:
    if not service.has_feed:
        pytest.skip("generated without a live feed")
    with ExitStack() as stack:
        for _ in range(3):
            stack.enter_context(listening(service.base_url))
        becomes(web, "feed_clients", 3)
    becomes(web, "feed_clients", 0)


# The worker


def test_a_worker_tells_on_this_host_alone(service: Service, worker: httpx.Client) -> None:
    """The process that its pool is forked from listens, on 127.0.0.1; web tells of no queue."""
    port = int(service.env["METRICS_PORT"])
    assert service.worker
    [listener] = leaves(service.worker, port)
    assert listener == service.worker.tree()[0]
    assert {c.laddr.ip for c in listener.net_connections() if c.laddr.port == port} == {"127.0.0.1"}
    assert "queue_tasks" in worker.get("/metrics").text
    assert "queue_tasks" not in httpx.get(f"{service.base_url}/metrics").text


def test_tasks_are_counted_by_how_they_end(
    service: Service, worker: httpx.Client, user: httpx.Client
) -> None:
    """Each attempt, in whatever process of the pool, and timed."""
    report, lost = (
        service.project.task(name) for name in ("compute_report", "finish_lost_reports")
    )
    done = value(worker, "tasks_total", task=report, outcome="succeeded")
    failed = value(worker, "tasks_total", task=lost, outcome="failed")
    for _ in range(4):
        assert user.post(REPORTS).status_code == 202
    becomes(worker, "tasks_total", done + 4, task=report, outcome="succeeded")
    assert value(worker, "task_duration_seconds_count", task=report) == done + 4
    with service.renamed("report", "status", "no_status"):
        service.run([*service.celery, "call", lost])
        becomes(worker, "tasks_total", failed + 1, task=lost, outcome="failed")


def test_mail_that_is_refused_is_tried_again(
    service: Service, worker: httpx.Client, web: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def refuse(*_: object) -> str:
        return "451 Come again"

    mail = service.project.task("send_welcome_email")
    counted = {
        outcome: value(worker, "tasks_total", task=mail, outcome=outcome)
        for outcome in ("retried", "succeeded")
    }
    with monkeypatch.context() as patch:
        patch.setattr(service.mailbox, "handle_DATA", refuse)
        register(web)
        until(
            lambda: value(worker, "tasks_total", task=mail, outcome="retried") > counted["retried"],
            within=20,
            failing="it is not tried again",
        )
    becomes(worker, "tasks_total", counted["succeeded"] + 1, task=mail, outcome="succeeded")


def test_what_is_no_task_is_counted_under_no_name_of_its_own(
    service: Service, worker: httpx.Client
) -> None:
    """No label is anybody's to make up."""
    rejected = value(worker, "tasks_total", task="unknown", outcome="rejected")
    service.run([*service.celery, "call", "made.up"])
    becomes(worker, "tasks_total", rejected + 1, task="unknown", outcome="rejected")
    assert "made.up" not in worker.get("/metrics").text


def test_what_waits_is_told_until_it_is_fetched(
    service: Service, worker: httpx.Client, web: httpx.Client
) -> None:
    """While the processes of the pool stand still, the queue is long and its oldest grows old."""
    becomes(worker, "queue_tasks", 0, queue="celery")
    assert service.worker
    users = CORES // 5 + 1
    with stopped(service.worker.tree()[1:]):
        for _ in range(users):
            token = login(web, register(web))["access_token"]
            with connect(service.base_url, token) as user:
                for _ in range(10):
                    assert user.post(REPORTS).status_code == 202
        waiting = value(worker, "queue_tasks", queue="celery")
        # With the mail to each; the worker has fetched one for each process.
        assert 11 * users - CORES <= waiting <= 11 * users
        time.sleep(2)
        assert value(worker, "queue_oldest_task_seconds", queue="celery") >= 2
        assert value(worker, "queue_tasks", queue="celery") == waiting
    becomes(worker, "queue_tasks", 0, queue="celery")
    becomes(worker, "queue_oldest_task_seconds", 0, queue="celery")


def test_a_killed_process_of_the_pool_leaves_its_counts_and_no_port(
    service: Service, worker: httpx.Client, user: httpx.Client
) -> None:
    """The next one is forked with the socket in it, and closes it."""
    report = service.project.task("compute_report")
    before = value(worker, "tasks_total", task=report, outcome="succeeded") + 1
    assert user.post(REPORTS).status_code == 202
    becomes(worker, "tasks_total", before, task=report, outcome="succeeded")
    assert service.worker
    killed = service.worker.tree()[1]
    killed.kill()
    until(
        lambda: (
            service.worker
            and killed not in service.worker.tree()
            and len(service.worker.tree()) == 1 + CORES
        ),
        within=30,
        failing="nobody takes its place",
    )
    assert value(worker, "tasks_total", task=report, outcome="succeeded") == before
    parent, port = service.worker.tree()[0], int(service.env["METRICS_PORT"])
    until(
        lambda: service.worker and leaves(service.worker, port) == [parent],
        within=5,
        failing="it keeps the port",
    )
    assert user.post(REPORTS).status_code == 202
    becomes(worker, "tasks_total", before + 1, task=report, outcome="succeeded")


def test_a_second_worker_on_the_port_works_as_well(service: Service, worker: httpx.Client) -> None:
    with service.another_worker() as second:
        until(
            lambda: any("METRICS_PORT" in event["event"] for event in second.events()),
            within=30,
            failing="it does not say that its metrics are not told",
        )
        assert second.running
    assert worker.get("/metrics").status_code == 200


def test_without_the_broker_the_tasks_are_told(service: Service, worker: httpx.Client) -> None:
    """Of the queue nothing, rather than what was so before."""
    report = service.project.task("compute_report")
    counted = value(worker, "tasks_total", task=report, outcome="succeeded")
    with killed(service.broker):
        assert "queue_tasks" not in worker.get("/metrics").text
        assert value(worker, "tasks_total", task=report, outcome="succeeded") == counted
    service.restore()
    becomes(worker, "queue_tasks", 0, queue="celery")


def test_a_worker_that_ends_leaves_no_file(service: Service, worker: httpx.Client) -> None:
    assert service.worker
    [directory] = {
        path.rpartition("/")[0]
        for process in service.worker.tree()
        for path in (held.path for held in process.memory_maps())
        if "/metrics-" in path
    }
    service.worker.stop()
    assert not Path(directory).exists()
    assert not accepts(int(service.env["METRICS_PORT"]))
    service.worker.start()
    service.wait_until_ready()
