"""What comes in no wheel: a project has it from `compose.yaml`, for as long as it needs it."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import amqp
import pytest

from combinations import DEFAULTS

from .conftest import generate
from .stack import containers_of, say


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    project = tmp_path_factory.mktemp("devservers") / "shop"
    generate(project, **DEFAULTS["flask"] | {"cache": "none", "broker": "rabbitmq"})
    return project


@contextmanager
def command(project: Path) -> Iterator[str]:
    """Run what lasts until it reads a line; give the URL that it was told."""
    words = [sys.executable, "devservers.py", "sh", "-c", "echo $CELERY_BROKER_URL; read line"]
    named = {"DATABASE_URL": "elsewhere://", "CELERY_BROKER_URL": ""}
    with subprocess.Popen(
        words,
        cwd=project,
        env=os.environ | named,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        yield process.stdout.readline().strip()
        process.stdin.close()


def connect(url: str) -> None:
    access, _, address = url.removeprefix("amqp://").removesuffix("//").rpartition("@")
    connection = amqp.Connection(address, *access.split(":"))
    try:
        connection.connect()
    finally:
        connection.collect()


def containers(project: Path) -> list[str]:
    """Return the project's own containers: others come and go while it runs."""
    settings = (project / ".dev/rabbitmq/compose.json").read_text("utf-8")
    return containers_of(json.loads(settings)["name"])


def test_rabbitmq_is_there_for_as_long_as_a_command_runs(project: Path) -> None:
    """The commands of a project share it; the last that ends removes it. Strangers are refused."""
    with ExitStack() as others:
        with command(project) as url:
            connect(url)
            assert others.enter_context(command(project)) == url
        connect(url)
        [container] = containers(project)
        assert say("port", container, "5672/tcp").startswith("127.0.0.1:")
        with pytest.raises(amqp.AccessRefused):
            connect(url.replace("app:", "app:not-"))
    assert containers(project) == []
    assert (project / ".dev/rabbitmq").stat().st_mode & 0o077 == 0
