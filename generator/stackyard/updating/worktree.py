"""The user's work tree: what is asked of it, and the one step that writes to it."""

from __future__ import annotations

import os
import shlex
import shutil
from collections.abc import Callable, Container, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from types import MappingProxyType

from stackyard.git import GitError, git
from stackyard.updating.errors import (
    DirtyWorkTreeError,
    NotCommittedError,
    ObstructedUpdateError,
    UnfinishedUpdateError,
)


@dataclass(frozen=True)
class Change:
    """One file that the merge changes: its path in the project, and git's letter for what.

    `A` added, `M` modified, `D` deleted, `T` another type. `entry` is the mode and the
    name of the object that it becomes.
    """

    path: str
    status: str
    entry: str


@dataclass(frozen=True)
class WorkTree:
    """The user's work tree that holds a project: its top, and where the project is in it."""

    project: Path
    top: Path
    prefix: str

    @classmethod
    def of(cls, project: Path) -> WorkTree:
        """Find the work tree of a project.

        Raises:
            NotCommittedError: if there is none, or the project is not in its last commit.
        """
        try:
            told = git(project, "rev-parse", "--show-toplevel", "--show-prefix", as_user=True)
            top, prefix = told.split("\n")[:2]
            git(project, "rev-parse", "--verify", "--quiet", f"HEAD:{prefix}", as_user=True)
        except GitError as error:
            raise NotCommittedError(project, str(error)) from error
        if not Path(top, prefix).samefile(project):
            raise NotCommittedError(project, f"its repository has its files in {top!r}")
        return cls(project, Path(top), prefix)

    def refuse_if_dirty(self) -> None:
        """Raise `DirtyWorkTreeError` if something is not committed, in the whole work tree."""
        # What is within a submodule is no matter of an update, and is set up by somebody else.
        options = ("--porcelain", "-z", "-unormal", "--ignore-submodules=dirty")
        status = self._git("--no-optional-locks", "status", *options)
        if status:
            found = status.split("\0")[0][3:]
            raise DirtyWorkTreeError(self.project, found, shlex.join(self.recovery))

    def file(self, name: str) -> Path:
        """Return the path of one of git's own files."""
        told = self._git("rev-parse", "--git-path", name)
        return self.top / told.removesuffix("\n")

    @property
    def recovery(self) -> list[str]:
        """Return the command that brings back what was there before an update was cut off."""
        return ["git", "-C", str(self.top), "stash", "--include-untracked"]

    def receive(
        self,
        bundle: Path,
        result: str,
        changes: Iterable[Change],
        unmerged: Iterable[str],
        announce: Callable[[list[str]], None],
    ) -> None:
        """Bring the commit `result`, whose objects are in a bundle, into index and files.

        `changes` is how it differs from the project, `unmerged` the entries of the index, as
        `git update-index` takes them, that tell of its conflicts. `announce` gets the command
        that restores everything, should the machine stop in the middle of it. Commits and
        branches stay as they are, and what git ignores is never overwritten.

        Raises:
            ObstructedUpdateError, DirtyWorkTreeError, GitError, OSError: with everything as it
                was before.
            UnfinishedUpdateError: if that could not be restored.
        """
        changes = list(changes)
        self._refuse_obstacles(changes)
        # A fetch would ask the user's repository how: by which remotes, and which commands.
        self._git("bundle", "unbundle", str(bundle))
        self.refuse_if_dirty()
        announce(self.recovery)
        # Git works on a copy of the index, which takes its place when all is done.
        index, copy = self.file("index"), self.file("index.stackyard")
        for left in (copy.with_name(f"{copy.name}.lock"), copy):
            left.unlink(missing_ok=True)
        with index.open("rb") as there, copy.open("xb") as file:  # not through somebody's link
            shutil.copyfileobj(there, file)
        shutil.copystat(index, copy)
        environment = {"GIT_INDEX_FILE": str(copy)}
        try:
            # What git remembers of the files' times is old after a copy or a checkout elsewhere.
            self._refresh(environment)
            self._git("read-tree", "-m", "-u", "HEAD", result, environment=environment)
            if entries := "\0".join([*unmerged, ""]):
                self._git(
                    "update-index", "-z", "--index-info", text=entries, environment=environment
                )
            copy.replace(index)
        except (GitError, OSError) as error:
            copy.unlink(missing_ok=True)  # on a full disk its room is needed
            self._restore(changes, error)
            raise
        finally:
            copy.unlink(missing_ok=True)

    def _restore(self, changes: Iterable[Change], reason: Exception) -> None:
        """Undo what has been written of a result: the index still tells what was there."""
        for change in changes:
            if change.status == "A":
                path = self.project / change.path
                with suppress(OSError):  # it was not written yet
                    path.unlink()
                    os.removedirs(path.parent)
        # No more than was written: an index can name what is outside, or what we do not look at.
        paths = "\0".join(self.prefix + c.path for c in changes if c.status != "A")
        try:
            self._git("checkout-index", "--force", "--quiet", "-z", "--stdin", text=paths)
            self._refresh()
        except (GitError, OSError) as error:
            recovery = shlex.join(self.recovery)
            raise UnfinishedUpdateError(self.project, reason, recovery) from error

    def _refuse_obstacles(self, changes: Iterable[Change]) -> None:
        """Raise `ObstructedUpdateError` for an ignored file in the way, or another git at work."""
        gone = {change.path for change in changes if change.status == "D"}
        self._refuse_unwatched({self.prefix + c.path for c in changes if c.status != "A"})
        for change in changes:
            if change.status == "A":
                self._refuse_obstacle(PurePosixPath(change.path), gone)
        for lock in (self.file("index.lock"), self.file("HEAD.lock")):
            if lock.exists():
                raise ObstructedUpdateError(self.project, str(lock), "another git is at work")

    def _refuse_unwatched(self, paths: Container[str]) -> None:
        """Raise `ObstructedUpdateError` for a file whose edits git was told not to see."""
        for entry in self._git("ls-files", "-v", "-z").split("\0"):
            tag, path = entry[:1], entry[2:]
            if path in paths and (tag.islower() or tag == "S") and os.path.lexists(self.top / path):
                reason = "git was told to take it for unchanged"
                raise ObstructedUpdateError(self.project, path, reason)

    def _refuse_obstacle(self, path: PurePosixPath, gone: Container[str]) -> None:
        for parent in [*path.parents][-2::-1]:
            directory = self.project / parent
            if os.path.lexists(directory) and (directory.is_symlink() or not directory.is_dir()):
                path = parent
                break
        place = self.project / path
        there = [one for one in place.rglob("*") if not one.is_dir()] or [place]
        for found in there:
            name = found.relative_to(self.project).as_posix()
            if name not in gone and os.path.lexists(found):
                raise ObstructedUpdateError(self.project, name, "git ignores it")

    def _refresh(self, environment: Mapping[str, str] = MappingProxyType({})) -> None:
        refresh = ("update-index", "-q", "--refresh")
        self._git(*refresh, environment=environment, statuses=(0, 1))

    def _git(
        self,
        *arguments: str,
        text: str | None = None,
        environment: Mapping[str, str] = MappingProxyType({}),
        statuses: tuple[int, ...] = (0,),
    ) -> str:
        return git(
            self.top,
            *arguments,
            as_user=True,
            text=text,
            environment=environment,
            statuses=statuses,
        )
