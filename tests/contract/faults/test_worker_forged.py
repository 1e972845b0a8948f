"""Whoever may write to the broker has no code run by the worker, and does not command it."""

import json
import pickle
import subprocess
from pathlib import Path
from typing import Any

import httpx
import pytest

from ..brokers import QUEUE, Change
from ..processes import until
from ..service import Service
from ..test_forged import Code
from .outages import ask, done

pytestmark = pytest.mark.usefixtures("with_tasks")


def send(service: Service, user: httpx.Client, change: Change) -> str:
    """Put a message beside that of a report, which differs from it; return the report's path.

    The worker meets the changed one first.
    """
    service.worker.stop()
    path = ask(user)
    service.broker.forge(change)
    service.worker.start()
    return path


def test_a_pickle_on_the_broker_is_never_opened(
    service: Service, user: httpx.Client, tmp_path: Path
) -> None:
    """Nothing that the broker says is code: the message is refused, and the worker goes on."""
    trap = tmp_path / "trap"

    def change(message: dict[str, Any]) -> None:
        message["content-type"] = "application/x-python-serialize"
        message["body"] = pickle.dumps(([Code(trap)], {}, {}))

    done(user, send(service, user, change))
    assert not trap.exists()


@pytest.mark.parametrize(
    "arguments", [[], [[]], ["1; DROP TABLE books"], [{}], [None], [1, 2], [2**80]], ids=repr
)
def test_a_task_of_other_arguments_ends_no_worker(
    service: Service, user: httpx.Client, arguments: list[Any]
) -> None:
    """It is a line in the log, and the next task is done."""

    def change(message: dict[str, Any]) -> None:
        message["body"] = json.dumps([arguments, {}, {}]).encode()

    done(user, send(service, user, change))
    assert service.worker.running


def test_a_task_that_is_none_of_ours_ends_no_worker(service: Service, user: httpx.Client) -> None:
    def change(message: dict[str, Any]) -> None:
        message["headers"]["task"] = "os.system"
        message["body"] = json.dumps([["true"], {}, {}]).encode()

    done(user, send(service, user, change))
    assert service.worker.running


@pytest.mark.parametrize(
    "command",
    [
        ["inspect", "--timeout", "2", "conf"],
        ["inspect", "--timeout", "2", "report"],
        ["control", "--timeout", "2", "cancel_consumer", QUEUE],
        ["control", "--timeout", "2", "rate_limit", "app.tasks.compute_report", "1/h"],
        ["control", "--timeout", "2", "shutdown"],
    ],
    ids=lambda command: command[-1],
)
def test_nobody_commands_the_worker_by_the_broker(
    service: Service, user: httpx.Client, command: list[str]
) -> None:
    """It tells nobody its settings, and goes on with its work."""
    with pytest.raises(subprocess.CalledProcessError) as refusal:
        service.run([*service.celery, *command])
    assert refusal.value.stdout.strip() == ""
    assert service.broker.password not in refusal.value.stderr
    done(user, ask(user))


def test_the_password_of_the_broker_is_not_logged(service: Service, user: httpx.Client) -> None:
    """Neither when the worker starts, nor when it loses the broker."""
    service.worker.stop()
    service.worker.start()
    service.broker.kill()
    before = len(service.worker.lines())
    until(lambda: len(service.worker.lines()) > before, within=15, failing="it tells of no loss")
    service.broker.start()
    done(user, ask(user))
    for process in service.processes:
        assert service.broker.password not in process.output()
