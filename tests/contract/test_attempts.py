"""Logins, many of them: what a flood of them costs, and how often somebody may try."""

import secrets
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from functools import partial
from ipaddress import IPv4Address
from types import ModuleType

import httpx
import psutil
import pytest

from .client import (
    PASSWORD,
    TOKEN,
    USERS,
    at_once,
    connect,
    get,
    login,
    oauth_error,
    problem,
    prompt,
    register,
)
from .generated import Generated
from .service import Service, Target

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
    assert prompt(watch.latencies, limit=3), watch.latencies
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


@pytest.fixture(scope="module")
def counting(target: Target) -> None:
    if not (target.has_cache or target.has_feed):
        pytest.skip("generated without Redis, in which attempts are counted")


@pytest.fixture(scope="module")
def limited(counting: None, service: Service) -> Iterator[str]:
    """Run the service with its own limit, behind one proxy; give its address."""
    settings = {"LOGIN_ATTEMPTS": None, "TRUSTED_PROXIES": "1", "WEB_CONCURRENCY": "2"}
    with service.another_web(**settings) as (_, base_url):
        yield base_url


@pytest.fixture(scope="module")
def strict(counting: None, service: Service) -> Iterator[str]:
    """Run the service with a limit of one failure, and without a proxy; give its address."""
    with service.another_web(LOGIN_ATTEMPTS="1", WEB_CONCURRENCY="1") as (_, base_url):
        yield base_url


@pytest.fixture
def credentials(anonymous: httpx.Client) -> dict[str, str]:
    return register(anonymous)


def somewhere() -> str:
    """Make up an address of this machine, from which a client may connect."""
    return str(IPv4Address("127.1.0.0") + secrets.randbelow(2**16))


def nobody() -> dict[str, str]:
    return {"username": f"{secrets.token_hex(8)}@example.org", "password": "not this one"}


def wrong(credentials: dict[str, str]) -> dict[str, str]:
    return credentials | {"password": "not this one"}


def attempt(
    base_url: str,
    credentials: dict[str, str],
    forwarded: str | list[str] = (),
    *,
    peer: str | None = None,
) -> httpx.Response:
    """Try to log in, from a peer of the service, or for whom a proxy says that it asks."""
    lines = [forwarded] if isinstance(forwarded, str) else forwarded
    transport = httpx.HTTPTransport(local_address=peer, verify=False)
    with httpx.Client(base_url=base_url, transport=transport, timeout=15) as client:
        return client.post(
            TOKEN,
            data={"grant_type": "password", **credentials},
            headers=[("X-Forwarded-For", line) for line in lines],
        )


def too_many(response: httpx.Response) -> None:
    """Check a 429: a problem, with the seconds after which to try again."""
    problem(response, 429)
    assert 0 < int(response.headers["Retry-After"]) <= 900


def test_after_ten_failures_it_is_too_many(limited: str, credentials: dict[str, str]) -> None:
    """The eleventh is 429, with the right password too; elsewhere its owner still gets in."""
    here, there = somewhere(), somewhere()
    for _ in range(10):
        oauth_error(attempt(limited, wrong(credentials), here), "invalid_grant")
    too_many(attempt(limited, wrong(credentials), here))
    too_many(attempt(limited, credentials, here))
    shouted = credentials | {"username": credentials["username"].upper()}
    too_many(attempt(limited, shouted, here))
    assert attempt(limited, credentials, there).status_code == 200


def test_an_unknown_account_is_counted_alike(limited: str, credentials: dict[str, str]) -> None:
    """Nobody learns from a 429, or from when it comes, whether an account is there."""
    bodies = []
    for guess in (wrong(credentials), nobody()):
        here = somewhere()
        for _ in range(10):
            oauth_error(attempt(limited, guess, here), "invalid_grant")
        response = attempt(limited, guess, here)
        too_many(response)
        bodies.append(response.json() | {"request_id": None})
    assert bodies[0] == bodies[1]


def test_too_many_is_what_the_document_says(strict: str, package: ModuleType) -> None:
    """A generated client makes a problem of the 429."""
    client, guess = Generated(package, strict), nobody()
    body = package.models.GrantTokenBody("password", **guess)
    assert client.grant_token(body=body).status_code == 400
    refused = client.grant_token(body=body)
    assert (refused.status_code, refused.parsed.status) == (429, 429)


def test_what_succeeds_does_not_count(limited: str, credentials: dict[str, str]) -> None:
    """Only failures count, however often somebody logs in."""
    here = somewhere()
    for _ in range(12):
        assert attempt(limited, credentials, here).status_code == 200
    for _ in range(10):
        oauth_error(attempt(limited, wrong(credentials), here), "invalid_grant")


