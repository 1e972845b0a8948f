"""The contract's promises when parts of the stack go away."""

import time
from concurrent.futures import ThreadPoolExecutor
from threading import Event

import httpx
import pytest

from contract.client import BOOKS, REPORTS, book, connect, problem
from contract.processes import until

from .conftest import WHOLE
from .stack import Stack

pytestmark = WHOLE


@pytest.fixture
def web_stays(stack: Stack) -> object:
    """Whatever the test does to others, web is not restarted."""
    before = stack.container("web")["State"]["StartedAt"]
    yield
    assert stack.container("web")["State"]["StartedAt"] == before


def ask(user: httpx.Client) -> str:
    response = user.post(REPORTS)
    assert response.status_code == 202, response.text
    return response.headers["Location"]


def reaches(user: httpx.Client, path: str, status: str) -> None:
    until(
        lambda: user.get(path).json()["status"] == status,
        within=100,
        failing=f"the report is never {status}",
    )


@pytest.mark.usefixtures("web_stays")
def test_a_worker_killed_in_mid_report_loses_nothing(stack: Stack, user: httpx.Client) -> None:
    with stack.locked("book"):
        path = ask(user)
        reaches(user, path, "running")
        stack("kill", "worker")
    stack("up", "--no-deps", "--detach", "worker")
    reaches(user, path, "done")
    stack.wait_until("worker", "healthy", within=60)


@pytest.mark.usefixtures("web_stays")
def test_a_database_that_is_restarted_is_used_again(stack: Stack, user: httpx.Client) -> None:
    """Meanwhile requests are answered, by 200 or by a 503 that says when to try again."""
    before = stack.container("postgres")["State"]["StartedAt"]
    response = user.post(BOOKS, json=book())
    assert response.status_code == 201
    path = response.headers["Location"]
    answers: list[httpx.Response] = []
    ended = Event()

    def load() -> None:
        with connect(stack.base_url, keep_alive=0) as client:
            while not ended.is_set():
                answers.append(client.get(BOOKS, params={"search": str(len(answers))}))

    with ThreadPoolExecutor(2) as pool:
        running = [pool.submit(load) for _ in range(2)]
        stack("restart", "postgres")
        stack.wait_until("postgres", "healthy", within=60)
        ended.set()
        for future in running:
            future.result()
    assert stack.container("postgres")["State"]["StartedAt"] != before
    assert answers
    for answer in answers:
        if answer.status_code != 200:
            problem(answer, 503)
            assert answer.headers["Retry-After"]
    assert user.get(path).status_code == 200
    assert user.patch(path, json={"title": "Kindred"}).status_code == 200
    reaches(user, ask(user), "done")


@pytest.mark.usefixtures("web_stays")
def test_a_redis_that_is_restarted_costs_no_request(stack: Stack, user: httpx.Client) -> None:
    path = user.post(BOOKS, json=book()).headers["Location"]
    statuses: set[int] = set()
    ended = Event()

    def load() -> None:
        with connect(stack.base_url, keep_alive=0) as client:
            while not ended.is_set():
                statuses.add(client.get(path).status_code)

    with ThreadPoolExecutor(2) as pool:
        running = [pool.submit(load) for _ in range(2)]
        stack("restart", "redis")
        stack.wait_until("redis", "healthy", within=60)
        ended.set()
        for future in running:
            future.result()
    assert statuses == {200}
    until(
        lambda: user.get(path).headers["X-Cache"] == "hit",
        within=30,
        failing="nothing is cached again",
    )
    reaches(user, ask(user), "done")


def test_a_stop_under_load_breaks_no_request(stack: Stack) -> None:
    """Each request that had begun is answered in full; every process ends by itself, with 0."""
    answered: list[int] = []
    broken: list[tuple[float, str]] = []
    ended = Event()

    def load() -> None:
        with connect(stack.base_url, keep_alive=0) as client:
            while not ended.is_set():
                began = time.monotonic()
                try:
                    answered.append(client.get(BOOKS).status_code)
                except httpx.TransportError as error:
                    # A connection is refused at the end of the try, however early that began.
                    refused = isinstance(error, httpx.ConnectError)
                    broken.append((time.monotonic() if refused else began, repr(error)))
                    time.sleep(0.01)

    with ThreadPoolExecutor(8) as pool:
        running = [pool.submit(load) for _ in range(8)]
        until(lambda: len(answered) > 100, within=30, failing="there is no load")
        told = time.monotonic()
        stack("stop")
        took = time.monotonic() - told
        ended.set()
        for future in running:
            future.result()
    try:
        assert {*answered} == {200}
        assert [error for began, error in broken if began < told] == []
        assert took < 30
        for service in [*stack.services, "postgres"]:
            state = stack.container(service)["State"]
            assert (state["ExitCode"], state["OOMKilled"]) == (0, False), service
    finally:
        stack.up()
