"""The generated workflow: each `run:` step of each job, in order, as GitHub would run it."""

import os
import re
import shlex
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml
from uv import find_uv_bin

from combinations import DEFAULTS
from contract.processes import until

from .conftest import generate
from .stack import docker, inspect, say

# The workflow names the ports, so that only one can run at a time.
pytestmark = pytest.mark.xdist_group("workflow")

# As GitHub runs `shell: bash`.
SHELL = ["bash", "--noprofile", "--norc", "-e", "-o", "pipefail", "-c"]
# Actions whose work is done here by other means, or has no part in what is run.
STOOD_IN_FOR = {"actions/checkout", "astral-sh/setup-uv"}


CASES = [
    pytest.param(told, id=framework, marks=pytest.mark.one_of(3, framework))
    for framework, told in DEFAULTS.items()
]


@pytest.fixture(params=CASES)
def project(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A generated project with its first commit."""
    project = tmp_path / f"shop-{request.param['framework']}"
    generate(project, **request.param)
    return project


@contextmanager
def service(name: str, told: dict[str, Any]) -> Iterator[None]:
    """Run a service container, and wait until it is healthy."""
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
        until(
            lambda: inspect(identifier)["State"]["Health"]["Status"] == "healthy",
            within=60,
            failing=f"{name} is not healthy",
        )
        yield
    finally:
        docker("rm", "--force", "--volumes", identifier)


def filled_in(text: str, matrix: dict[str, str]) -> str:
    """Put the values of a matrix in the place of its expressions; there are no others."""
    text = re.sub(r"\$\{\{ matrix\.(\w+) \}\}", lambda match: matrix[match[1]], text)
    assert "${{" not in text
    return text


def run(job: dict[str, Any], matrix: dict[str, str], project: Path, **environment: str) -> None:
    """Run the steps of a job in a fresh clone; afterwards nothing is left of its containers."""
    checkout = project.parent / "checkout" / project.name
    subprocess.run(["git", "clone", "--quiet", project, checkout], check=True)
    environment |= {key: filled_in(value, matrix) for key, value in job.get("env", {}).items()}
    try:
        for step in job["steps"]:
            if "uses" in step:
                assert step["uses"].split("@")[0] in STOOD_IN_FOR
            elif "if" not in step:
                done = subprocess.run(
                    [*SHELL, filled_in(step["run"], matrix)],
                    cwd=checkout,
                    env=environment,
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.STDOUT,
                    text=True,
                    check=False,
                )
                assert done.returncode == 0, f"{step['run']}:\n{done.stdout[-10_000:]}"
    finally:
        docker("compose", "down", "--volumes", "--rmi", "local", cwd=checkout)
        shutil.rmtree(checkout)


def machine(tmp_path: Path) -> dict[str, str]:
    """Return the environment of a machine of GitHub's that has uv, from setup-uv."""
    uv = tmp_path / "bin" / "uv"
    uv.parent.mkdir()
    uv.symlink_to(find_uv_bin())
    unwanted = ("PYTEST_", "MAKE", "MFLAGS", "VIRTUAL_ENV", "UV_")
    kept = {key: value for key, value in os.environ.items() if not key.startswith(unwanted)}
    return kept | {"CI": "true", "PATH": f"{uv.parent}{os.pathsep}{kept['PATH']}"}


def test_each_step_of_the_workflow_runs(project: Path, tmp_path: Path) -> None:
    workflow = yaml.safe_load((project / ".github/workflows/ci.yml").read_text("utf-8"))
    environment = machine(tmp_path) | workflow["env"]
    ran = []
    # Of a matrix the last: what is made runs on the first everywhere else in these tests.
    for name, job in workflow["jobs"].items():
        if not any("run" in step for step in job["steps"]):
            continue  # actions alone, which only GitHub can run
        matrix = job.get("strategy", {}).get("matrix", {})
        with ExitStack() as services:
            for service_name, told in job.get("services", {}).items():
                services.enter_context(service(service_name, told))
            run(job, {key: values[-1] for key, values in matrix.items()}, project, **environment)
            ran.append(name)
    assert ran == ["lint", "test", "image"]
