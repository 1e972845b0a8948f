"""A three-way merge, beside the user's repository."""

from __future__ import annotations

import os
from codecs import BOM_UTF8
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from stackyard.git import GitError, git
from stackyard.project import ANSWERS_FILE
from stackyard.updating.worktree import Change, WorkTree

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
        self._styles: dict[str, _Style] = {}
        kind = git(tree.top, "rev-parse", "--show-object-format", as_user=True).strip()
        git(None, "init", "--quiet", "--bare", "--template=", f"--object-format={kind}", str(place))
        borrowed = place / "objects" / "info" / "alternates"
        borrowed.parent.mkdir(exist_ok=True)
        borrowed.write_bytes(os.fsencode(tree.file("objects").resolve()) + b"\n")
        head = git(tree.top, "rev-parse", "HEAD", f"HEAD:{tree.prefix}", as_user=True)
        self.head, self.ours = head.split()

    def run(self, base: Path, theirs: Path, name: str) -> None:
        """Bring into the project what differs between the directories `base` and `theirs`.

        What the user deleted stays deleted. `name` stands for `theirs` in conflict marks. Both
        directories get the line ends that the project has: they are no difference.
        """
        self.name = name
        self._styles = self._styles_of(_names(base) | _names(theirs))
        for directory in (base, theirs):
            for path in _names(directory):
                self._restyle(path, directory / path)
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
        """Put a file's content at `path` in the result, with the line ends that it had there."""
        self._restyle(path, file)
        blob = self._git("hash-object", "-w", "--", str(file)).strip()
        self.result = self._edit(self.result, [f"100644 {blob}\t{path}"])

    def read(self, path: str, *, before: bool = False) -> str | None:
        """Return a file's text in the result, or in the project `before` it; a link is none."""
        tree = self.ours if before else self.result
        entry = self._git("ls-tree", "-z", tree, "--", path)
        if not entry.startswith("100"):
            return None
        return self._git("cat-file", "blob", entry.split("\t")[0].split(" ")[2])

    def texts(self, wanted: Callable[[str], bool]) -> dict[str, str]:
        """Return the texts of those of the project's files whose paths are wanted."""
        listed = self._git("ls-tree", "-r", "-z", "--name-only", self.ours).split("\0")[:-1]
        read = {path: self.read(path, before=True) for path in listed if wanted(path)}
        return {path: text for path, text in read.items() if text is not None}

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

    def _styles_of(self, paths: Collection[str]) -> dict[str, _Style]:
        """Return the styles of those of the files that the project has."""
        listed = self._git("ls-tree", "-r", "-z", self.ours).split("\0")[:-1]
        entries = (entry.split("\t", 1) for entry in listed)
        blobs = {
            path: about.split(" ")[2]
            for about, path in entries
            if path in paths and about.startswith("100")
        }
        told = self._git("cat-file", "--batch", text="".join(f"{b}\n" for b in blobs.values()))
        rest = told.encode("utf-8", "surrogateescape")
        styles = {}
        for path in blobs:
            about, _, rest = rest.partition(b"\n")
            if about.endswith(b" missing"):
                raise GitError(f"{path} is not there as it was committed")
            size = int(about.split(b" ")[2])
            styles[path] = _Style.of(rest[:size])
            rest = rest[size + 1 :]
        return styles

    def _restyle(self, path: str, file: Path) -> None:
        """Give a rendered file the style of the project's; a new one has that of the answers."""
        if not file.is_symlink():
            style = self._styles.get(path) or self._styles.get(ANSWERS_FILE, _Style())
            file.write_bytes(style.apply(file.read_bytes()))

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


@dataclass(frozen=True)
class _Style:
    """How a file's text is written: whether all its lines end in CR LF, and what comes first."""

    ends: bytes = b"\n"
    mark: bytes = b""

    @classmethod
    def of(cls, data: bytes) -> _Style:
        all_crlf = 0 < data.count(b"\n") == data.count(b"\r\n")
        return cls(b"\r\n" if all_crlf else b"\n", BOM_UTF8 if data.startswith(BOM_UTF8) else b"")

    def apply(self, data: bytes) -> bytes:
        """Return a text that has no style of its own in this one; what is no text stays."""
        if b"\0" in data or b"\r" in data:
            return data
        return self.mark + data.removeprefix(BOM_UTF8).replace(b"\n", self.ends)


def _names(directory: Path) -> set[str]:
    """Return the paths of the files in a directory."""
    found = (path for path in directory.rglob("*") if path.is_symlink() or path.is_file())
    return {path.relative_to(directory).as_posix() for path in found}


def _reason(stages: Mapping[str, str], name: str) -> str:
    if stages.keys() == {"1", "2"}:
        return f"changed by you, gone from {name}: 'git rm' it, or 'git add' it to keep it"
    if stages.keys() == {"2", "3"}:
        return f"added by you and by {name}"
    return f"changed by you and by {name}"
