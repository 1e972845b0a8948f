"""What can be wrong with a project that is to be updated, and with where its template comes from.

AnswerError
├── FixedAnswerError
└── GoneAnswerError
StackyardError
├── ProjectError
│   ├── DirtyWorkTreeError
│   ├── ForkedHistoryError
│   ├── NotCommittedError
│   ├── ObstructedUpdateError
│   ├── UnfinishedUpdateError
│   ├── UnknownReleaseError
│   ├── UnreadableMigrationError
│   └── UpdateFailedError
└── UpstreamError
    ├── DowngradeError
    ├── ForeignSourceError
    ├── NoSuchReleaseError
    └── UnreachableUpstreamError
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from stackyard.errors import StackyardError, flag, suggest
from stackyard.template.errors import AnswerError


class FixedAnswerError(AnswerError):
    """An answer that a project keeps for its whole life."""

    def __init__(self, key: str, before: str, after: str) -> None:
        super().__init__(
            f"{key} cannot change from {before!r} to {after!r} in an update:"
            " make another project with 'stackyard new --answers'"
        )


class GoneAnswerError(AnswerError):
    """An answer of the project that the newer release does not take any more."""

    def __init__(self, key: str, value: str, release: str, choices: Iterable[str]) -> None:
        super().__init__(
            f"{release} has no {key}={value}, which the project was made with:"
            f" pass {flag(key)} with one of {', '.join(choices)}"
        )


class ProjectError(StackyardError):
    """A project that cannot be updated as it is."""


class DirtyWorkTreeError(ProjectError):
    """A work tree with something that is not committed."""

    def __init__(self, path: Path, found: str, recovery: str) -> None:
        super().__init__(
            f"cannot update {str(path)!r}: {found!r} is not committed; commit or stash it first"
            f" (after an update that was cut off, '{recovery}' restores what was there)"
        )


class ForkedHistoryError(ProjectError):
    """Migrations with no last one, which others could follow."""

    def __init__(self, path: Path, heads: Iterable[str], command: str) -> None:
        super().__init__(
            f"cannot update {str(path)!r}: the update has migrations to add or undo, and there is"
            f" no last one to follow (but {', '.join(heads) or 'a circle'}); join them there,"
            f" commit that, and update again: {command}"
        )


class NotCommittedError(ProjectError):
    """A project that no commit holds."""

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(
            f"cannot update {str(path)!r}: it is in no git commit ({reason});"
            " commit it first, so that the update can be told from your own work"
        )


class ObstructedUpdateError(ProjectError):
    """Something is where the update has to write."""

    def __init__(self, path: Path, obstacle: str, reason: str) -> None:
        super().__init__(
            f"cannot update {str(path)!r}: {obstacle!r} is in the way ({reason}); move it away"
        )


class UnfinishedUpdateError(ProjectError):
    """An update that failed while it wrote, and could not be undone."""

    def __init__(self, path: Path, reason: object, recovery: str) -> None:
        super().__init__(
            f"cannot update {str(path)!r}: {reason}; part of it is written:"
            f" '{recovery}' restores what was there"
        )


class UnknownReleaseError(ProjectError):
    """A project made from a template that was no git repository."""

    def __init__(self, path: Path) -> None:
        super().__init__(
            f"cannot update {str(path)!r}: its .copier-answers.yml names no _commit, as its"
            " template was no git repository; put there the release that it was made from"
        )


class UnreadableMigrationError(ProjectError):
    """A migration of which nobody can tell what it follows."""

    def __init__(self, path: Path, file: str, reason: str) -> None:
        super().__init__(
            f"cannot update {str(path)!r}: the update has migrations to add or undo, and {file!r}"
            f" does not tell what it follows ({reason}); mend that, commit it, and update again"
        )


class UpdateFailedError(ProjectError):
    """Git refused a step of the update."""

    def __init__(self, path: Path, reason: object) -> None:
        super().__init__(f"cannot update {str(path)!r}: {reason}; everything is as it was before")


class UpstreamError(StackyardError):
    """A template's repository that does not have what was asked for."""


class DowngradeError(UpstreamError):
    """A release that is older than the project's."""

    def __init__(self, before: str, after: str) -> None:
        super().__init__(
            f"cannot update from {before} back to {after}: choose a newer one with --to,"
            " or go back in the project's own git history"
        )


class ForeignSourceError(UpstreamError):
    """A template's address that is not stackyard's own, and that nobody has said to trust."""

    def __init__(self, source: str) -> None:
        super().__init__(
            f"the template at {source!r} is not stackyard's own, so it was not contacted:"
            " pass --trust-source if you trust whoever made it"
        )


class NoSuchReleaseError(UpstreamError):
    """A version that the repository does not have."""

    def __init__(self, source: str, version: str, releases: Iterable[str]) -> None:
        known = suggest(version, releases) if any(releases) else "it has no releases yet"
        super().__init__(f"there is no version {version!r} at {source!r}: {known}")


class UnreachableUpstreamError(UpstreamError):
    """A repository that does not answer, or is none."""

    def __init__(self, source: str, reason: object) -> None:
        super().__init__(
            f"cannot reach the template at {source!r}: {reason};"
            " check the network, and _src_path in .copier-answers.yml"
        )
