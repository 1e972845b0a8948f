"""Running it: settings, logs and an orderly end, as a twelve-factor process."""

import ast
import base64
import fcntl
import hmac
import json
import secrets
import signal
import socket
import tempfile
import time
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
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
from .processes import Process, accepts, free_port, leaves, listens, until
from .service import OTHERWISE, Service

# One process takes its time to end while the other tests run: see `stalled`.
pytestmark = pytest.mark.usefixtures("stalled")

REFUSED: dict[str, dict[str, str | None]] = {
    "SECRET_KEY missing": {"SECRET_KEY": None},
    "SECRET_KEY empty": {"SECRET_KEY": ""},
    "SECRET_KEY of 31 bytes": {"SECRET_KEY": "Y9-x4_Tq0" * 3 + "ab.Z"},
    "DATABASE_URL missing": {"DATABASE_URL": None},
    "DATABASE_URL empty": {"DATABASE_URL": ""},
    "DATABASE_URL without a scheme": {"DATABASE_URL": "not-a-url"},
    "DATABASE_URL of another database": {"DATABASE_URL": "mysql://root:hunter2.hunter2@db/app"},
    "REDIS_URL missing": {"REDIS_URL": None},
    "REDIS_URL without a scheme": {"REDIS_URL": "127.0.0.1:6379"},
    "REDIS_URL of something else": {"REDIS_URL": "http://user:hunter2.hunter2@cache/0"},
    "CELERY_BROKER_URL missing": {"CELERY_BROKER_URL": None},
    "CELERY_BROKER_URL without a scheme": {"CELERY_BROKER_URL": "127.0.0.1:6379"},
    "ENVIRONMENT unheard-of": {"ENVIRONMENT": "staging"},
    "LOG_LEVEL unheard-of": {"LOG_LEVEL": "loud"},
    "CORS_ORIGINS without a scheme": {"CORS_ORIGINS": "app.example.org"},
    "CORS_ORIGINS with a path": {"CORS_ORIGINS": "https://app.example.org/shop"},
    "WEB_CONCURRENCY of none": {"WEB_CONCURRENCY": "0"},
    "WEB_CONCURRENCY in words": {"WEB_CONCURRENCY": "two"},
    "PORT in words": {"PORT": "http"},
    "PORT out of range": {"PORT": "70000"},
    "SMTP_URL without a scheme": {"SMTP_URL": "127.0.0.1"},
    "MAIL_FROM without a domain": {"MAIL_FROM": "library"},
}
# What a key has to be depends on the environment, which is right wherever a key is tried.
APART = {"SECRET_KEY", "ENVIRONMENT"}


def variable(case: str) -> str:
    [name] = REFUSED[case]
    return name


def together(first: str, second: str) -> bool:
    """Tell whether one process can be given both cases."""
    names = {variable(first), variable(second)}
    return len(names) == 2 and names != APART


def rounds(cases: Iterable[str]) -> list[list[str]]:
    """Give each case to the first process that can have it beside what it is given already."""
    found: list[list[str]] = []
    for case in cases:
        free = [given for given in found if all(together(case, other) for other in given)]
        if free:
            free[0].append(case)
        else:
            found.append([case])
    return found


def starts(cases: Iterable[str]) -> pytest.MarkDecorator:
    """Have a process refuse all that it can at once; with `--everything` each case alone too."""
    alone = [pytest.param([case], id=case, marks=pytest.mark.everything) for case in cases]
    joint = [pytest.param(given, id=f"{len(given)} at once") for given in rounds(cases)]
    return pytest.mark.parametrize("cases", [*joint, *alone])


def refused(service: Service, kind: str, cases: list[str]) -> None:
    """Run a process that must not start, and check what it says instead."""
    optional = {
        "REDIS_URL": service.has_cache or service.has_feed,
        "CELERY_BROKER_URL": service.has_tasks,
        "SMTP_URL": service.has_tasks,
        "MAIL_FROM": service.has_tasks,
    }
    of_use = [case for case in cases if optional.get(variable(case), True)]
    if kind not in service.project.procfile or not of_use:
        pytest.skip("generated without what the setting is for")
    settings = {name: value for case in of_use for name, value in REFUSED[case].items()}
    check_refusal(refusal(service, kind, settings), settings)


