"""Logins, many of them: what a flood of them costs, and how often somebody may try."""

import secrets
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress

import httpx
import psutil

from .client import PASSWORD, TOKEN, USERS, connect, get, login, problem, register
from .service import Service

MEBIBYTE = 2**20


class Watch:
    """What is seen of a service from one moment to another."""

    def __init__(self, service: Service) -> None:
        self.service = service
        self.memory: list[int] = []
        self.latencies: list[float] = []
        self.ended = threading.Event()

    def weigh(self) -> None:
        """Note, again and again, the bytes that the tree of `web` holds for itself."""
        while not self.ended.wait(0.02):
            held = 0
            for process in self.service.web.tree():
                with suppress(psutil.NoSuchProcess):
                    held += process.memory_full_info().uss
            self.memory.append(held)

    def ask(self) -> None:
        """Note, again and again, how many seconds `/healthz` takes."""
        while not self.ended.wait(0.05):
            began = time.monotonic()
            assert get(f"{self.service.base_url}/healthz").status_code == 200
            self.latencies.append(time.monotonic() - began)


@contextmanager
def watched(service: Service) -> Iterator[Watch]:
    watch = Watch(service)
    with ThreadPoolExecutor(2) as pool:
        running = [pool.submit(watch.weigh), pool.submit(watch.ask)]
        try:
            time.sleep(0.5)
            yield watch
        finally:
            watch.ended.set()
        for future in running:
            future.result()


def test_a_flood_of_logins_leaves_the_service_alive(
    anonymous: httpx.Client, service: Service
) -> None:
    """Two hashes at a time for each process, a few wait, and to others it is 503 to try later.

    Meanwhile `/healthz` answers within the 3 s of its check, and memory has a bound; afterwards
    all is as it was.
    """
    credentials = [register(anonymous) for _ in range(4)]

    def attempt(number: int) -> httpx.Response:
        form = {"grant_type": "password", **credentials[number % len(credentials)]}
        with connect(service.base_url, timeout=60) as client:
            return client.post(TOKEN, data=form)

    with watched(service) as watch, ThreadPoolExecutor(60) as pool:
        before = watch.memory[-1]
        answers = [*pool.map(attempt, range(120))]
    assert {answer.status_code for answer in answers} == {200, 503}
    for answer in answers:
        if answer.status_code == 503:
            problem(answer, 503)
            assert 0 < int(answer.headers["Retry-After"]) <= 60
    assert max(watch.latencies) < 3
    hashes = int(service.env["WEB_CONCURRENCY"]) * 2
    assert max(watch.memory) - before < (hashes * 64 + 100) * MEBIBYTE
    for own in credentials:
        login(anonymous, own)


def test_registrations_are_as_dear_as_logins(service: Service) -> None:
    """A flood of registrations is bounded likewise: their passwords are hashed too."""

    def attempt(_: int) -> httpx.Response:
        with connect(service.base_url, timeout=60) as client:
            account = {"email": f"{secrets.token_hex(8)}@example.org", "password": PASSWORD}
            return client.post(USERS, json=account)

    with ThreadPoolExecutor(40) as pool:
        answers = [*pool.map(attempt, range(40))]
    assert {answer.status_code for answer in answers} == {201, 503}
    refused = [answer for answer in answers if answer.status_code == 503]
    assert all(int(answer.headers["Retry-After"]) > 0 for answer in refused)
