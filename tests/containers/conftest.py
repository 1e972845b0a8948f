"""One stack for each framework and each end of its options."""

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from conftest import FRAMEWORKS
from contract.client import connect, signed_in

from .stack import Stack, docker

ENDS = {"all": {}, "none": {"cache": "none", "tasks": "none"}}
STACKS = [
    pytest.param((framework, end), id=name, marks=pytest.mark.xdist_group(name))
    for framework in FRAMEWORKS
    for end in ENDS
    for name in [f"{framework}-{end}"]
]
# With everything chosen, for what does not depend on the options.
WHOLE = pytest.mark.parametrize(
    "chosen", [one for one in STACKS if one.id.endswith("-all")], indirect=True, scope="session"
)
Record = Callable[[str, object], None]


def generate(framework: str, project: Path, **answers: str) -> None:
    """Make a project with the command, as a user does."""
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


@pytest.fixture(scope="session", params=STACKS)
def chosen(request: pytest.FixtureRequest) -> tuple[str, str]:
    """A framework, and which end of its options."""
    return request.param


@pytest.fixture(scope="session")
def generated(
    chosen: tuple[str, str], engine: None, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """A project as the command makes it, before anybody has written `.env`."""
    framework, end = chosen
    project = tmp_path_factory.mktemp("containers") / f"shop-{framework}-{end}"
    generate(framework, project, **ENDS[end])
    (project / ".env").unlink()
    return project


@pytest.fixture(scope="session")
def stack(generated: Path) -> Iterator[Stack]:
    """The development stack, up and healthy."""
    stack = Stack(generated, generated.name)
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
def note(record_property: Record, chosen: tuple[str, str]) -> Record:
    """Give a function that puts a figure into the table that is printed in the end."""

    def put(name: str, value: object) -> None:
        record_property("figure", ["-".join(chosen), name, str(value)])

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
