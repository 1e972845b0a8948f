"""The lock file of a new project, on the versions that were tested together."""

from __future__ import annotations

import errno
import os
import shlex
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from stackyard.git import regime
from stackyard.target import DISK_FULL

FILES = ("pyproject.toml", "uv.toml", "uv.lock")
"""All of a project that locking it takes."""

_HARMLESS = {
    "conflicts",
    "constraint-dependencies",
    "default-groups",
    "dev-dependencies",
    "environments",
    "exclude-newer",
    "managed",
    "override-dependencies",
    "package",
    "prerelease",
    "required-environments",
    "required-version",
    "resolution",
}
"""Settings of uv that name no addresses and no directories."""


def make(
    project: Path,
    pins: Iterable[str],
    path: Path,
    scratch: Path,
    python: str | None = sys.executable,
) -> list[str]:
    """Write `uv.lock` in `project`, which will be at `path`; nothing is built for it.

    `pins` are the tested versions, as `name==version`; a version that a project does not
    depend on costs nothing. Without a `python`, uv finds one that suits the project. The new
    directory `scratch` is where uv works: in the project it would run the interpreter of a
    `.venv` or `.python-version`, and around it heed any workspace.
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
    if reason := _unlockable(project):
        return [f"the dependencies are not locked: {reason}; {later}"]
    place = scratch / "project"
    place.mkdir(parents=True)
    for name in ("pyproject.toml", "uv.toml"):  # as the nearest above, they are all that uv heeds
        (scratch / name).touch()
    for name in FILES:
        if (project / name).is_file():
            shutil.copyfile(project / name, place / name)
    command = [uv, "lock", "--no-build", "--no-python-downloads", "--no-progress", "--color=never"]
    command += ["--python", python] if python else []
    for pin in pins:
        command += ["--upgrade-package", pin]
    result = subprocess.run(
        command,
        cwd=place,
        env=regime(online=True),
        capture_output=True,
        encoding="utf-8",
        errors="replace",
        stdin=subprocess.DEVNULL,
        check=False,
    )
    if not result.returncode:
        shutil.copyfile(place / "uv.lock", project / "uv.lock")
        return []
    if DISK_FULL in result.stderr:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    return [f"the dependencies are not locked: {_reason(result.stderr)}; {later}"]


def _unlockable(project: Path) -> str:
    """Return why a project cannot be locked without doing what it says, or nothing.

    Of packages and of members of a workspace uv builds what is no static metadata, whatever
    it was told; of all others `--no-build` holds. Settings and dependencies may send uv to
    addresses and directories of the project's choice.
    """
    file = project / "pyproject.toml"
    try:
        told = tomllib.loads(file.read_text(encoding="utf-8"))
        settings = told.get("tool", {}).get("uv", {})
        is_package = settings.get("package", "build-system" in told)
        names = sorted(settings.keys() - _HARMLESS - {"workspace"})
        placed = [one for one in _dependencies(told) if "@" in one]
    except (OSError, ValueError, RecursionError, AttributeError, TypeError) as error:
        return f"{file.name} cannot be read ({error})"
    if is_package is not False or "workspace" in settings:
        return "uv may have to run code of a project that is a package or a workspace"
    if names:
        return f"its settings of uv may name other addresses ({', '.join(names)})"
    if (project / "uv.toml").exists():
        return "its settings of uv may name other addresses (uv.toml)"
    if placed:
        return f"a dependency names an address of its own ({placed[0]})"
    return ""


def _dependencies(told: dict[str, Any]) -> list[str]:
    """Return what a `pyproject.toml` depends on, as it writes that (PEP 508)."""
    project, settings = told.get("project", {}), told.get("tool", {}).get("uv", {})
    lists = [
        project.get("dependencies", []),
        *project.get("optional-dependencies", {}).values(),
        *told.get("dependency-groups", {}).values(),
        *(found for name, found in settings.items() if name.endswith("-dependencies")),
    ]
    return [one for part in lists for one in part if isinstance(one, str)]


def renewed(locked: str, before: Iterable[str], after: Iterable[str]) -> tuple[list[str], bool]:
    """Return those of the pins `after` that a project takes, and whether that changes anything.

    `locked` is its `uv.lock`. What it has in another version than the one in the pins
    `before` was chosen by its owner, and stays.

    Raises:
        ValueError: if it is no lock file.
    """
    try:
        packages = tomllib.loads(locked).get("package", [])
        has = {str(package["name"]): package.get("version") for package in packages}
    except (RecursionError, AttributeError, TypeError, KeyError) as error:
        raise ValueError(f"it is no lock file of uv ({error!r})") from error
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
