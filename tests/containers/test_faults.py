"""The contract's promises when parts of the stack go away."""

import time
from collections.abc import Iterator

import httpx
import pytest

from contract.client import BOOKS, load
from contract.faults.outages import ask, create, done, status, unavailable, unread
from contract.processes import until

from .conftest import defaults
from .stack import Stack

pytestmark = defaults(turn=2)


@pytest.fixture
def web_stays(stack: Stack) -> Iterator[None]:
    """Whatever the test does to others, web is not restarted."""
    before = stack.container("web")["State"]["StartedAt"]
    yield
    assert stack.container("web")["State"]["StartedAt"] == before


def restart(stack: Stack, service: str) -> None:
    """Restart a server, and wait until it serves again."""
    before = stack.container(service)["State"]["StartedAt"]
    stack("restart", service)
    assert stack.container(service)["State"]["StartedAt"] != before
    stack.wait_until(service, "healthy")


@pytest.mark.usefixtures("web_stays")
def test_a_worker_killed_in_mid_report_loses_nothing(stack: Stack, user: httpx.Client) -> None:
    with stack.database.locked("book"):
        path = ask(user)
        until(lambda: status(user, path) == "running", within=20, failing="the report never runs")
        stack("kill", "worker")
        assert status(user, path) == "running"
    stack("up", "--no-deps", "--detach", "worker")
    done(user, path)
    stack.wait_until("worker", "healthy")


@pytest.mark.usefixtures("web_stays")
def test_a_database_that_is_restarted_is_used_again(stack: Stack, user: httpx.Client) -> None:
    """Meanwhile requests are answered, by 200 or by a 503 that says when to try again."""
    path = create(user)
    with load(stack.base_url, unread, clients=2) as found:
        restart(stack, "postgres")
    assert found.answers
    assert found.broken == []
    for answer in found.answers:
        if answer.status_code != 200:
            unavailable(answer)
    assert user.get(path).status_code == 200
    assert user.patch(path, json={"title": "Kindred"}).status_code == 200
    done(user, ask(user))


@pytest.mark.usefixtures("web_stays")
def test_a_redis_that_is_restarted_costs_no_request(stack: Stack, user: httpx.Client) -> None:
    path = create(user)
    with load(stack.base_url, lambda: path, clients=2) as found:
        restart(stack, "redis")
    assert found.statuses == {200}
    assert found.broken == []
    until(
        lambda: user.get(path).headers["X-Cache"] == "hit",
        within=30,
        failing="nothing is cached again",
    )
    done(user, ask(user))


def test_a_stop_under_load_breaks_no_request(stack: Stack) -> None:
    """Each request that had begun is answered in full; every process ends by itself, with 0."""
    try:
        with load(stack.base_url, lambda: BOOKS) as found:
            until(lambda: len(found.answers) > 100, within=30, failing="there is no load")
            told = time.monotonic()
            stack("stop")
            took = time.monotonic() - told
        assert found.statuses == {200}
        assert found.broken_before(told) == []
        assert took < 30
        for service in [*stack.services, "postgres"]:
            state = stack.container(service)["State"]
            assert (state["ExitCode"], state["OOMKilled"]) == (0, False), service
    finally:
        stack.up()
