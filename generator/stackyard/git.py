"""How git is called: never by what its hooks have set, never asking anything."""

from __future__ import annotations

import errno
import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

from stackyard.target import DISK_FULL

FOREIGN_VARIABLES = (
    "GIT_ALTERNATE_OBJECT_DIRECTORIES",
    "GIT_COMMON_DIR",
    "GIT_DIR",
    "GIT_INDEX_FILE",
    "GIT_NAMESPACE",
    "GIT_OBJECT_DIRECTORY",
    "GIT_PREFIX",
    "GIT_WORK_TREE",
)
"""Set by git around its hooks, these would turn our commands on another repository."""

_OURS = (
    "commit.gpgSign=false",
    f"core.attributesFile={os.devnull}",
    "core.autocrlf=false",
    f"core.excludesFile={os.devnull}",
    "core.fsmonitor=false",
    f"core.hooksPath={os.devnull}",
    "gc.auto=0",
    "init.defaultBranch=main",
    "maintenance.auto=false",
    # Without it git makes an identity up from the machine's name.
    "user.useConfigOnly=true",
)
_THEIRS = (f"core.hooksPath={os.devnull}", "gc.auto=0", "maintenance.auto=false")


class GitError(Exception):
    """Git is not there, or ended with a status that was not looked for; the text says why."""

    def __init__(self, reason: str, status: int = 127) -> None:
        super().__init__(reason)
        self.status = status


def git(
    directory: Path | None,
    *arguments: str,
    as_user: bool = False,
    text: str | None = None,
    environment: Mapping[str, str] | None = None,
    statuses: tuple[int, ...] = (0,),
    seconds: float | None = None,
) -> str:
    """Return what a git command prints, run in `directory` with `text` as its input.

    Repositories of our own are kept from the user's set-up; `as_user` heeds it, all but
    the hooks, in a repository that is the user's.

    Raises:
        GitError: if the status is none of `statuses`, or git is not installed.
        OSError: if the disk is full.
        TimeoutError: after `seconds`.
    """
    settings = [part for setting in (_THEIRS if as_user else _OURS) for part in ("-c", setting)]
    kept = {name: value for name, value in os.environ.items() if name not in FOREIGN_VARIABLES}
    try:
        done = subprocess.run(
            ["git", *settings, *arguments],
            cwd=directory,
            env=kept | {"LC_ALL": "C"} | dict(environment or {}),
            input=text or "",
            check=False,
            capture_output=True,
            encoding="utf-8",
            errors="surrogateescape",
            timeout=seconds,
            # Ctrl-C at the terminal must not stop a write to what is the user's.
            process_group=0 if as_user else None,
        )
    except FileNotFoundError as error:
        if error.filename != "git":
            raise
        raise GitError("git is not installed") from error
    except subprocess.TimeoutExpired as error:
        raise TimeoutError(f"no answer in {seconds:.0f} seconds") from error
    if done.returncode in statuses:
        return done.stdout
    if DISK_FULL in done.stderr or "Out of diskspace" in done.stderr:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    lines = [line for line in done.stderr.splitlines() if not line.startswith("hint:")]
    said = " ".join(" ".join(lines).split()).removeprefix("fatal: ").removeprefix("error: ")
    raise GitError(said or f"git ended with status {done.returncode}", done.returncode)
