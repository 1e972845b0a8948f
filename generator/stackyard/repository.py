"""The git repository of a new project: one commit, whatever the user's git is set up to do."""

from __future__ import annotations

import errno
import os
import shutil
import subprocess
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

_SETTINGS = (
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


def make(project: Path, message: str, name: str, email: str) -> list[str]:
    """Make a repository in `project` and commit every file in it that git does not ignore.

    `name` and `email` sign for a user whom git does not know. Returns the warnings: a
    git that is missing or fails costs the repository, not the project.

    Raises:
        OSError: if the disk is full.
    """
    try:
        _git(project, "init", "--quiet", "--template=")
        _git(project, "add", "--all")
        commit = ("commit", "--quiet", "--no-verify", "--message", message)
        try:
            _git(project, *commit)
        except subprocess.CalledProcessError:
            signature = ("-c", f"user.name={name}", "-c", f"user.email={email}")
            _git(project, *signature, *commit)
    except FileNotFoundError:
        reason = "git is not installed"
    except subprocess.CalledProcessError as error:
        if DISK_FULL in error.stderr:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)) from error
        reason = " ".join(error.stderr.split()) or f"git ended with status {error.returncode}"
    else:
        return []
    shutil.rmtree(project / ".git", ignore_errors=True)
    return [f"no git repository was made: {reason}; run 'git init' in the project later"]


def identity() -> dict[str, str]:
    """Return the user's name and email as answers, as far as git knows them."""
    try:
        output = _git(None, "config", "--null", "--get-regexp", r"^user\.(name|email)$")
    except (OSError, subprocess.CalledProcessError):
        return {}
    found = dict(entry.split("\n", 1) for entry in output.split("\0") if "\n" in entry)
    return {f"author_{key.removeprefix('user.')}": value for key, value in found.items()}


def describe(checkout: Path) -> str | None:
    """Return the latest tag and the commit of a checkout, if that is what it is."""
    if not (checkout / ".git").exists():
        return None
    try:
        return _git(checkout, "describe", "--tags", "--always").strip()
    except (OSError, subprocess.CalledProcessError):
        return None


def _git(directory: Path | None, *arguments: str) -> str:
    environment = {k: v for k, v in os.environ.items() if k not in FOREIGN_VARIABLES}
    settings = [part for setting in _SETTINGS for part in ("-c", setting)]
    return subprocess.run(  # noqa: S603
        ["git", *settings, *arguments],  # noqa: S607
        cwd=directory,
        env=environment | {"LC_ALL": "C"},
        check=True,
        capture_output=True,
        encoding="utf-8",
        errors="replace",
        stdin=subprocess.DEVNULL,
    ).stdout
