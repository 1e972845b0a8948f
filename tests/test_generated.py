"""The steps that `new` prints, run as they are printed, in a project of each combination."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from conftest import COMBINATIONS, Command, name_of

pytestmark = pytest.mark.slow

# They take so long that pytest-xdist shares them out.
GROUPED = [
    pytest.param(told, id=name_of(told), marks=pytest.mark.xdist_group(name_of(told)))
    for told in COMBINATIONS
]
BOTH_ENDS = [one for one in GROUPED if one.id.count("none") != 1]


@pytest.fixture
def tmp_path(open_path: Path) -> Path:
    return open_path


@pytest.fixture
def environment(
    told: dict[str, str], environment: dict[str, str], without_uv: dict[str, str]
) -> dict[str, str]:
    """Who wants neither cache nor tasks has no uv."""
    return without_uv if told == COMBINATIONS[-1] else environment


@pytest.fixture
def generated(stackyard: Command, told: dict[str, str]) -> tuple[Path, list[str]]:
    """A project and the commands that its summary said to run next."""
    data = [part for key, value in told.items() for part in ("-d", f"{key}={value}")]
    newest = ["--no-lock"] if os.environ.get("LATEST") else []
    done = stackyard("new", *data, "--json", *newest)
    assert done.returncode == 0, done.stderr
    made = json.loads(done.stdout)
    assert made["warnings"] == []
    return Path(made["path"]), made["next"]


@pytest.mark.parametrize("told", GROUPED)
def test_generated_suite_passes(
    stackyard: Command, generated: tuple[Path, list[str]], environment: dict[str, str]
) -> None:
    _, steps = generated
    assert steps[1] == "make test"
    for step in (f"{steps[0]} && {steps[1]}", f"{steps[0]} && make lint"):
        done = subprocess.run(
            step,
            shell=True,
            cwd=stackyard.directory,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout[-10_000:]


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


@pytest.mark.parametrize("told", BOTH_ENDS)
def test_make_dev_serves_until_it_is_interrupted(
    stackyard: Command, generated: tuple[Path, list[str]], environment: dict[str, str]
) -> None:
    _, steps = generated
    port = free_port()
    process = subprocess.Popen(
        f"{steps[0]} && exec {steps[2]}",
        shell=True,
        cwd=stackyard.directory,
        env=environment | {"PORT": str(port)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    try:
        deadline = time.monotonic() + 120
        ready = False
        while not ready and time.monotonic() < deadline and process.poll() is None:
            time.sleep(0.25)
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz") as answer:
                    ready = json.load(answer)["status"] == "ok"
            except (urllib.error.URLError, ConnectionError):
                continue
    finally:
        os.killpg(process.pid, signal.SIGINT)
        printed, _ = process.communicate(timeout=60)
    assert ready, printed
    assert "Traceback" not in printed
