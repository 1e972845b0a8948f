"""The lock file of a new project, on the versions that were tested together."""

from __future__ import annotations

import errno
import os
import shlex
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

from stackyard.target import DISK_FULL


def make(project: Path, pins: Iterable[str], path: Path) -> list[str]:
    """Write `uv.lock` in `project`, which will be at `path`.

    `pins` are the tested versions, as `name==version`; a version that a project does not
    depend on costs nothing. Returns the warnings: without a network the project is made
    all the same, unlocked.

    Raises:
        OSError: if the disk is full.
    """
    from uv import find_uv_bin

    later = f"run later: cd {shlex.quote(str(path))} && uv lock"
    try:
        uv = find_uv_bin()
    except FileNotFoundError:
        return [f"the dependencies are not locked: uv is not installed; {later}"]
    command = [uv, "lock", "--no-progress", "--color=never", "--python", sys.executable]
    for pin in pins:
        command += ["--upgrade-package", pin]
    result = subprocess.run(  # noqa: S603
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


def _reason(output: str) -> str:
    """Condense what uv says: the error and its last cause."""
    lines = [line.strip() for line in output.splitlines()]
    told = [line.removeprefix("error: ") for line in lines if line.startswith("error: ")][:1]
    told += [line.removeprefix("cause: ") for line in lines if line.startswith("cause: ")][-1:]
    return ": ".join(told) or "uv failed"
