"""A three-way merge, beside the user's repository."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from stackyard.git import GitError, git
from stackyard.worktree import Change, WorkTree

_SIGNATURE = ("-c", "user.name=stackyard", "-c", "user.email=stackyard@localhost")
_USAGE = 129
"""Git's status for options that it does not know."""


@dataclass(frozen=True)
class Conflict:
    """One file that both sides changed, and what became of it."""

    path: str
    reason: str


class Merge:
    """A merge of the project with the difference of two rendered trees.

    All of it happens in a repository of our own in `place`, which borrows the user's
    objects: their repository is only read, until `publish`.
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

    def read(self, path: str, *, before: bool = False) -> str | None:
        """Return a file's text in the result, or in the project `before` it; a link is none."""
        tree = self.ours if before else self.result
        entry = self._git("ls-tree", "-z", tree, "--", path)
        if not entry.startswith("100"):
            return None
        return self._git("cat-file", "blob", entry.split("\t")[0].split(" ")[2])

    def changes(self) -> list[Change]:
        """Return what is different in the result."""
        words = iter(self._git("diff-tree", "-r", "-z", self.ours, self.result).split("\0"))
        changes = []
        for told, path in zip(words, words, strict=False):
            _, mode, _, blob, status = told.split(" ")
            changes.append(Change(path, status, f"{mode} {blob}"))
        return changes

    def diff(self) -> str:
        """Return the difference as a patch."""
        options = ("--no-ext-diff", "--no-textconv", "--no-color")
        return self._git("diff", *options, self.ours, self.result)

    def publish(self, announce: Callable[[list[str]], None]) -> None:
        """Bring the result into the user's work tree, as `WorkTree.receive` does."""
        changes, prefix = self.changes(), self.tree.prefix
        entries = [f"{change.entry}\t{prefix}{change.path}" for change in changes]
        # With all its parents, so that the objects of every side come along.
        tree = self._edit(self.head, entries)
        result = self._commit("result", tree, self.head, "base", self.name)
        bundle = self.place / "result.bundle"
        self._git("bundle", "create", "--quiet", str(bundle), "refs/heads/result", f"^{self.head}")
        self.tree.receive(bundle, result, changes, self._unmerged(), announce)

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
