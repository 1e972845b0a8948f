"""What can be wrong with what is said of a resource."""

from __future__ import annotations

from stackyard.errors import StackyardError


class ResourceError(StackyardError):
    """A resource, or a field of one, that cannot be made; `place` is the words that say it."""

    def __init__(self, place: str, reason: str) -> None:
        super().__init__(f"{place!r}: {reason}")