def refusal(service: Service, kind: str, settings: dict[str, str | None]) -> str:
    """Run a process that must not start; return what it said instead."""
    settings = {"PORT": str(free_port()), **settings}
    process = service.process(kind, f"refused-{secrets.token_hex(4)}", **settings)
    process.start()
    try:
        deadline = time.monotonic() + 20
        while process.running:
            assert not listens(process), "it listens"
            assert time.monotonic() < deadline, f"it runs:\n{process.output()}"
            time.sleep(0.02)
        assert process.wait(1) != 0, f"it ended as if all were well:\n{process.output()}"
    finally:
        process.stop()
    return process.output()


def check_refusal(output: str, settings: dict[str, str | None]) -> None:
    """Check that each variable is named, with a reason in a line that names no other."""

    def reasons(name: str) -> list[str]:
        own = [line for line in output.splitlines() if {n for n in settings if n in line} == {name}]
        return [line for line in own if len(line.replace(name, "").strip(' :="{}')) > 10]

    silent = [name for name in settings if not reasons(name)]
    assert not silent, f"{silent} are not named with a reason:\n{output}"
    assert "Traceback" not in output
    assert "hunter2" not in output
    assert not settings.get("SECRET_KEY") or settings["SECRET_KEY"] not in output


@starts(REFUSED)
def test_a_bad_setting_is_refused_before_it_listens(service: Service, cases: list[str]) -> None:
    """A missing or malformed setting ends it before it listens; it says which and why."""
    refused(service, "web", cases)


@pytest.mark.parametrize("kind", ["release", "worker", "beat"])
@starts(["SECRET_KEY missing", "DATABASE_URL missing", "CELERY_BROKER_URL without a scheme"])
def test_every_process_refuses_a_bad_setting(service: Service, kind: str, cases: list[str]) -> None:
    """What `web` refuses, the other processes of the Procfile refuse in the same way."""
    refused(service, kind, cases)


def test_a_secret_key_of_32_bytes_is_enough(another: tuple[Process, str]) -> None:
    """Production refuses a `SECRET_KEY` shorter than 32 bytes, not one of 32."""
    assert len(OTHERWISE["SECRET_KEY"].encode()) == 32
    _, base_url = another
    assert get(f"{base_url}/healthz").status_code == 200


def literals(service: Service) -> set[str]:
    """Return every text that stands in the project's own files."""
    found = set()
    for file in service.project.path.rglob("*"):
        if file.suffix == ".py" and ".venv" not in file.parts:
            nodes = ast.walk(ast.parse(file.read_text("utf-8")))
            found |= {n.value for n in nodes if isinstance(n, ast.Constant)}
        elif file.name.startswith((".env.example", "compose")):
            found |= {*file.read_text("utf-8").replace("=", "\n").replace('"', "\n").split()}
    return {text for text in found if isinstance(text, str) and text}


@pytest.fixture(scope="module")
def development(service: Service) -> Iterator[tuple[Process, str]]:
    settings = {"ENVIRONMENT": "development", "SECRET_KEY": None, "WEB_CONCURRENCY": "1"}
    with service.another_web(**settings) as found:
        yield found


def test_production_refuses_the_development_default(
    service: Service, development: tuple[Process, str]
) -> None:
    """Production refuses the development default of `SECRET_KEY`.

    The default is that text in the project's files with which a development process signs.
    """
    _, base_url = development
    with connect(base_url) as client:
        token = login(client, register(client))["access_token"]

    message, _, signature = token.rpartition(".")

    def signs(key: str) -> bool:
        digest = hmac.digest(key.encode("utf-8", "surrogatepass"), message.encode(), "sha256")
        return base64.urlsafe_b64encode(digest).rstrip(b"=").decode() == signature

    [default] = filter(signs, literals(service))
    settings: dict[str, str | None] = {"SECRET_KEY": default}
    check_refusal(refusal(service, "web", settings), settings)


@contextmanager
def port_8000() -> Iterator[None]:
    """Have port 8000 for ourselves: services of other frameworks take it in turns."""
    with (Path(tempfile.gettempdir()) / "stackyard-port-8000").open("w") as turn:
        fcntl.flock(turn, fcntl.LOCK_EX)
        deadline = time.monotonic() + 30
        while accepts(8000):
            if time.monotonic() > deadline:
                pytest.skip("something else has port 8000")
            time.sleep(0.2)
        yield


