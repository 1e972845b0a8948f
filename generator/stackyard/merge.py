"""A three-way merge beside the user's repository, and one step that brings it in."""

from __future__ import annotations

import os
import shlex
import shutil
from collections.abc import Callable, Container, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from stackyard.errors import (
    DirtyWorkTreeError,
    NotCommittedError,
    ObstructedUpdateError,
)
from stackyard.git import GitError, git

_SIGNATURE = ("-c", "user.name=stackyard", "-c", "user.email=stackyard@localhost")


_USAGE = 129
"""Git's status for options that it does not know."""


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
class Conflict:
    """One file that both sides changed, and what became of it."""

    path: str
    reason: str


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
        return cls(project, Path(top), prefix)

    def refuse_if_dirty(self) -> None:
        """Raise `DirtyWorkTreeError` if something is not committed, in the whole work tree."""
        question = ("--no-optional-locks", "status", "--porcelain", "-z", "-unormal")
        status = git(self.top, *question, as_user=True)
        if status:
            found = status.split("\0")[0][3:]
            raise DirtyWorkTreeError(self.project, found, shlex.join(self.recovery))

    def file(self, name: str) -> Path:
        """Return the path of one of git's own files."""
        told = git(self.top, "rev-parse", "--git-path", name, as_user=True)
        return self.top / told.removesuffix("\n")

    @property
    def recovery(self) -> list[str]:
        """Return the command that brings back what was there before an update was cut off."""
        return ["git", "-C", str(self.top), "stash", "--include-untracked"]


