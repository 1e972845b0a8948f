"""The log: what a line says, how it is written, and what never stands in it."""

import json
import logging
import sys
from collections.abc import Iterator
from io import StringIO

import pytest
import structlog
from structlog.contextvars import merge_contextvars
from structlog.testing import capture_logs

from app.logs import configure_logging
from app.settings import settings
from tests.fixtures import Client


def test_each_request_is_logged_with_its_outcome(client: Client) -> None:
    with capture_logs([merge_contextvars]) as logs:
        client.get("/healthz", headers={"X-Request-ID": "r-1"})

    (line,) = [line for line in logs if line["event"] == "request"]
    assert line["duration_ms"] >= 0
    expected = {"request_id": "r-1", "method": "GET", "path": "/healthz", "status": 200}
    assert line.items() >= expected.items()


def test_no_secret_is_logged(client: Client) -> None:
    account = {"email": "new@example.org", "password": "my secret password"}
    with capture_logs([merge_contextvars]) as logs:
        client.post("/api/v1/users?key=my-secret-key", json=account)
        client.get("/api/v1/books", headers={"Authorization": "Bearer my-secret-token"})

    assert logs
    assert "secret" not in json.dumps(logs)


@pytest.fixture
def output(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> Iterator[StringIO]:
    """Give what is written to stdout, readable or not as the test is parametrized with."""
    output = StringIO()
    with monkeypatch.context() as patch:
        patch.setattr(sys, "stdout", output)
        configure_logging("info", readable=request.param == "readable")
        structlog.contextvars.clear_contextvars()  # of the last request
        yield output
    configure_logging(settings.log_level, readable=False)


@pytest.mark.parametrize("output", ["JSON"], indirect=True)
def test_a_line_is_a_json_object_whoever_logs_it(output: StringIO) -> None:
    structlog.get_logger().info("by the application", answer=42)
    logging.getLogger("library").warning("by a %s", "library")

    ours, theirs = map(json.loads, output.getvalue().splitlines())

    assert ours.keys() == {"timestamp", "level", "event", "answer"}
    assert theirs.items() >= {"level": "warning", "event": "by a library"}.items()


@pytest.mark.parametrize("output", ["JSON"], indirect=True)
def test_an_exception_is_one_line_too(output: StringIO) -> None:
    try:
        raise RuntimeError("oh")
    except RuntimeError:
        structlog.get_logger().exception("it broke")

    (line,) = output.getvalue().splitlines()

    assert "RuntimeError: oh" in json.loads(line)["exception"]


@pytest.mark.parametrize("output", ["readable"], indirect=True)
def test_a_line_can_be_for_human_readers(output: StringIO) -> None:
    structlog.get_logger().info("good morning")

    assert "good morning" in output.getvalue()
    assert not output.getvalue().startswith("{")
