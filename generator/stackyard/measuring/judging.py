"""What a project has to hold before it is measured, and what is counted of it at rest."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Mapping
from contextlib import suppress
from importlib.metadata import Distribution, distributions
from pathlib import Path

import uv

from stackyard.measuring.errors import NoFiguresError
from stackyard.measuring.suite import SUITE


def judge(project: Path, base_url: str) -> None:
    """Have the contract judge the service of a project that runs: by its smoke, part by part.

    Raises:
        NoFiguresError: if it breaks the contract.
    """
    command = [sys.executable, "-m", "pytest", "-q", "-c", os.devnull, "-m", "smoke"]
    command += ["-p", "gate", "-p", "no:cacheprovider", f"--rootdir={SUITE}"]
    command += [f"--confcutdir={SUITE / 'contract'}", f"--base-url={base_url}"]
    command += [f"--project={project}", str(SUITE / "contract")]
    env = _environment() | {"PYTHONPATH": str(SUITE)}
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=env)
    if done.returncode:
        raise NoFiguresError("it breaks the contract", _failed(done))


def run_suite(project: Path, servers: Mapping[str, str]) -> dict[str, float]:
    """Run a project's own suite; return how many tests it has, and its seconds and all seconds.

    Raises:
        NoFiguresError: if it is not green.
    """
    began = time.monotonic()
    _uv(project, ["sync", "--quiet"])
    done = _uv(project, ["run", "pytest", "--numprocesses", "auto", "--quiet"], servers)
    took = time.monotonic() - began
    told = re.search(r"(\d+) passed.* in ([\d.]+)s", done.stdout)
    if done.returncode or not told:
        raise NoFiguresError("its own suite is not green", _failed(done))
    return {"tests": float(told[1]), "suite": float(told[2]), "green": took}


def installed(environment: Path) -> tuple[dict[str, float], dict[str, int]]:
    """Return how much an environment has installed; and of each license how many packages."""
    [site] = (environment / "lib").glob("python3*/site-packages")
    found = [*distributions(path=[str(site)])]
    size = sum(path.lstat().st_size for path in site.rglob("*") if path.is_file())
    licenses = Counter(_license(one) for one in found)
    return {"packages": float(len(found)), "installed": size / 1e6}, dict(licenses.most_common())


def typed(project: Path, place: Path) -> dict[str, float]:
    """Return how many of a project's functions are wholly typed, by mypy; nothing if it cannot."""
    _uv(project, ["run", "mypy", "--linecount-report", str(place)])
    with suppress(OSError, ValueError, IndexError):
        total = (place / "linecount.txt").read_text("utf-8").splitlines()[0].split()
        return {"typed": 100 * int(total[2]) / int(total[3])}
    return {}


def image(project: Path) -> dict[str, float]:
    """Return the size of a project's image, where there is Docker that can build it."""
    with suppress(OSError, ValueError, subprocess.CalledProcessError):
        built = _docker("build", "--quiet", str(project))
        try:
            return {"image": int(_docker("image", "inspect", "--format", "{{.Size}}", built)) / 1e6}
        finally:
            _docker("image", "rm", "--force", built)
    return {}


def _docker(*arguments: str) -> str:
    done = subprocess.run(["docker", *arguments], capture_output=True, text=True, check=True)
    return done.stdout.strip()


def _uv(
    project: Path, arguments: list[str], env: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [uv.find_uv_bin(), *arguments],
        cwd=project,
        env=_environment() | dict(env or {}),
        capture_output=True,
        text=True,
        check=False,
    )


def _environment() -> dict[str, str]:
    """Return the environment, without what would lead a project's commands elsewhere."""
    ours = ("VIRTUAL_ENV", "UV_PROJECT_ENVIRONMENT", "PYTHONPATH", "PYTEST_")
    return {name: value for name, value in os.environ.items() if not name.startswith(ours)}


def _failed(done: subprocess.CompletedProcess[str]) -> str:
    """Return what a run of tests says first of what failed, in a line: the summary's, if any."""
    lines = (done.stdout + done.stderr).splitlines()
    summary = [line for line in lines if re.match("(FAILED|ERROR) ", line)]
    return (summary or [line for line in lines if "rror" in line] or ["it said nothing"])[0]


def _license(distribution: Distribution) -> str:
    """Return a package's license as it says it, or else its class; some say nothing."""
    told = distribution.metadata
    if "License-Expression" in told:
        return told["License-Expression"]
    classes = [one for one in told.get_all("Classifier", []) if one.startswith("License ::")]
    if classes:
        return str(classes[0]).rpartition(":: ")[2]
    if "License" in told and "\n" not in told["License"]:  # and not the whole text of it
        return told["License"]
    return "unknown"