def test_the_port_is_8000_if_unset(service: Service) -> None:
    """`web` listens on 8000 if `$PORT` is unset."""
    web = service.process("web", "web-8000", PORT=None)
    with port_8000():
        web.start()
        try:
            until(lambda: accepts(8000), within=15, failing=f"8000 is closed:\n{web.output()}")
            assert leaves(web, 8000)
        finally:
            web.stop()


def test_as_many_processes_serve_as_asked_for(service: Service) -> None:
    """`WEB_CONCURRENCY` is the number of web processes."""
    assert len(service.web_processes()) == 2


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
        lambda: logged(service.web, request_id), within=5, failing="the request is not in the log"
    )
    [line] = [line for line in lines if "status" in line]
    assert {"timestamp", "level", "event", "request_id", "duration_ms"} <= {*line}
    assert (line["method"], line["path"], line["status"]) == ("GET", BOOKS, 200)
    assert abs(utc(line["timestamp"]).timestamp() - time.time()) < 60


def test_the_duration_of_a_request_is_in_milliseconds(
    service: Service, anonymous: httpx.Client
) -> None:
    """`duration_ms` is how long the request took, waiting included."""
    request_id = secrets.token_hex(8)
    headers = {"X-Request-ID": request_id}
    with ThreadPoolExecutor(1) as pool:
        with service.locked("book"):
            answer = pool.submit(anonymous.get, f"{BOOKS}?search={request_id}", headers=headers)
            until(service.waiting, within=10, failing="the request does not wait")
            time.sleep(0.3)  # The time that it takes is what is measured.
        answer.result()
    lines = until(
        lambda: logged(service.web, request_id), within=5, failing="the request is not in the log"
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
        lambda: logged(service.web, request_id), within=5, failing="the request is not in the log"
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
        until(process.lines, within=10, failing=f"{process.name} logs nothing")


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
    until(lambda: logged(service.web, request_id), within=5, failing="nothing is in the log")
    hidden = marks | {f"first {k}": pair[k] for k in ("access_token", "refresh_token")}
    hidden |= {f"second {k}": renewed[k] for k in ("access_token", "refresh_token")}
    hidden |= {"SECRET_KEY": service.secret_key, "a hash": "$argon2"}
    hidden |= {"PostgreSQL's password": service.postgres.password}
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
    until(lambda: logged(web, bad), within=5, failing="the failure is not in the log")
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
    with service.another_web() as (web, base_url), ThreadPoolExecutor(4) as pool:
        port = httpx.URL(base_url).port or 0
        with service.locked("book"):
            addresses = [f"{base_url}{BOOKS}?search={secrets.token_hex(8)}" for _ in range(4)]
            answers = [pool.submit(get, address, timeout=30) for address in addresses]
            until(lambda: service.waiting() >= 4, within=10, failing="nothing is in flight")
            web.terminate()
            until(lambda: not accepts(port), within=5, failing="it still accepts connections")
            assert not any(answer.done() for answer in answers)
        assert [answer.result().status_code for answer in answers] == [200] * 4
        assert web.wait(30) in {0, -signal.SIGTERM}


def test_sigterm_under_load_breaks_no_request(service: Service) -> None:
    """On SIGTERM under load each request is answered in full or, if it came later, refused."""
    with service.another_web() as (web, base_url):
        family = web.tree()
        with load(base_url, lambda: BOOKS) as found:
            until(lambda: len(found.answers) > 100, within=15, failing="there is no load")
            told = time.monotonic()
            web.terminate()
            status = web.wait(30)
        assert status in {0, -signal.SIGTERM}
        assert found.statuses == {200}
        assert found.broken_before(told) == []
        assert not [p for p in family if p.is_running() and p.status() != psutil.STATUS_ZOMBIE]


@pytest.mark.last
def test_it_ends_within_30_seconds_whatever_its_clients_do(
    stalled: Future[tuple[int, float]],
) -> None:
    """It ends within 30 s of SIGTERM, also when a client never finishes its request."""
    status, seconds = stalled.result()
    assert seconds <= 30
    assert status in {0, -signal.SIGTERM}
