"""The git repository of a new project: one commit, whatever the user's git is set up to do."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from urllib.parse import urlsplit

from stackyard.git import GitError, git


def make(project: Path, message: str, name: str, email: str) -> list[str]:
    """Make a repository in `project` and commit every file in it that git does not ignore.

    `name` and `email` sign for a user whom git does not know. Returns the warnings: a
    git that is missing or fails costs the repository, not the project.

    Raises:
        OSError: if the disk is full.
    """
    try:
        git(project, "init", "--quiet", "--template=")
        git(project, "add", "--all")
        commit = ("commit", "--quiet", "--no-verify", "--message", message)
        try:
            git(project, *commit)
        except GitError:
            signature = ("-c", f"user.name={name}", "-c", f"user.email={email}")
            git(project, *signature, *commit)
    except GitError as error:
        reason = str(error)
    else:
        return []
    shutil.rmtree(project / ".git", ignore_errors=True)
    return [f"no git repository was made: {reason}; run 'git init' in the project later"]


def holds(place: Path) -> bool:
    """Tell whether a git work tree holds `place`, which need not exist, and does not ignore it."""
    if (place / ".git").exists():
        return True
    parent = next(parent for parent in place.parents if parent.is_dir())
    try:
        question = ("check-ignore", "--", str(place))
        return not git(parent, *question, as_user=True, statuses=(0, 1))
    except GitError:  # no repository, or one that git does not trust
        return any((parent / ".git").exists() for parent in place.parents)


def identity() -> dict[str, str]:
    """Return the user's name and email as answers, as far as git knows them."""
    try:
        question = ("config", "--null", "--get-regexp", r"^user\.(name|email)$")
        output = git(Path.cwd(), *question)
    except (OSError, GitError):
        return {}
    found = dict(entry.split("\n", 1) for entry in output.split("\0") if "\n" in entry)
    return {f"author_{key.removeprefix('user.')}": value for key, value in found.items()}


def describe(checkout: Path) -> str | None:
    """Return the latest tag and the commit of a checkout, if that is what it is."""
    if not (checkout / ".git").exists():
        return None
    try:
        return git(checkout, "describe", "--tags", "--always").strip()
    except (OSError, GitError):
        return None


def origin(checkout: Path) -> str | None:
    """Return the address at which others find what a checkout is of, if there is one."""
    try:
        # As it was given: `insteadOf` may be this machine's alone.
        return _public(git(checkout, "config", "--get", "remote.origin.url").strip())
    except (OSError, GitError, ValueError):
        return None


def is_pushed(checkout: Path) -> bool:
    """Tell whether a checkout's commit is at its origin, as far as git knows without asking."""
    question = ("for-each-ref", "--contains", "HEAD", "refs/remotes/origin")
    try:
        return bool(git(checkout, *question))
    except (OSError, GitError):
        return False


def _public(address: str) -> str | None:
    """Return an address without passwords and tokens, or nothing for what is of this machine."""
    if re.fullmatch(r"[\w.-]+@[\w.-]+:[^:?#]+", address):  # as ssh has it
        return address
    parts = urlsplit(address)
    if parts.scheme not in {"git", "http", "https", "ssh"} or parts.query or parts.fragment:
        return None
    user = f"{parts.username}@" if parts.scheme == "ssh" and parts.username else ""
    return f"{parts.scheme}://{user}{parts.netloc.rpartition('@')[2]}{parts.path}"
