"""The git repository of a new project: one commit, whatever the user's git is set up to do."""

from __future__ import annotations

import shutil
from pathlib import Path

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
