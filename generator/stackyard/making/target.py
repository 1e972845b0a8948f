"""The directory that becomes the project: checked, staged beside, and published at once."""

from __future__ import annotations

import errno
import os
import secrets
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from stackyard import interrupts
from stackyard.making.errors import (
    DiskFullError,
    NotADirectoryTargetError,
    ObstructedTargetError,
    TargetIsProjectError,
    TargetNotEmptyError,
    UnusablePathError,
    UnwritableTargetError,
)
from stackyard.project import ANSWERS_FILE

_FULL = frozenset({errno.ENOSPC, errno.EDQUOT})


@dataclass(frozen=True)
class Target:
    """Where a project goes: `path` as it was asked for, `place` without links and `..`."""

    path: Path
    place: Path

    @classmethod
    def at(cls, path: Path, *, force: bool) -> Target:
        """Look at `path` without touching anything.

        Raises:
            TargetError: if no project can be made there.
        """
        _check_text(path)
        with os_errors(path):
            target = cls(path, _resolve(path))
            dangling = path.is_symlink() and not path.exists()
            if dangling or not target.ground.is_dir():
                own = dangling or target.ground == target.place
                raise NotADirectoryTargetError(path, path if own else target.ground)
            if target.ground == target.place and not force:
                target.refuse_if_occupied()
        return target

    @property
    def ground(self) -> Path:
        """Return the target itself if something is there, else the nearest parent that exists."""
        place = self.place
        while not os.path.lexists(place):
            place = place.parent
        return place

    def refuse_if_occupied(self) -> None:
        """Raise a `TargetError` if the directory has an entry."""
        if os.path.lexists(self.place / ANSWERS_FILE):
            raise TargetIsProjectError(self.path)
        with os.scandir(self.place) as entries:
            found = min((entry.name for entry in entries), default=None)
        if found is not None:
            raise TargetNotEmptyError(self.path, found)

    def refuse_obstacles(self, source: Path, *, force: bool) -> None:
        """Raise `TargetError` if an entry of `source` cannot take its place."""
        for ours, theirs in _encounters(source, self.place):
            if os.path.lexists(theirs):
                self._refuse_obstacle(ours, theirs, force=force)

    def publish(self, source: Path, attic: Path, *, force: bool) -> None:
        """Move the directory `source` to the target: all of it or, on any error, nothing.

        A new target appears by one rename. In a directory that is there already, files
        are replaced one by one, and what they replace waits in `attic`, a new directory
        on the same file system, until the last one is in place.

        Raises:
            TargetError, DiskFullError: with everything as it was before.
            KeyboardInterrupt: likewise.
        """
        with os_errors(self.path):
            if not self.place.is_dir():
                self._appear(source)
                return
            attic.mkdir()
            try:
                self._fill(source, attic, force=force)
            except BaseException:
                # What could not be put back stays there: it is not ours to delete.
                with suppress(OSError):
                    attic.rmdir()
                raise
            shutil.rmtree(attic, ignore_errors=True)

    def _appear(self, source: Path) -> None:
        made: list[Path] = []
        try:
            for parent in reversed(self.place.parents):
                if not parent.exists():
                    parent.mkdir()
                    made.append(parent)
            interrupts.check()
            source.rename(self.place)
        except BaseException as error:
            for parent in reversed(made):
                with suppress(OSError):
                    parent.rmdir()
            if isinstance(error, OSError) and error.errno in {errno.ENOTEMPTY, errno.EEXIST}:
                self.refuse_if_occupied()
            raise

    def _fill(self, source: Path, attic: Path, *, force: bool) -> None:
        moved: list[tuple[Path, Path]] = []

        def move(origin: Path, destination: Path) -> None:
            interrupts.check()
            origin.rename(destination)
            moved.append((origin, destination))

        try:
            for ours, theirs in list(_encounters(source, self.place)):
                if os.path.lexists(theirs):
                    self._refuse_obstacle(ours, theirs, force=force)
                    move(theirs, attic / str(len(moved)))
                move(ours, theirs)
            interrupts.check()
        except BaseException:
            for origin, destination in reversed(moved):
                with suppress(OSError):
                    destination.rename(origin)
            raise

    def _refuse_obstacle(self, ours: Path, theirs: Path, *, force: bool) -> None:
        relative = theirs.relative_to(self.place)
        if not force:
            raise TargetNotEmptyError(self.path, str(relative))
        if ours.is_dir():
            found = "a symbolic link" if theirs.is_symlink() else "not a directory"
            raise ObstructedTargetError(self.path, relative, found, "a directory")
        if theirs.is_dir():
            raise ObstructedTargetError(self.path, relative, "a directory", "a file")


@contextmanager
def os_errors(path: Path) -> Iterator[None]:
    """Turn what the operating system refuses into an error about the target `path`."""
    try:
        yield
    except OSError as error:
        if error.errno in _FULL:
            raise DiskFullError(path) from error
        raise UnwritableTargetError(path, error) from error


@contextmanager
def directory_in(parent: Path, name: str) -> Iterator[Path]:
    """Make a directory of our own in `parent`, and remove it whatever happens."""
    directory = parent / f"{name}-{secrets.token_hex(4)}"
    with interrupts.shielded():
        try:
            directory.mkdir(mode=0o700)
            yield directory
        finally:
            _remove(directory)


def _remove(directory: Path) -> None:
    # A git process that outlives the interrupt of its parent may add a file meanwhile.
    for _ in range(40):
        shutil.rmtree(directory, ignore_errors=True)
        if not directory.exists():
            return
        time.sleep(0.05)


def _check_text(path: Path) -> None:
    text = str(path)
    if "\0" in text:
        raise UnusablePathError(text, "holds a NUL")
    try:
        text.encode()
    except UnicodeEncodeError:
        raise UnusablePathError(text, "is not valid UTF-8") from None


def _resolve(path: Path) -> Path:
    try:
        return path.resolve()
    except RuntimeError:  # Python before 3.13 on a loop of symbolic links
        raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), str(path)) from None


def _encounters(source: Path, place: Path) -> Iterator[tuple[Path, Path]]:
    """Pair each entry of `source` with its destination, going down where both are directories."""
    for ours in sorted(source.iterdir()):
        theirs = place / ours.name
        if ours.is_dir() and theirs.is_dir() and not theirs.is_symlink():
            yield from _encounters(ours, theirs)
        else:
            yield ours, theirs
