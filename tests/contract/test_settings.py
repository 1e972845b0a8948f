"""Settings: from the environment, refused before it listens, and heeded."""

import ast
import base64
import fcntl
import hmac
import re
import secrets
import tempfile
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from .client import connect, get, login, register
from .processes import Process, accepts, free_port, leaves, listens, until
from .service import OTHERWISE, Service

REFUSED: dict[str, dict[str, str | None]] = {
    "SECRET_KEY missing": {"SECRET_KEY": None},
    "SECRET_KEY empty": {"SECRET_KEY": ""},
    "SECRET_KEY of 31 bytes": {"SECRET_KEY": "Y9-x4_Tq0" * 3 + "ab.Z"},
    "DATABASE_URL missing": {"DATABASE_URL": None},
    "DATABASE_URL empty": {"DATABASE_URL": ""},
    "DATABASE_URL without a scheme": {"DATABASE_URL": "not-a-url"},
    "DATABASE_URL of another database": {"DATABASE_URL": "oracle://root:hunter2.hunter2@db/app"},
    "REDIS_URL missing": {"REDIS_URL": None},
    "REDIS_URL empty": {"REDIS_URL": ""},
    "REDIS_URL without a scheme": {"REDIS_URL": "127.0.0.1:6379"},
    "REDIS_URL of something else": {"REDIS_URL": "http://user:hunter2.hunter2@cache/0"},
    "CELERY_BROKER_URL missing": {"CELERY_BROKER_URL": None},
    "CELERY_BROKER_URL empty": {"CELERY_BROKER_URL": ""},
    "CELERY_BROKER_URL without a scheme": {"CELERY_BROKER_URL": "127.0.0.1:6379"},
    "ENVIRONMENT unheard-of": {"ENVIRONMENT": "staging"},
    "LOG_LEVEL unheard-of": {"LOG_LEVEL": "loud"},
    "CORS_ORIGINS without a scheme": {"CORS_ORIGINS": "app.example.org"},
    "CORS_ORIGINS with a path": {"CORS_ORIGINS": "https://app.example.org/shop"},
    "WEB_CONCURRENCY of none": {"WEB_CONCURRENCY": "0"},
    "WEB_CONCURRENCY in words": {"WEB_CONCURRENCY": "two"},
    "HOST by name": {"HOST": "localhost"},
    "HOST with a port": {"HOST": "[::]:8000"},
    "KEEP_ALIVE of none": {"KEEP_ALIVE": "0"},
    "KEEP_ALIVE in words": {"KEEP_ALIVE": "a minute"},
    "PORT in words": {"PORT": "http"},
    "PORT out of range": {"PORT": "70000"},
    "LOGIN_LIFETIME_DAYS of none": {"LOGIN_LIFETIME_DAYS": "0"},
    "LOGIN_LIFETIME_DAYS in words": {"LOGIN_LIFETIME_DAYS": "a month"},
    "LOGIN_LIFETIME_DAYS beyond any": {"LOGIN_LIFETIME_DAYS": "9999999999"},
    "LOGIN_ATTEMPTS below none": {"LOGIN_ATTEMPTS": "-1"},
    "LOGIN_ATTEMPTS in words": {"LOGIN_ATTEMPTS": "few"},
    "TRUSTED_PROXIES below none": {"TRUSTED_PROXIES": "-1"},
    "TRUSTED_PROXIES by address": {"TRUSTED_PROXIES": "10.0.0.1"},
    "SMTP_URL without a scheme": {"SMTP_URL": "127.0.0.1"},
    "MAIL_FROM without a domain": {"MAIL_FROM": "library"},
    "MAIL_FROM without its end": {"MAIL_FROM": "Library <library@example.org"},
    "MAIL_FROM of two": {"MAIL_FROM": "library@example.org, shop@example.org"},
    "MAIL_FROM with a header": {"MAIL_FROM": "library@example.org\nBcc: all@example.org"},
    "MAIL_FROM beyond ASCII": {"MAIL_FROM": "bücher@example.org"},
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
        "LOGIN_ATTEMPTS": service.has_cache or service.has_feed,
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


def test_a_bad_origin_is_told_with_what_to_write(service: Service) -> None:
    """`CORS_ORIGINS` are as browsers write them, and others never match (RFC 6454, section 6.2).

    Each of these is named, with what to write in its place.
    """
    browsers = "https://app.example.org"
    cases = {
        "https://App.example.org": browsers,
        "HTTPS://app.example.org": browsers,
        "https://app.example.org:443": browsers,
        "https://app.example.org/": browsers,
        "https://app.example.org/shop": browsers,
        "https://ada@app.example.org": browsers,
        "http://app.example.org:08080": "http://app.example.org:8080",
        "https://bücher.example": "https://xn--bcher-kva.example",
        "http://127.1:8000": "http://127.0.0.1:8000",
        "http://[0:0::1]:8000": "http://[::1]:8000",
        "https://*.example.org": "each origin by its name",
        "*": "each origin by its name",
        "null": "each origin by its name",
        "app.example.org": "an origin such as https://example.org",
        "file:///srv/www": "an origin such as https://example.org",
        "https://app.example.org:99999": "an origin such as https://example.org",
    }
    output = refusal(service, "web", {"CORS_ORIGINS": ", ".join([browsers, *cases])})
    [line] = [line for line in output.splitlines() if line.startswith("CORS_ORIGINS: ")]
    for text, right in cases.items():
        assert f"{text!r} (write {right})" in line
    assert repr(browsers) not in line


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


# What has no default in production, and the port, whose default others may have.
REQUIRED = {"ALLOWED_HOSTS", "CELERY_BROKER_URL", "DATABASE_URL", "PORT", "REDIS_URL", "SECRET_KEY"}


@pytest.mark.parametrize("kind", ["web", "worker"])
def test_an_empty_setting_is_an_unset_one(service: Service, kind: str) -> None:
    """Every setting of `.env.example` that has a default has it also where it is empty."""
    if kind not in service.project.procfile:
        pytest.skip("generated without tasks")
    example = (service.project.path / ".env.example").read_text("utf-8")
    named = {*re.findall(r"^#?([A-Z_]+)=", example, re.MULTILINE)}
    assert {"ENVIRONMENT", "LOG_LEVEL", "WEB_CONCURRENCY"} <= named
    port = free_port()
    empty: dict[str, str | None] = dict.fromkeys(named - REQUIRED, "")
    process = service.process(kind, f"empty-{kind}", PORT=str(port), **empty)
    process.start()
    try:
        works = (lambda: accepts(port)) if kind == "web" else process.lines
        until(lambda: works() or not process.running, within=20, failing="it does not start")
        assert process.running, process.output()
    finally:
        process.stop()


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


@pytest.mark.parametrize("port", [None, ""], ids=["unset", "empty"])
def test_the_port_is_8000_if_unset(service: Service, port: str | None) -> None:
    """`web` listens on 8000 if `$PORT` is unset, or empty."""
    web = service.process("web", f"web-{port}-8000", PORT=port)
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
