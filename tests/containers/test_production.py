"""compose.prod.yaml: nothing starts without secrets; what starts stays up, within its limits."""

import re
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from contract.client import BOOKS, REPORTS, book, connect, signed_in
from contract.processes import until

from .conftest import EACH
from .stack import DATABASES, Stack, inspect, say

REQUIRED = {"IMAGE", "SECRET_KEY", "POSTGRES_PASSWORD", "REDIS_PASSWORD"}


@pytest.fixture(scope="module")
def secret(stack: Stack) -> dict[str, str]:
    """What a host has to be told."""
    text = (stack.project / "compose.prod.yaml").read_text("utf-8")
    passwords = {*re.findall(r"\$\{(\w+_PASSWORD):\?", text)}
    return {
        "IMAGE": stack.container("web")["Config"]["Image"],
        "SECRET_KEY": secrets.token_urlsafe(36),
        "ALLOWED_HOSTS": "127.0.0.1",
        **{name: secrets.token_hex(24) for name in passwords},
    }


@pytest.fixture
def host(generated: Path, tmp_path: Path) -> Path:
    """A directory on the host: with the file, and nothing else of the project."""
    for name in ("compose.prod.yaml", ".copier-answers.yml"):
        (tmp_path / name).write_text((generated / name).read_text())
    return tmp_path


@pytest.fixture
def production(host: Path, generated: Path) -> Iterator[Stack]:
    """The production stack, of which nothing runs yet."""
    stack = Stack(host, f"production-{generated.name}", "compose.prod.yaml")
    # By its name alone: with the file, compose would want the secrets.
    down = ("compose", "--project-name", stack.name, "down", "--volumes", "--timeout", "10")
    say(*down)  # what a run that was cut off has left
    try:
        yield stack
    finally:
        say(*down)


def is_rabbitmq(container: dict[str, Any]) -> bool:
    return container["Config"]["Image"].startswith("rabbitmq:")


@EACH
def test_it_names_what_it_has_to_be_told(
    production: Stack, secret: dict[str, str], told: dict[str, str]
) -> None:
    text = (production.project / production.file).read_text("utf-8")
    wanted = {*re.findall(r"\$\{(\w+):\?", text)}
    assert wanted == REQUIRED | ({"ALLOWED_HOSTS"} if told["framework"] == "django-drf" else set())
    for name in sorted(wanted):
        for value in ({}, {name: ""}):
            others = {key: value for key, value in secret.items() if key != name}
            done = production.run("up", "--detach", **others, **value)
            assert done.returncode != 0
            assert name in done.stdout
            assert "must" in done.stdout
    assert production.identifiers() == []


@EACH
def test_it_does_not_serve_with_the_key_of_development(
    production: Stack, secret: dict[str, str]
) -> None:
    """The migrations do not begin, and so nothing else does."""
    key = "for-development-only-never-in-production"
    production.environment |= secret | {"SECRET_KEY": key}
    assert production.run("up", "--detach", "--wait").returncode != 0
    assert "SECRET_KEY" in production("logs", "migrate")
    assert production.container("web")["State"]["Status"] == "created"


def test_it_serves_and_comes_back(
    production: Stack, secret: dict[str, str], told: dict[str, str]
) -> None:
    """From an `.env` beside the file: healthy, confined, limited, and up again after an end."""
    settings = secret | {"LOG_LEVEL": "warning", "CORS_ORIGINS": "https://books.example.org"}
    lines = [f"{name}={value}\n" for name, value in settings.items()]
    (production.project / ".env").write_text("".join(lines))
    production.up()
    for identifier in production.identifiers():
        container = inspect(identifier)
        name, host = container["Name"].removesuffix("-1"), container["HostConfig"]
        ports = container["NetworkSettings"]["Ports"] or {}
        published = {binding["HostIp"] for bindings in ports.values() for binding in bindings or []}
        assert published == ({"127.0.0.1"} if name.endswith("-web") else set())
        restarts = "no" if name.endswith("-migrate") else "unless-stopped"
        assert host["RestartPolicy"]["Name"] == restarts
        assert host["LogConfig"]["Config"] == {"max-file": "5", "max-size": "10m"}
        assert host["Memory"] > 0
        assert host["NanoCpus"] > 0
        assert host["PidsLimit"] > 0
        assert host["CapDrop"] == ["ALL"]
        assert container["Config"]["User"] not in {"", "root", "0"}
        writes = name.endswith((*DATABASES, "replica")) or is_rabbitmq(container)
        assert host["ReadonlyRootfs"] or writes

    with signed_in(production.base_url) as user:
        response = user.get(BOOKS, headers={"Origin": "https://books.example.org"})
        assert response.headers["Access-Control-Allow-Origin"] == "https://books.example.org"
        path = user.post(BOOKS, json=book()).headers["Location"]
        if production.has_tasks:
            report = user.post(REPORTS).headers["Location"]
            until(
                lambda: user.get(report).json()["status"] == "done",
                within=30,
                failing=lambda: f"the report is never done:\n{production.tail()}",
            )
    if told["framework"] == "django-drf":  # browsers meet the admin site by TLS alone
        with connect(production.base_url) as browser:
            by_tls = {"X-Forwarded-Proto": "https"}
            assert browser.get("/admin/login/", headers=by_tls).status_code == 200
            assert browser.get("/admin/login/").is_redirect
    # The cache drops what is old, the broker nothing; the password of both is in no command.
    policies = {"cache": "allkeys-lru", "broker": "noeviction"}
    servers = production("config", "--services").split()
    for service, policy in policies.items():
        if service not in servers or is_rabbitmq(production.container(service)):
            continue
        ask = ["redis-cli", "config", "get", "maxmemory-policy"]
        assert policy in production("exec", "-T", service, *ask)
        stranger = production.run("exec", "-T", "-e", "REDISCLI_AUTH=", service, *ask)
        assert policy not in stranger.stdout
        processes = say("top", production.container(service)["Id"], "-eo", "pid,args")
        assert secret["REDIS_PASSWORD"] not in processes
    # What ends is started again, whoever ended it.
    program = "import os, signal; os.kill(1, signal.SIGTERM)"
    for service in production.services:
        production("exec", "-T", service, "python", "-c", program)
    for service in production.services:
        until(
            lambda service=service: production.container(service)["RestartCount"] == 1,
            within=60,
            failing=f"{service} is not started again",
        )
        production.wait_until(service, "healthy")
    with connect(production.base_url) as client:
        assert client.get(path).status_code == 200
        assert client.get("/readyz").json()["status"] == "ok"
