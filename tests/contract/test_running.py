"""Running it: logs and an orderly end, as a twelve-factor process."""

import json
import secrets
import socket
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import httpx
import psutil
import pytest

from .client import (
    BOOKS,
    ME,
    REVOKE,
    TOKEN,
    USERS,
    bearer,
    connect,
    get,
    load,
    login,
    refresh,
    register,
    utc,
)
from .processes import IN_ORDER, Process, accepts, listens, until
from .service import OTHERWISE, Service

# One process takes its time to end while the other tests run: see `stalled`.
pytestmark = pytest.mark.usefixtures("stalled")


def test_release_may_run_again(service: Service) -> None:
    """`release` on a database that is up to date changes nothing and ends with 0."""
    before = service.rows()
    release = service.process("release", "release-again")
    release.start()
    assert release.wait(60) == 0, release.output()
    assert service.rows() == before


def logged(process: Process, request_id: str) -> list[dict[str, Any]]:
    return [event for event in process.events() if event.get("request_id") == request_id]


def test_a_request_is_one_line_in_the_log(service: Service, anonymous: httpx.Client) -> None:
    """The log has one JSON object for a request, with the members of the contract."""
    request_id = secrets.token_hex(8)
    anonymous.get(f"{BOOKS}?page_size=1", headers={"X-Request-ID": request_id})
    lines = until(
        lambda: logged(service.web, request_id), within=20, failing="the request is not in the log"
    )
    [line] = [line for line in lines if "status" in line]
    assert {"timestamp", "level", "event", "request_id", "duration_ms"} <= {*line}
    assert (line["method"], line["path"], line["status"]) == ("GET", BOOKS, 200)
    assert abs(utc(line["timestamp"]).timestamp() - time.time()) < 60


def test_the_duration_of_a_request_is_in_milliseconds(
    service: Service, anonymous: httpx.Client, make_book: Callable[..., dict[str, Any]]
) -> None:
    """`duration_ms` is how long the request took, waiting included."""
    path = f"{BOOKS}/{make_book()['id']}"  # which no replica is asked for
    request_id = secrets.token_hex(8)
    headers = {"X-Request-ID": request_id}
    with ThreadPoolExecutor(1) as pool:
        with service.locked("book"):
            answer = pool.submit(anonymous.get, path, headers=headers)
            until(service.waiting, within=20, failing="the request does not wait")
            time.sleep(0.3)  # The time that it takes is what is measured.
        answer.result()
    lines = until(
        lambda: logged(service.web, request_id), within=20, failing="the request is not in the log"
    )
    [duration] = [line["duration_ms"] for line in lines if "status" in line]
    assert 300 <= duration < 5000


@pytest.mark.parametrize(
    ("path", "status"), [("/nowhere", 404), (ME, 401), (f"{BOOKS}?page=0", 422)]
)
def test_a_refused_request_is_in_the_log(
    service: Service, anonymous: httpx.Client, path: str, status: int
) -> None:
    """A request that is refused is logged as one that is not."""
    request_id = secrets.token_hex(8)
    anonymous.get(path, headers={"X-Request-ID": request_id})
    lines = until(
        lambda: logged(service.web, request_id), within=20, failing="the request is not in the log"
    )
    assert [line["status"] for line in lines if "status" in line] == [status]


def test_every_line_of_the_log_is_an_object(service: Service, anonymous: httpx.Client) -> None:
    """Logs are one JSON object a line on stdout, each with `timestamp`, `level` and `event`."""
    register(anonymous)
    for process in [service.release, *service.processes]:
        for event in process.events():
            assert {"timestamp", "level", "event"} <= {*event}, f"{process.name}: {event}"
            utc(event["timestamp"])
    for process in service.processes:
        until(process.lines, within=20, failing=f"{process.name} logs nothing")


def test_no_secret_is_in_the_log(service: Service, anonymous: httpx.Client) -> None:
    """The logs have never a password, a token or a query string's secrets, nor the settings'."""
    marks = {name: secrets.token_hex(20) for name in ("password", "wrong", "query", "made up")}
    credentials = register(anonymous, password=marks["password"])
    pair = login(anonymous, credentials)
    renewed = refresh(anonymous, pair["refresh_token"]).json()
    anonymous.get(ME, headers=bearer(pair["access_token"]))
    anonymous.get(ME, headers=bearer(marks["made up"]))
    refresh(anonymous, marks["made up"])
    refresh(anonymous, pair["refresh_token"])
    anonymous.post(REVOKE, data={"token": renewed["refresh_token"]})
    wrong = {"grant_type": "password", **credentials, "password": marks["wrong"]}
    anonymous.post(TOKEN, data=wrong)
    anonymous.post(TOKEN, json=wrong)
    anonymous.post(USERS, json={"email": "x", "password": marks["wrong"]})
    anonymous.post(USERS, json={"email": credentials["username"], "password": marks["wrong"]})
    anonymous.post(USERS, content=json.dumps({"password": marks["wrong"]})[:-1])
    for name in ("token", "access_token", "refresh_token", "password", "secret", "api_key", "code"):
        for path in (BOOKS, ME, "/nowhere"):
            anonymous.get(path, params={name: marks["query"]})
    request_id = secrets.token_hex(8)
    anonymous.get("/nowhere", headers={"X-Request-ID": request_id})
    until(lambda: logged(service.web, request_id), within=20, failing="nothing is in the log")
    hidden = marks | {f"first {k}": pair[k] for k in ("access_token", "refresh_token")}
    hidden |= {f"second {k}": renewed[k] for k in ("access_token", "refresh_token")}
    hidden |= {"SECRET_KEY": service.secret_key, "a hash": "$argon2"}
    hidden |= {f"secret {n} of the database": s for n, s in enumerate(service.database.secrets)}
    hidden |= {f"{v.name}'s password": v.password for v in (service.cache, service.broker)}
    for process in [service.release, *service.processes]:
        told = {name for name, secret in hidden.items() if secret in process.output()}
        assert not told, f"{process.name} tells {told}"


