"""How git is called: never by what its hooks have set, never asking anything."""

from __future__ import annotations

import errno
import os
import subprocess
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

DISK_FULL = os.strerror(errno.ENOSPC)
"""How git and uv, in the C locale, say that there is no room."""

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

_ALWAYS = {
    "core.fsmonitor": "false",
    "core.hooksPath": os.devnull,
    "gc.auto": "0",
    "maintenance.auto": "false",
    "submodule.recurse": "false",
}
_EXPLICIT = {"safe.bareRepository": "explicit"}  # one may lie in a directory that was cloned
_OURS = {
    "commit.gpgSign": "false",
    "core.attributesFile": os.devnull,
    "core.autocrlf": "false",
    "core.excludesFile": os.devnull,
    "init.defaultBranch": "main",
    # Without it git makes an identity up from the machine's name.
    "user.useConfigOnly": "true",
}
_TRUSTED = {"system", "global", "command"}
"""Where the settings are the user's own; a repository's may be anybody's."""

PROTOCOLS = "file:git:http:https:ssh"
"""By which git may reach a template, unless the user's `GIT_ALLOW_PROTOCOL` has others."""


class GitError(Exception):
    """Git is not there, or ended with a status that was not looked for; the text says why."""

    def __init__(self, reason: str, status: int = 127) -> None:
        super().__init__(reason)
        self.status = status


def regime(
    settings: Mapping[str, str] = MappingProxyType({}), *, online: bool = False
) -> dict[str, str]:
    """Return the environment in which git, whoever calls it, runs no hook and no monitor.

    `settings` go before those of every file. Only if `online` does git reach other repositories.
    """
    kept = {name: value for name, value in os.environ.items() if name not in FOREIGN_VARIABLES}
    kept["LC_ALL"] = "C"
    kept.setdefault("GIT_TERMINAL_PROMPT", "0")
    if online:
        kept.setdefault("GIT_ALLOW_PROTOCOL", PROTOCOLS)
    else:  # even where a repository says that it has its objects elsewhere
        kept |= {"GIT_ALLOW_PROTOCOL": "none", "GIT_NO_LAZY_FETCH": "1"}
    count = kept.get("GIT_CONFIG_COUNT", "")
    first = int(count) if count.isdecimal() else 0
    for number, (name, value) in enumerate((_ALWAYS | {**settings}).items(), first):
        kept[f"GIT_CONFIG_KEY_{number}"] = name
        kept[f"GIT_CONFIG_VALUE_{number}"] = value
        kept["GIT_CONFIG_COUNT"] = str(number + 1)
    return kept


def git(
    directory: Path | None,
    *arguments: str,
    as_user: bool = False,
    online: bool = False,
    text: str | None = None,
    environment: Mapping[str, str] = MappingProxyType({}),
    statuses: tuple[int, ...] = (0,),
    seconds: float | None = None,
) -> str:
    """Return what a git command prints, run in `directory` with `text` as its input.

    Without a directory it is run outside of any repository. Repositories of our own are
    kept from the user's set-up; `as_user` heeds it, in a repository that the user has. Of what
    such a repository sets up itself, nothing that is a command is run: it may be anybody's.

    Raises:
        GitError: if the status is none of `statuses`, or git is not installed.
        OSError: if the disk is full.
        TimeoutError: after `seconds`.
    """
    settings = _without_filters(directory) if as_user and directory else _OURS
    try:
        done = subprocess.run(
            ["git", *arguments],
            cwd=directory or "/",
            env=regime(settings | _EXPLICIT, online=online) | {**environment},
            input=(text or "").encode("utf-8", "surrogateescape"),
            check=False,
            capture_output=True,
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
    except ValueError as error:  # of an argument that no command takes
        raise GitError(str(error)) from error
    # Not as text, of which Python would change the line ends.
    output = done.stdout.decode("utf-8", "surrogateescape")
    errors = done.stderr.decode("utf-8", "surrogateescape")
    if done.returncode in statuses:
        return output
    if DISK_FULL in errors or "Out of diskspace" in errors:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    lines = [line for line in errors.splitlines() if not line.startswith("hint:")]
    said = " ".join(" ".join(lines).split()).removeprefix("fatal: ").removeprefix("error: ")
    raise GitError(said or f"git ended with status {done.returncode}", done.returncode)


def _without_filters(directory: Path) -> dict[str, str]:
    """Return settings by which git runs the user's own filters, and none that a repository names.

    A filter is any command, and git runs it to look whether a file has changed.
    """
    question = ("config", "--show-scope", "--null", "--get-regexp", r"^filter\.")
    words = iter(git(directory, *question, statuses=(0, 1)).split("\0"))
    trusted, foreign = {}, set()
    for scope, entry in zip(words, words, strict=False):
        name, _, value = entry.partition("\n")
        if scope in _TRUSTED:
            trusted[name] = value
        else:
            foreign.add(name)
    off = {name: "false" if name.endswith(".required") else "" for name in foreign}
    return off | {name: value for name, value in trusted.items() if name in foreign}
