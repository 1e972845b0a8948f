"""The generated CI: each job, in order, as GitHub, GitLab or Jenkins would run it."""

import os
import re
import shlex
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from itertools import cycle
from pathlib import Path

import pytest
from uv import find_uv_bin

from combinations import DEFAULTS
from contract.processes import until
from pipelines import CI, Job, Table

from .conftest import generate
from .stack import docker, inspect, say

# GitHub's workflow and compose.yaml name the ports, so that only one can run at a time.
pytestmark = pytest.mark.xdist_group("workflow")

# The gate tries GitHub's with one framework, and with another one of the others.
FIRST, *OTHERS = CI
IN_GATE = dict(zip(DEFAULTS, cycle(OTHERS), strict=False))


def in_gate(framework: str, ci: str) -> pytest.MarkDecorator:
    if ci == FIRST:
        return pytest.mark.one_of(2, framework)
    return pytest.mark.one_of(3, framework) if ci == IN_GATE[framework] else pytest.mark.everything


CASES = [
    pytest.param(told | {"ci": ci}, id=f"{framework}-{ci}", marks=in_gate(framework, ci))
    for framework, told in DEFAULTS.items()
    for ci in CI
]


@pytest.fixture(params=CASES)
def told(request: pytest.FixtureRequest) -> dict[str, str]:
    """What the project is made of."""
    return request.param


@pytest.fixture
def project(told: dict[str, str], tmp_path: Path) -> Path:
    """A generated project with its first commit."""
    project = tmp_path / f"shop-{told['framework']}"
    generate(project, **told)
    return project


@contextmanager
def service(name: str, told: Table) -> Iterator[str]:
    """Run a service container until it serves, and yield its address."""
    told = dict(told)
    command = ["run", "--detach", "--rm", "--name", f"workflow-{name}"]
    for key, value in told.pop("env", {}).items():
        command += ["--env", f"{key}={value}"]
    for port in told.pop("ports", []):
        command += ["--publish", f"127.0.0.1:{port}"]
    command += shlex.split(told.pop("options", ""))
    identifier = say(*command, told.pop("image")).strip()
    assert told == {}
    try:
        until(lambda: serves(identifier), within=60, failing=f"{name} does not serve")
        yield address(identifier)
    finally:
        docker("rm", "--force", "--volumes", identifier)


def address(container: str) -> str:
    [network] = inspect(container)["NetworkSettings"]["Networks"].values()
    return network["IPAddress"]


def serves(container: str) -> bool:
    """Tell whether a container is healthy or, without a health check, takes connections."""
    told = inspect(container)
    if health := told["State"].get("Health"):
        return health["Status"] == "healthy"
    for port in told["Config"]["ExposedPorts"]:
        try:
            socket.create_connection((address(container), int(port.split("/")[0])), 1).close()
        except OSError:
            return False
    return True


def run(job: Job, addresses: dict[str, str], project: Path, machine: dict[str, str]) -> None:
    """Run a job in a fresh clone; afterwards nothing is left of its containers."""
    checkout = project.parent / "checkout" / project.name
    subprocess.run(["git", "clone", "--quiet", project, checkout], check=True)
    environment = dict(job.environment)
    for host, found in addresses.items():
        for key, value in environment.items():
            environment[key] = re.sub(rf"\b{host}(?=:\d)", found, value)
    try:
        for command in job.commands:
            done = subprocess.run(
                [*job.shell, command],
                cwd=checkout,
                env=machine | environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                check=False,
            )
            assert done.returncode == 0, f"{command}:\n{done.stdout[-10_000:]}"
    finally:
        docker("compose", "down", "--volumes", "--rmi", "local", cwd=checkout)
        shutil.rmtree(checkout)


@pytest.fixture
def machine(tmp_path: Path) -> dict[str, str]:
    """The environment of a machine that has uv."""
    uv = tmp_path / "bin" / "uv"
    uv.parent.mkdir()
    uv.symlink_to(find_uv_bin())
    unwanted = ("PYTEST_", "MAKE", "MFLAGS", "VIRTUAL_ENV", "UV_")
    kept = {key: value for key, value in os.environ.items() if not key.startswith(unwanted)}
    return kept | {"CI": "true", "PATH": f"{uv.parent}{os.pathsep}{kept['PATH']}"}


def test_each_job_runs(told: dict[str, str], project: Path, machine: dict[str, str]) -> None:
    """All that needs nobody's word; of several Pythons the last, as the others run elsewhere."""
    jobs = [job for job in CI[told["ci"]](project) if job.condition is None]
    newest = max(job.python for job in jobs)
    ran = []
    for job in jobs:
        if job.python not in ("", newest):
            continue
        with ExitStack() as services:
            addresses = {
                name: services.enter_context(service(name, image))
                for name, image in job.services.items()
            }
            run(job, addresses, project, machine)
        ran += job.targets
    assert ran == ["lint", "test", "image"]