def test_log_level_hides_what_is_below(service: Service, another: tuple[Process, str]) -> None:
    """`LOG_LEVEL` is the least level that is logged: of two requests, the one that has failed."""
    assert OTHERWISE["LOG_LEVEL"] == "error"
    web, base_url = another
    good, bad = secrets.token_hex(8), secrets.token_hex(8)
    with connect(base_url) as client:
        client.get(BOOKS, headers={"X-Request-ID": good})
        with service.renamed("book", "title", "once"):
            response = client.get(f"{BOOKS}?search={bad}", headers={"X-Request-ID": bad})
            assert response.status_code == 500
    until(lambda: logged(web, bad), within=20, failing="the failure is not in the log")
    assert not logged(web, good)
    assert {event["level"] for event in web.events()} <= {"error", "critical"}


def test_development_logs_for_people(development: tuple[Process, str]) -> None:
    """The log is human-readable in development: the request is there, but not as JSON."""
    web, base_url = development
    get(f"{base_url}/nowhere")
    [line, *_] = until(
        lambda: [line for line in web.output().splitlines() if "/nowhere" in line],
        within=5,
        failing="the request is not in the log",
    )
    with pytest.raises(json.JSONDecodeError):
        json.loads(line)


@pytest.fixture(scope="session")
def stalled(service: Service) -> Iterator[Future[tuple[int, float]]]:
    """End a process whose client never sends the rest of its body; tell how, and how long it took.

    It goes on beside the other tests, for it may take half a minute.
    """

    def end(web: Process) -> tuple[int, float]:
        started = time.monotonic()
        web.terminate()
        return web.wait(60), time.monotonic() - started

    with ThreadPoolExecutor(1) as pool, service.another_web() as (web, base_url):
        address = ("127.0.0.1", httpx.URL(base_url).port or 0)
        with socket.create_connection(address) as slow, socket.create_connection(address):
            head = f"POST {USERS} HTTP/1.1\r\nHost: test\r\nContent-Type: application/json\r\n"
            slow.sendall(f"{head}Content-Length: 100\r\n\r\n{{".encode())
            time.sleep(0.2)  # There is no sign of a server that has begun to wait.
            yield pool.submit(end, web)


def test_requests_in_flight_are_finished(service: Service) -> None:
    """On SIGTERM it stops accepting, finishes the requests in flight, and ends by itself."""
    # Without a replica, which would answer while the primary's table is locked.
    without = {"DATABASE_REPLICA_URL": None}
    with service.another_web(**without) as (web, base_url), ThreadPoolExecutor(4) as pool:
        port = httpx.URL(base_url).port or 0
        with service.locked("book"):
            addresses = [f"{base_url}{BOOKS}?search={secrets.token_hex(8)}" for _ in range(4)]
            answers = [pool.submit(get, address, timeout=30) for address in addresses]
            until(lambda: service.waiting() >= 4, within=20, failing="nothing is in flight")
            web.terminate()
            until(lambda: not accepts(port), within=5, failing="it still accepts connections")
            assert not any(answer.done() for answer in answers)
        assert [answer.result().status_code for answer in answers] == [200] * 4
        assert web.wait(30) in IN_ORDER


def test_web_processes_alone_listen(service: Service) -> None:
    """No worker does, nor beat, unless Prometheus is to ask it."""
    asked = service.answers.get("monitoring") == "grafana"
    others = {service.beat} if asked else {service.worker, service.beat}
    assert listens(service.web)
    assert [process.name for process in others if process and listens(process)] == []


def is_alive(process: psutil.Process) -> bool:
    return process.is_running() and process.status() != psutil.STATUS_ZOMBIE


def test_sigterm_under_load_breaks_no_request(service: Service) -> None:
    """On SIGTERM under load each request is answered in full or, if it came later, refused."""
    with service.another_web() as (web, base_url):
        family = web.tree()
        with load(base_url, lambda: BOOKS) as found:
            until(lambda: len(found.answers) > 100, within=60, failing="there is no load")
            told = time.monotonic()
            web.terminate()
            status = web.wait(30)
        assert status in IN_ORDER
        assert found.statuses == {200}
        assert found.broken_before(told) == []
        # Python's tracker of resources ends when it sees that the others are gone.
        until(lambda: not any(is_alive(one) for one in family), within=5, failing="some are left")


@pytest.mark.last
def test_it_ends_within_30_seconds_whatever_its_clients_do(
    stalled: Future[tuple[int, float]],
) -> None:
    """It ends within 30 s of SIGTERM, also when a client never finishes its request."""
    status, seconds = stalled.result()
    assert seconds <= 30
    assert status in IN_ORDER