def test_of_many_at_once_ten_get_through(limited: str, credentials: dict[str, str]) -> None:
    """Attempts are counted before their outcome is known, and by both processes together."""
    here = somewhere()
    answers = at_once([partial(attempt, limited, wrong(credentials), here) for _ in range(30)])
    statuses = [answer.status_code for answer in answers]
    assert {*statuses} <= {400, 429, 503}
    assert 1 <= statuses.count(400) <= 10
    assert 429 in statuses


def test_the_proxy_says_who_asks(limited: str, credentials: dict[str, str]) -> None:
    """Of `X-Forwarded-For` the last is believed; what a client has put before it is not."""
    here = somewhere()
    for number in range(10):
        invented = somewhere()
        lines = f"{invented}, {here}" if number % 2 else [invented, here]
        oauth_error(attempt(limited, wrong(credentials), lines), "invalid_grant")
    too_many(attempt(limited, credentials, [somewhere(), here]))
    assert attempt(limited, credentials, [here, somewhere()]).status_code == 200


def test_of_ipv6_a_network_is_one_address(limited: str, credentials: dict[str, str]) -> None:
    """IPv6 addresses count by /64: so many are one subscriber's."""
    network = f"2001:db8:{secrets.randbelow(2**16):x}"
    for number in range(10):
        here = f"{network}:0:{number:x}::{number:x}"
        oauth_error(attempt(limited, wrong(credentials), here), "invalid_grant")
    too_many(attempt(limited, credentials, f"{network}:0:ffff::1"))
    assert attempt(limited, credentials, f"{network}:1::1").status_code == 200


def test_without_a_proxy_nobody_is_believed(strict: str, credentials: dict[str, str]) -> None:
    """With no `TRUSTED_PROXIES` the peer of the connection counts, whatever it says it is."""
    here = somewhere()
    first = attempt(strict, wrong(credentials), somewhere(), peer=here)
    oauth_error(first, "invalid_grant")
    too_many(attempt(strict, credentials, somewhere(), peer=here))


def test_an_address_fails_ten_times_as_often(strict: str, credentials: dict[str, str]) -> None:
    """Who tries one account after the other is stopped too, with whichever comes next."""
    here = somewhere()
    for _ in range(10):
        oauth_error(attempt(strict, nobody(), peer=here), "invalid_grant")
    too_many(attempt(strict, nobody(), peer=here))
    too_many(attempt(strict, credentials, peer=here))
    assert attempt(strict, credentials, peer=somewhere()).status_code == 200


def test_an_account_fails_ten_times_as_often(strict: str, credentials: dict[str, str]) -> None:
    """Who tries one account from many addresses is stopped too; of one they count but once."""
    for _ in range(10):
        here = somewhere()
        oauth_error(attempt(strict, wrong(credentials), peer=here), "invalid_grant")
        too_many(attempt(strict, wrong(credentials), peer=here))
    too_many(attempt(strict, credentials, peer=somewhere()))


def test_who_is_refused_locks_nobody_out(strict: str, credentials: dict[str, str]) -> None:
    """Attempts that are refused count for their address alone, however many come at once."""
    here = somewhere()
    oauth_error(attempt(strict, wrong(credentials), peer=here), "invalid_grant")
    ended = threading.Event()

    def insist() -> None:
        while not ended.is_set():
            too_many(attempt(strict, wrong(credentials), peer=here))

    with ThreadPoolExecutor(40) as pool:
        insisting = [pool.submit(insist) for _ in range(40)]
        answers = [attempt(strict, credentials, peer=somewhere()) for _ in range(5)]
        ended.set()
    for one in insisting:
        one.result()
    assert [answer.status_code for answer in answers] == [200] * 5


def test_a_limit_of_none_counts_nothing(service: Service, credentials: dict[str, str]) -> None:
    """With `LOGIN_ATTEMPTS=0` it is the proxy's business."""
    assert service.env["LOGIN_ATTEMPTS"] == "0"
    for _ in range(12):
        oauth_error(attempt(service.base_url, wrong(credentials)), "invalid_grant")


def test_redis_is_not_told_who_tries(
    limited: str, service: Service, credentials: dict[str, str]
) -> None:
    """What is counted has an end, and names neither account nor address."""
    with service.cache.client() as redis:
        before = {*redis.scan_iter()}
        attempt(limited, wrong(credentials), "192.0.2.77")
        added = {*redis.scan_iter()} - before
        assert len(added) == 3
        for key in added:
            assert key.startswith(b"attempts:")
            assert credentials["username"].encode() not in key
            assert b"192.0.2.77" not in key
            assert 0 < redis.ttl(key) <= 900


def test_a_refresh_is_not_counted(limited: str) -> None:
    """Nobody guesses a refresh token: a client with an old one locks nobody out."""
    with connect(limited) as client:
        for _ in range(12):
            form = {"grant_type": "refresh_token", "refresh_token": "unheard-of"}
            oauth_error(client.post(TOKEN, data=form), "invalid_grant")
