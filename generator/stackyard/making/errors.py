"""What can be wrong with the place where a project is to be.

StackyardError
├── TargetError
│   ├── NotADirectoryTargetError
│   ├── ObstructedTargetError
│   ├── TargetIsProjectError
│   ├── TargetNotEmptyError
│   ├── UnusablePathError
│   └── UnwritableTargetError
└── DiskFullError
"""

from __future__ import annotations

from pathlib import Path

from stackyard.errors import StackyardError


class TargetError(StackyardError):
    """A target that cannot become the project."""


class NotADirectoryTargetError(TargetError):
    """The target, or a parent of it, is something else than a directory."""

    def __init__(self, target: Path, obstacle: Path) -> None:
        found = "it is" if obstacle == target else f"{str(obstacle)!r} is"
        super().__init__(
            f"cannot make a project in {str(target)!r}: {found} not a directory;"
            " choose another PATH"
        )


class ObstructedTargetError(TargetError):
    """With `force`: an entry that cannot be overwritten by a file of the template."""

    def __init__(self, target: Path, obstacle: Path, found: str, wanted: str) -> None:
        super().__init__(
            f"cannot overwrite in {str(target)!r}: {str(obstacle)!r} is {found} where the template"
            f" makes {wanted}; move it away or choose another PATH"
        )


class TargetIsProjectError(TargetError):
    """The target is a project already, whose edits `force` would overwrite."""

    def __init__(self, target: Path) -> None:
        super().__init__(
            f"{str(target)!r} is a project already: choose another PATH for a new one;"
            " 'stackyard update' brings this one to a newer release, or to other answers"
        )


class TargetNotEmptyError(TargetError):
    """The target has entries, and `force` was not asked for."""

    def __init__(self, target: Path, found: str) -> None:
        super().__init__(
            f"{str(target)!r} exists and is not empty (it holds {found!r}): choose another PATH,"
            " or pass --force to overwrite the files that the template makes and no others"
        )


class UnusablePathError(TargetError):
    """A path that no file system takes, or that cannot be shown."""

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(f"the path {path!r} {reason}: choose another PATH")


class UnwritableTargetError(TargetError):
    """The operating system refuses to read or write there."""

    def __init__(self, target: Path, error: OSError) -> None:
        # Our own hidden directory means nothing to the reader; the one that holds it does.
        place = str(error.filename2 or error.filename or target).partition("/.stackyard-")[0] or "/"
        where = f" ({place!r})" if place != str(target) else ""
        super().__init__(
            f"cannot write to {str(target)!r}: {error.strerror or error}{where};"
            " choose another PATH or change the permissions there"
        )


class DiskFullError(StackyardError):
    """No room for the project."""

    def __init__(self, target: Path) -> None:
        super().__init__(
            f"cannot write to {str(target)!r}: the disk is full;"
            " make room there or choose another PATH"
        )
