"""The lock file of a new project, on the versions that were tested together."""

from __future__ import annotations

import errno
import os
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterable, Iterator
from pathlib import Path, PurePath
from typing import Any

from stackyard.errors import typed
from stackyard.git import DISK_FULL, regime

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

_ELSEWHERE = {"UV_FROZEN", "UV_LOCKED", "UV_PROJECT", "UV_WORKING_DIR"}
"""Set for the user's own work, these have uv lock nothing, or another project."""

_RECORDED = ("UV_EXCLUDE_NEWER", "UV_FORK_STRATEGY", "UV_PRERELEASE", "UV_RESOLUTION")
"""A lock file says by these how it was made, and whoever has them otherwise makes another."""


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
    The user's own settings of uv hold: which indexes, which versions there are.
    Returns the warnings: without a network the project is made all the same, unlocked.

    Raises:
        OSError: if the disk is full.
    """
    from uv import find_uv_bin

    later = f"run later: cd {typed(path)} && make lock"
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
        env={k: v for k, v in regime(online=True).items() if k not in _ELSEWHERE},
        capture_output=True,
        encoding="utf-8",
        errors="replace",
        stdin=subprocess.DEVNULL,
        check=False,
    )
    if not result.returncode:
        shutil.copyfile(place / "uv.lock", project / "uv.lock")
        return [*_reservations(path)]
    if DISK_FULL in result.stderr:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    return [f"the dependencies are not locked: {_reason(result.stderr)}; {later}"]


def _reservations(path: Path) -> Iterator[str]:
    """Yield where uv will not use the lock file of the project that will be at `path`."""
    if told := [name for name in _RECORDED if os.environ.get(name)]:
        yield (
            f"uv.lock was made by your {', '.join(told)}: for whoever has not set the same, uv"
            " makes another, of other versions"
        )
    if workspace := _workspace(path.resolve()):
        yield (
            f"uv.lock will not be used: the workspace of uv in {str(workspace)!r} has the project"
            " as a member, and one lock file for all; name it in 'exclude' of [tool.uv.workspace]"
        )


def _workspace(path: Path) -> Path | None:
    """Return the directory of the workspace that has a directory as a member."""
    for parent in path.parents:
        try:
            told = tomllib.loads((parent / "pyproject.toml").read_text(encoding="utf-8"))
            workspace = told["tool"]["uv"]["workspace"]
            members, excluded = workspace.get("members", []), workspace.get("exclude", [])
            place = path.relative_to(parent)
            if _matches(place, members) and not _matches(place, excluded):
                return parent
        except (OSError, ValueError, RecursionError, LookupError, AttributeError, TypeError):
            continue  # none, or none that uv can read
    return None


def _matches(path: Path, patterns: Iterable[str]) -> bool:
    """Tell whether one of the patterns, such as `a/*`, stands for all of a relative path.

    A `*` stands for one name, `**` for any number of them.
    """
    return any(
        path.match(pattern) and ("**" in pattern or len(PurePath(pattern).parts) == len(path.parts))
        for pattern in patterns
    )


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


def moved(before: str, after: str) -> int:
    """Return how many packages differ between two texts of a `uv.lock`.

    Raises:
        ValueError: if one is no lock file.
    """
    old, new = _versions(before), _versions(after)
    return sum(old.get(name) != new.get(name) for name in old | new)


def renewed(locked: str, before: Iterable[str], after: Iterable[str]) -> tuple[list[str], int]:
    """Return those of the pins `after` that a project takes, and how many packages that moves.

    `locked` is its `uv.lock`. What it has in another version than the one in the pins
    `before` was chosen by its owner, and stays.

    Raises:
        ValueError: if it is no lock file.
    """
    has = _versions(locked)
    old = dict(pin.split("==") for pin in before)
    new = dict(pin.split("==") for pin in after)
    taken = {
        name: pin for name, pin in new.items() if name not in has or has[name] == old.get(name)
    }
    moves = sum(has.get(name, pin) != pin for name, pin in taken.items())
    return [f"{name}=={pin}" for name, pin in taken.items()], moves


def _versions(locked: str) -> dict[str, Any]:
    """Return the versions that a lock file has, by package."""
    try:
        packages = tomllib.loads(locked).get("package", [])
        return {str(package["name"]): package.get("version") for package in packages}
    except (RecursionError, AttributeError, TypeError, KeyError) as error:
        raise ValueError(f"it is no lock file of uv ({error!r})") from error


def _reason(output: str) -> str:
    """Condense what uv says: the error and its last cause."""
    lines = [line.strip() for line in output.splitlines()]
    told = [line.removeprefix("error: ") for line in lines if line.startswith("error: ")][:1]
    told += [line.removeprefix("cause: ") for line in lines if line.startswith("cause: ")][-1:]
    return ": ".join(told) or "uv failed"
