"""The steps that `new` prints, run as they are printed, in a project of each combination.

The place is one that only its owner may enter, and its name has what means something to shells,
URLs, make and others. The locale that the user asks for is not there.
"""

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

from combinations import COMBINATIONS, DEFAULTS, LEAST, name_of
from conftest import Command, replace, run

pytestmark = pytest.mark.slow

WITHOUT_UV = COMBINATIONS[-1]


def case(told: dict[str, str], *marks: pytest.MarkDecorator) -> object:
    """Give a combination a group of its own, as it takes long; the defaults are always tried."""
    name = name_of(told)
    if told not in DEFAULTS.values():
        marks += (pytest.mark.judges("suite", name, listed=True),)
    return pytest.param(told, id=name, marks=[pytest.mark.xdist_group(f"suite-{name}"), *marks])


ALL = [case(told) for told in COMBINATIONS]
ENDS = [*DEFAULTS.values(), *LEAST.values()]
MORE = [told for told in COMBINATIONS if told not in ENDS]
BOTH_ENDS = [*map(case, ENDS), *(case(told, pytest.mark.everything) for told in MORE)]


PLACE = """-it's "b" & (c) 100% $HOME ;é?,[1]{a}#"""


@pytest.fixture
def tmp_path(tmp_path: Path) -> Path:
    place = tmp_path / PLACE
    place.mkdir(mode=0o700)
    return place


@pytest.fixture
def environment(
    told: dict[str, str], environment: dict[str, str], without_uv: dict[str, str]
) -> dict[str, str]:
    """One of them has no uv."""
    user = without_uv if told == WITHOUT_UV else environment
    return user | {"LC_ALL": "xx_XX.UTF-8"}


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


@pytest.mark.parametrize("told", ALL)
def test_generated_suite_passes(
    stackyard: Command,
    told: dict[str, str],
    generated: tuple[Path, list[str]],
    environment: dict[str, str],
) -> None:
    """A default's as its owner runs it; without coverage, in one process, it is the same suite."""
    enter, test, _ = generated[1]
    assert test == "make test"
    if told not in [*DEFAULTS.values(), WITHOUT_UV]:
        test = "uv run pytest"
    for step in (f"{enter} && {test}", f"{enter} && make lint"):
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


@pytest.mark.parametrize("told", [case(told) for told in DEFAULTS.values()])
def test_make_migration_writes_one(
    told: dict[str, str],
    stackyard: Command,
    generated: tuple[Path, list[str]],
    environment: dict[str, str],
) -> None:
    """Its message may be any text, as the path is."""
    project, _ = generated
    if told["framework"] == "django-drf":  # which writes none where no model has changed
        replace(project / "books" / "models.py", "max_length=200", "max_length=201")

    def migrations() -> set[Path]:
        return {*project.glob("*/migrations/*.py"), *project.glob("migrations/versions/*.py")}

    before = migrations()
    command = ["make", "migration", """m=an "author's" $$HOME"""]
    run(*command, cwd=project, env=environment)
    [made] = migrations() - before
    assert "an_author_s_" in made.name