class Merge:
    """A merge of the project with the difference of two rendered trees.

    All of it happens in a repository of our own in `place`, which borrows the user's
    objects: their repository is only read until `publish`.
    """

    def __init__(self, tree: WorkTree, place: Path) -> None:
        self.tree = tree
        self.place = place
        self.name = ""
        self.result = ""
        self.conflicts: list[Conflict] = []
        self.left_out: list[str] = []
        self._stages: list[str] = []
        kind = git(tree.top, "rev-parse", "--show-object-format", as_user=True).strip()
        git(None, "init", "--quiet", "--bare", "--template=", f"--object-format={kind}", str(place))
        borrowed = place / "objects" / "info" / "alternates"
        borrowed.parent.mkdir(exist_ok=True)
        borrowed.write_bytes(os.fsencode(tree.file("objects").resolve()) + b"\n")
        head = git(tree.top, "rev-parse", "HEAD", f"HEAD:{tree.prefix}", as_user=True)
        self.head, self.ours = head.split()

    def run(self, base: Path, theirs: Path, name: str) -> None:
        """Bring into the project what differs between the directories `base` and `theirs`.

        What the user deleted stays deleted. `name` stands for `theirs` in conflict marks.
        """
        self.name = name
        ancestor = self._commit("base", self._tree_of(base))
        self._commit("yours", self.ours, ancestor)
        self._commit(name, self._tree_of(theirs), ancestor)
        try:
            told = self._git("merge-tree", "--write-tree", "-z", "yours", name, statuses=(0, 1))
        except GitError as error:
            if error.status != _USAGE:
                raise
            raise GitError("git 2.38 or later is needed to merge", _USAGE) from error
        tree, *entries = told.split("\0")
        stages: dict[str, dict[str, str]] = {}
        for entry in entries[: entries.index("")] if "" in entries else []:
            where, path = entry.split("\t", 1)
            stages.setdefault(path, {})[where[-1]] = entry
        for path, found in stages.items():
            if found.keys() == {"1", "3"}:
                self.left_out.append(path)
            else:
                self.conflicts.append(Conflict(path, _reason(found, name)))
                self._stages += found.values()
        self.result = self._edit(tree, map(self._removed, self.left_out))

    def put(self, path: str, file: Path) -> None:
        """Put a file's content at `path` in the result."""
        blob = self._git("hash-object", "-w", "--", str(file)).strip()
        self.result = self._edit(self.result, [f"100644 {blob}\t{path}"])

    def unpack(self, place: Path) -> None:
        """Write the files of the result to the new directory `place`."""
        place.mkdir()
        self._git("read-tree", self.result)
        self._git("--work-tree=.", "checkout-index", "--all", directory=place)

    def read(self, path: str, *, before: bool = False) -> str | None:
        """Return a file's text in the result, or in the project as it is `before`."""
        with suppress(GitError):
            return self._git("show", f"{self.ours if before else self.result}:{path}")
        return None

    def changes(self) -> list[Change]:
        """Return what is different in the result."""
        words = iter(self._git("diff-tree", "-r", "-z", self.ours, self.result).split("\0"))
        changes = []
        for told, path in zip(words, words, strict=False):
            _, mode, _, blob, status = told.split(" ")
            changes.append(Change(path, status, f"{mode} {blob}"))
        return changes

    def diff(self, *, color: bool = False) -> str:
        """Return the difference as a patch."""
        return self._git(
            "diff", f"--color={'always' if color else 'never'}", self.ours, self.result
        )

    def publish(self, announce: Callable[[list[str]], None]) -> None:
        """Bring the result into the user's index and work tree; their commits stay as they are.

        `announce` gets the command that restores everything, should the machine stop in
        the middle of it. Files that git ignores are never overwritten.

        Raises:
            ObstructedUpdateError, DirtyWorkTreeError, GitError, OSError: with everything as it
                was before.
        """
        tree, changes = self.tree, self.changes()
        gone = {change.path for change in changes if change.status == "D"}
        for change in changes:
            if change.status == "A":
                self._refuse_obstacle(change.path, gone)
        entries = [f"{change.entry}\t{tree.prefix}{change.path}" for change in changes]
        # With all its parents, so that the objects of every side come along.
        parents = (self.head, "base", self.name)
        commit = self._commit("result", self._edit(self.head, entries), *parents)
        index, ours = tree.file("index"), tree.file("index.stackyard")
        for lock in (tree.file("index.lock"), tree.file("HEAD.lock")):
            if lock.exists():
                raise ObstructedUpdateError(tree.project, str(lock), "another git is at work")
        options = ("--quiet", "--no-tags", "--no-write-fetch-head", "--no-recurse-submodules")
        git(tree.top, "fetch", *options, str(self.place), "refs/heads/result", as_user=True)
        tree.refuse_if_dirty()
        announce(tree.recovery)
        ours.with_name(f"{ours.name}.lock").unlink(missing_ok=True)
        shutil.copy2(index, ours)
        environment = {"GIT_INDEX_FILE": str(ours)}
        try:
            # What git remembers of the files' times is old after a copy or a checkout elsewhere.
            look = ("update-index", "-q", "--refresh")
            git(tree.top, *look, as_user=True, environment=environment, statuses=(0, 1))
            bring = ("read-tree", "-m", "-u", self.head, commit)
            git(tree.top, *bring, as_user=True, environment=environment)
            if self.conflicts:
                unmerged = "\0".join([*self._unmerged(), ""])
                mark = ("update-index", "-z", "--index-info")
                git(tree.top, *mark, as_user=True, text=unmerged, environment=environment)
            ours.replace(index)
        except BaseException:
            self._restore(changes)
            raise
        finally:
            ours.unlink(missing_ok=True)

    def _restore(self, changes: list[Change]) -> None:
        """Undo what has been written of a result: the index still tells what was there."""
        for change in changes:
            if change.status == "A":
                path = self.tree.project / change.path
                path.unlink(missing_ok=True)
                with suppress(OSError):
                    os.removedirs(path.parent)
        git(self.tree.top, "checkout-index", "--all", "--force", "--quiet", as_user=True)
        git(self.tree.top, "update-index", "--refresh", "-q", as_user=True, statuses=(0, 1))

    def _refuse_obstacle(self, path: str, gone: Container[str]) -> None:
        """Raise `ObstructedUpdateError` if an ignored file is where a new one goes."""
        for parent in [*PurePosixPath(path).parents][-2::-1]:
            directory = self.tree.project / parent
            if os.path.lexists(directory) and (directory.is_symlink() or not directory.is_dir()):
                path = str(parent)
                break
        place = self.tree.project / path
        there = [one for one in place.rglob("*") if not one.is_dir()] or [place]
        for found in (one.relative_to(self.tree.project).as_posix() for one in there):
            if found not in gone and os.path.lexists(self.tree.project / found):
                raise ObstructedUpdateError(self.tree.project, found, "git ignores it")

    def _unmerged(self) -> Iterator[str]:
        """Yield what makes git take the conflicts for such: an entry for each side."""
        for conflict in self.conflicts:
            yield self._removed(f"{self.tree.prefix}{conflict.path}")
        for entry in self._stages:
            where, path = entry.split("\t", 1)
            yield f"{where}\t{self.tree.prefix}{path}"

    def _removed(self, path: str) -> str:
        return f"0 {'0' * len(self.head)}\t{path}"

    def _commit(self, name: str, tree: str, *parents: str) -> str:
        options = [option for parent in parents for option in ("-p", parent)]
        commit = self._git("commit-tree", tree, *options, "-m", name).strip()
        self._git("update-ref", f"refs/heads/{name}", commit)
        return commit

    def _tree_of(self, directory: Path) -> str:
        self._git("read-tree", "--empty")
        self._git("--work-tree=.", "add", "--all", "--force", directory=directory)
        return self._git("write-tree").strip()

    def _edit(self, tree: str, entries: Iterable[str]) -> str:
        """Return the tree that has other entries; each is as `git update-index` takes them."""
        self._git("read-tree", tree)
        self._git("update-index", "-z", "--index-info", text="\0".join([*entries, ""]))
        return self._git("write-tree").strip()

    def _git(
        self,
        *arguments: str,
        directory: Path | None = None,
        text: str | None = None,
        statuses: tuple[int, ...] = (0,),
    ) -> str:
        repository = (f"--git-dir={self.place}", *_SIGNATURE)
        return git(directory, *repository, *arguments, text=text, statuses=statuses)


def _reason(stages: Mapping[str, str], name: str) -> str:
    if stages.keys() == {"1", "2"}:
        return f"changed by you, gone from {name}"
    if stages.keys() == {"2", "3"}:
        return f"added by you and by {name}"
    return f"changed by you and by {name}"
