"""The lock file of a new project, on the versions that were tested together."""

from __future__ import annotations

import errno
import os
import shlex
import subprocess
import sys
import tomllib
from collections.abc import Iterable
from pathlib import Path

from stackyard.target import DISK_FULL


def make(
    project: Path, pins: Iterable[str], path: Path, python: str | None = sys.executable
) -> list[str]:
    """Write `uv.lock` in `project`, which will be at `path`.

    `pins` are the tested versions, as `name==version`; a version that a project does not
    depend on costs nothing. Without a `python`, uv finds one that suits the project.
    Returns the warnings: without a network the project is made all the same, unlocked.

    Raises:
        OSError: if the disk is full.
    """
    from uv import find_uv_bin

    later = f"run later: cd {shlex.quote(str(path))} && uv lock"
    try:
        uv = find_uv_bin()
    except FileNotFoundError:
        return [f"the dependencies are not locked: uv is not installed; {later}"]
    command = [uv, "lock", "--no-progress", "--color=never"]
    command += ["--python", python] if python else []
    for pin in pins:
        command += ["--upgrade-package", pin]
    result = subprocess.run(
        command,
        cwd=project,
        capture_output=True,
        encoding="utf-8",
        errors="replace",
        stdin=subprocess.DEVNULL,
        check=False,
    )
    if not result.returncode:
        return []
    (project / "uv.lock").unlink(missing_ok=True)
    if DISK_FULL in result.stderr:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    return [f"the dependencies are not locked: {_reason(result.stderr)}; {later}"]


def renewed(locked: str, before: Iterable[str], after: Iterable[str]) -> tuple[list[str], bool]:
    """Return those of the pins `after` that a project takes, and whether that changes anything.

    `locked` is its `uv.lock`. What it has in another version than the one in the pins
    `before` was chosen by its owner, and stays.
    """
    packages = tomllib.loads(locked).get("package", [])
    has = {package["name"]: package.get("version") for package in packages}
    old = dict(pin.split("==") for pin in before)
    new = dict(pin.split("==") for pin in after)
    taken = {
        name: pin for name, pin in new.items() if name not in has or has[name] == old.get(name)
    }
    moves = any(has.get(name, pin) != pin for name, pin in taken.items())
    return [f"{name}=={pin}" for name, pin in taken.items()], moves


def _reason(output: str) -> str:
    """Condense what uv says: the error and its last cause."""
    lines = [line.strip() for line in output.splitlines()]
    told = [line.removeprefix("error: ") for line in lines if line.startswith("error: ")][:1]
    told += [line.removeprefix("cause: ") for line in lines if line.startswith("cause: ")][-1:]
    return ": ".join(told) or "uv failed"
