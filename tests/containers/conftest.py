"""One stack for each framework and each end of its options."""

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from combinations import COMBINATIONS, DEFAULTS, LEAST, name_of
from contract.client import connect, signed_in

from .stack import Stack, docker


def case(told: dict[str, str], *marks: pytest.MarkDecorator) -> Any:
    """Give a stack a group of its own; the gate tries the defaults, and one with the least."""
    name, framework = name_of(told), told["framework"]
    if told == LEAST[framework]:
        marks += (pytest.mark.one_of(4, framework),)
    elif told != DEFAULTS[framework]:
        marks += (pytest.mark.everything,)
    judges = pytest.mark.judges("stack", name, listed=True)
    return pytest.param(told, id=name, marks=[pytest.mark.xdist_group(name), judges, *marks])


def defaults(*, turn: int | None = None) -> pytest.MarkDecorator:
    """Have a test run with each framework's default; in the gate with one of them, by `turn`."""
    cases = [
        case(told, *([] if turn is None else [pytest.mark.one_of(turn, framework)]))
        for framework, told in DEFAULTS.items()
    ]
    return pytest.mark.parametrize("told", cases, indirect=True, scope="session")


# For what does not depend on the options.
EACH = defaults()
Record = Callable[[str, object], None]


def generate(project: Path, **answers: str) -> None:
    """Make a project with the command, as a user does."""
    framework = answers.pop("framework")
    data = [part for name, value in answers.items() for part in ("-d", f"{name}={value}")]
    subprocess.run(
        [sys.executable, "-m", "stackyard", "new", framework, project, "--defaults", *data],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=True,
    )


@pytest.fixture(scope="session", autouse=True)
def engine() -> None:
    """Skip everything where there are no containers."""
    for command in (["info"], ["compose", "version"]):
        try:
            done = docker(*command)
        except FileNotFoundError:
            pytest.skip("needs docker, which is not installed")
        if done.returncode:
            pytest.skip(f"`docker {' '.join(command)}` fails: {done.stdout.strip()[-200:]}")


@pytest.fixture(scope="session", params=[case(told) for told in COMBINATIONS])
def told(request: pytest.FixtureRequest) -> dict[str, str]:
    """What the project was made of."""
    return request.param


@pytest.fixture(scope="session")
def generated(told: dict[str, str], engine: None, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project as the command makes it, before anybody has written `.env`."""
    project = tmp_path_factory.mktemp("containers") / f"shop-{name_of(told)}"
    generate(project, **told)
    (project / ".env").unlink()
    return project


@pytest.fixture(scope="session")
def stack(generated: Path) -> Iterator[Stack]:
    """The development stack, up and healthy."""
    stack = Stack(generated, generated.name, LOGIN_ATTEMPTS="0")  # all of it comes from one address
    stack.down()
    try:
        began = time.monotonic()
        stack("build")
        stack.figures["build, s"] = f"{time.monotonic() - began:.0f}"
        began = time.monotonic()
        stack.up("--build")
        stack.figures["up to healthy, s"] = f"{time.monotonic() - began:.0f}"
        yield stack
    finally:
        stack.down()


@pytest.fixture
def user(stack: Stack) -> Iterator[httpx.Client]:
    """Somebody new, with a connection for each request."""
    with signed_in(stack.base_url) as signed:
        token = signed.headers["Authorization"].removeprefix("Bearer ")
    with connect(stack.base_url, token, keep_alive=0) as client:
        yield client


@pytest.fixture
def note(record_property: Record, told: dict[str, str]) -> Record:
    """Give a function that puts a figure into the table that is printed in the end."""

    def put(name: str, value: object) -> None:
        record_property("figure", [name_of(told), name, str(value)])

    return put


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print what was measured: a line for each stack."""
    rows: dict[str, dict[str, str]] = {}
    for report in terminalreporter.getreports("passed"):
        for name, value in report.user_properties:
            if name == "figure" and report.when == "call":
                rows.setdefault(value[0], {})[value[1]] = value[2]
    if not rows:
        return
    columns = [*dict.fromkeys(column for row in rows.values() for column in row)]
    terminalreporter.section("containers")
    terminalreporter.write_line(f"| | {' | '.join(columns)} |")
    terminalreporter.write_line(f"| --- |{' --- |' * len(columns)}")
    for stack, row in sorted(rows.items()):
        figures = " | ".join(row.get(column, "") for column in columns)
        terminalreporter.write_line(f"| {stack} | {figures} |")
