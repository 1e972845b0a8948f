"""What can go wrong in a comparison."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from stackyard.errors import StackyardError, suggest, unknown


class UnknownSideError(StackyardError):
    """What is neither a framework nor a project."""

    def __init__(self, name: str, frameworks: Iterable[str]) -> None:
        super().__init__(
            f"{name!r} is no framework, and no project of stackyard is there:"
            f" {suggest(name, frameworks)}, or give the PATH of a project"
        )


class UnknownConcernError(StackyardError):
    """A concern that there is not."""

    def __init__(self, name: str, names: Iterable[str]) -> None:
        super().__init__(unknown("concern", name, names))


class PageError(StackyardError):
    """A file that the page cannot be written to."""

    def __init__(self, file: Path, reason: str) -> None:
        super().__init__(f"cannot write the page to {str(file)!r}: {reason}; choose another file")
