"""What can go wrong in a measurement."""

from __future__ import annotations

from stackyard.errors import StackyardError


class MissingExtraError(StackyardError):
    """Packages that measuring needs and generating does not."""

    def __init__(self, package: str) -> None:
        super().__init__(
            f"--measure needs {package}, which is not installed: it comes with"
            " stackyard[compare], as in uv tool install 'stackyard[compare]'"
        )


class LoadError(StackyardError):
    """A generator of load that has failed."""

    def __init__(self, name: str, url: str, told: str) -> None:
        said = told.strip().splitlines()[-1:] or ["nothing"]
        super().__init__(f"{name} could not drive {url}; it said: {said[0]}")


class NoFiguresError(StackyardError):
    """A project that is not what it should be, and so has no figures."""

    def __init__(self, reason: str, told: str) -> None:
        super().__init__(f"{reason}: {told}")
