"""A course's repository: the learner's commits, and beside them the stages.

The stages are commits of their own under `refs/workshop/`, so that a course has all it needs,
whatever release of stackyard looks at it, and without a network.
"""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from stackyard.git import GitError, git, regime
from stackyard.workshop.errors import CourseError
from stackyard.workshop.stages import Tree

_AUTHOR = ("-c", "user.name=learner", "-c", "user.email=learner@localhost")
_OWN = ("-c", "commit.gpgSign=false", "-c", "core.autocrlf=false", "-c", "core.safecrlf=false")


@dataclass(frozen=True)
class Repository:
    """A repository of git, and what a course does with it."""

    place: Path

    @classmethod
    def new(cls, place: Path, hidden: str) -> Repository:
        """Make a repository that ignores a directory of ours.

        Raises:
            CourseError: if git cannot make one.
        """
        repository = cls(place)
        try:
            git(place, "init", "--quiet", "--template=")
        except GitError as error:
            raise CourseError("make a course", str(error), "install git") from error
        exclude = place / ".git" / "info" / "exclude"
        exclude.parent.mkdir(exist_ok=True)
        exclude.write_text(f"/{hidden}/\n", encoding="utf-8")
        return repository

    def git(self, *arguments: str) -> str:
        """Return what git prints, as its user has set it up.

        Raises:
            CourseError: if it fails.
        """
        try:
            return git(self.place, *_OWN, *arguments, as_user=True)
        except GitError as error:
            raise CourseError(
                f"run git {arguments[0]}", str(error), "mend that, and say it again"
            ) from error

    def keep(self, tree: Tree, message: str, parent: str = "") -> str:
        """Store a tree of files as a commit that no branch has; return its name."""
        with tempfile.NamedTemporaryFile(prefix="stackyard-index-") as index:
            environment = {"GIT_INDEX_FILE": f"{index.name}.new"}
            names = self._stored(content for _, content in tree.values())
            lines = [
                f"{'100755' if mode & 0o100 else '100644'} {name}\t{path}"
                for (path, (mode, _)), name in zip(tree.items(), names, strict=True)
            ]
            told = "".join(f"{line}\n" for line in lines)
            try:
                git(
                    self.place,
                    "update-index",
                    "--add",
                    "--index-info",
                    text=told,
                    environment=environment,
                )
                written = git(self.place, "write-tree", environment=environment).strip()
            finally:
                Path(environment["GIT_INDEX_FILE"]).unlink(missing_ok=True)
        parents = ("-p", parent) if parent else ()
        return git(self.place, *_AUTHOR, "commit-tree", written, *parents, "-m", message).strip()

    def _stored(self, contents: Iterable[bytes]) -> list[str]:
        """Store contents, all by one process of git; return their names."""
        with tempfile.TemporaryDirectory(prefix="stackyard-") as directory:
            files = []
            for number, content in enumerate(contents):
                file = Path(directory, str(number))
                file.write_bytes(content)
                files.append(str(file))
            text = "".join(f"{file}\n" for file in files)
            arguments = ("hash-object", "-w", "--no-filters", "--stdin-paths")
            return git(self.place, *arguments, text=text).split()

    def name(self, number: int, which: str, commit: str) -> None:
        """Give a stage the name by which `of` finds it."""
        git(self.place, "update-ref", f"refs/workshop/{number}/{which}", commit)

    def of(self, number: int, which: str) -> str:
        """Return the commit of an exercise's `start`, or of it `done`."""
        return self.git("rev-parse", "--verify", f"refs/workshop/{number}/{which}").strip()

    def lay(self, commit: str) -> None:
        """Have the files be those of a commit, as the next commit will have them.

        What git does not know, such as what it ignores, stays.
        """
        self.git("read-tree", "--reset", "-u", commit)

    def is_changed(self) -> bool:
        """Tell whether there is anything that no commit has."""
        return bool(self.git("status", "--porcelain"))

    def commit(self, message: str) -> str:
        """Commit all that there is; return the commit's short name.

        Raises:
            CourseError: in the middle of a merge or the like, or if git cannot.
        """
        self._refuse_unfinished()
        self.git("add", "--all")
        commit = ("commit", "--quiet", "--no-verify", "--allow-empty", "--message", message)
        try:
            git(self.place, *_OWN, *commit, as_user=True)
        except GitError:
            self.git(*_AUTHOR, *commit)
        return self.git("rev-parse", "--short", "HEAD").strip()

    def tree(self, commit: str) -> Tree:
        """Return the files of a commit."""
        done = subprocess.run(
            ["git", "archive", "--format=tar", commit],
            cwd=self.place,
            env=regime(),
            capture_output=True,
            check=True,
        )
        import io
        import tarfile

        with tarfile.open(fileobj=io.BytesIO(done.stdout)) as archive:
            return {
                member.name: (member.mode & 0o777, opened.read())
                for member in archive
                if member.isfile() and (opened := archive.extractfile(member))
            }

    def differing(self, older: str, newer: str) -> list[str]:
        """Return the paths of the files in which two commits differ."""
        told = self.git("diff", "--name-only", "--no-renames", "-z", older, newer)
        return [path for path in told.split("\0") if path]

    def content(self, commit: str, path: str) -> bytes | None:
        """Return what a commit has at a path, if anything."""
        done = subprocess.run(
            ["git", "cat-file", "blob", f"{commit}:{path}"],
            cwd=self.place,
            env=regime(),
            capture_output=True,
            check=False,
        )
        return None if done.returncode else done.stdout

    def _refuse_unfinished(self) -> None:
        for name in (
            "MERGE_HEAD",
            "CHERRY_PICK_HEAD",
            "REVERT_HEAD",
            "rebase-merge",
            "rebase-apply",
        ):
            if (self.place / ".git" / name).exists():
                raise CourseError(
                    "keep your work in a commit",
                    f"git is in the middle of something ({name})",
                    "finish it, or end it with 'git merge --abort' or the like",
                )
