"""What can go wrong, each message built here: what was asked, what was found, what to do.

StackyardError
├── AnswerError
│   ├── ConflictingAnswersError
│   ├── FixedAnswerError
│   ├── GoneAnswerError
│   ├── HiddenOptionError
│   ├── InvalidAnswerError
│   ├── MalformedAnswerError
│   ├── UnknownOptionError
│   ├── UnknownValueError
│   └── UnreadableAnswersError
├── TargetError
│   ├── NotADirectoryTargetError
│   ├── ObstructedTargetError
│   ├── TargetIsProjectError
│   ├── TargetNotEmptyError
│   ├── UnusablePathError
│   └── UnwritableTargetError
├── ProjectError
│   ├── DirtyWorkTreeError
│   ├── ForkedHistoryError
│   ├── NotAProjectError
│   ├── NotCommittedError
│   ├── ObstructedUpdateError
│   ├── UnfinishedUpdateError
│   ├── UnknownReleaseError
│   ├── UnreadableMigrationError
│   └── UpdateFailedError
├── UpstreamError
│   ├── DowngradeError
│   ├── ForeignSourceError
│   ├── NoSuchReleaseError
│   ├── UnreachableUpstreamError
│   └── UnusableTemplateError
├── DiskFullError
└── TemplateError
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable
from pathlib import Path


def shown(text: object) -> str:
    r"""Return a text as one line that a terminal only shows: what is not printable as `\x1b`."""
    return "".join(
        character if character.isprintable() else character.encode("unicode_escape").decode()
        for character in str(text)
    )


class StackyardError(Exception):
    """The root: one line to show, and the status to exit with."""

    exit_status = 2


class AnswerError(StackyardError):
    """An answer that cannot be taken."""


class MalformedAnswerError(AnswerError):
    """`-d` without `=`."""

    def __init__(self, text: str, options: Iterable[str]) -> None:
        key = nearest(text.strip(), options) or "KEY"
        super().__init__(f"-d {text!r} has no '=': write -d {key}=VALUE")


class UnknownOptionError(AnswerError):
    """A key that is no question of the template."""

    def __init__(self, key: str, options: Iterable[str]) -> None:
        super().__init__(f"no option is called {key!r}: {_suggest(key, options)}")


class HiddenOptionError(AnswerError):
    """A key that the template works out for itself."""

    def __init__(self, key: str) -> None:
        super().__init__(
            f"{key} cannot be given: it is worked out from the other answers, so leave it out"
        )


class UnknownValueError(AnswerError):
    """A value that is not among an option's choices."""

    def __init__(self, key: str, value: str, choices: Iterable[str]) -> None:
        super().__init__(f"{key} cannot be {value!r}: {_suggest(value, choices)}")


class ConflictingAnswersError(AnswerError):
    """One key with two values."""

    def __init__(self, key: str, first: str, second: str) -> None:
        super().__init__(f"{key} is given twice, as {first!r} and as {second!r}: keep one of them")


class InvalidAnswerError(AnswerError):
    """An answer that the template's own validator refuses."""

    def __init__(self, key: str, value: str, reason: str, source: str = "") -> None:
        taken = f", taken from {source}," if source else ""
        super().__init__(
            f"{key}{taken} cannot be {value!r}: it {reason}; pass another with -d {key}=VALUE"
        )


class UnreadableAnswersError(AnswerError):
    """A file that holds no answers."""

    def __init__(self, file: Path, reason: str) -> None:
        super().__init__(
            f"cannot read answers from {str(file)!r}: {reason};"
            " give a file such as a project's .copier-answers.yml"
        )


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
            f" pass -d {key}=VALUE, one of {', '.join(choices)}"
        )


class TargetError(StackyardError):
    """A target that cannot become the project."""


class UnusablePathError(TargetError):
    """A path that no file system takes, or that cannot be shown."""

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(f"the path {path!r} {reason}: choose another PATH")


class NotADirectoryTargetError(TargetError):
    """The target, or a parent of it, is something else than a directory."""

    def __init__(self, target: Path, obstacle: Path) -> None:
        found = "it is" if obstacle == target else f"{str(obstacle)!r} is"
        super().__init__(
            f"cannot make a project in {str(target)!r}: {found} not a directory;"
            " choose another PATH"
        )


class TargetNotEmptyError(TargetError):
    """The target has entries, and `force` was not asked for."""

    def __init__(self, target: Path, found: str) -> None:
        super().__init__(
            f"{str(target)!r} exists and is not empty (it holds {found!r}): choose another PATH,"
            " or pass --force to overwrite the files that the template makes and no others"
        )


class TargetIsProjectError(TargetError):
    """The target is a project already, whose edits `force` would overwrite."""

    def __init__(self, target: Path) -> None:
        super().__init__(
            f"{str(target)!r} is a project already: choose another PATH for a new one;"
            " 'stackyard update' brings this one to a newer release, or to other answers"
        )


class ObstructedTargetError(TargetError):
    """With `force`: an entry that cannot be overwritten by a file of the template."""

    def __init__(self, target: Path, obstacle: Path, found: str, wanted: str) -> None:
        super().__init__(
            f"cannot overwrite in {str(target)!r}: {str(obstacle)!r} is {found} where the template"
            f" makes {wanted}; move it away or choose another PATH"
        )


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


class ProjectError(StackyardError):
    """A project that cannot be updated as it is."""


class NotAProjectError(ProjectError):
    """A directory that stackyard has not made."""

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(
            f"{str(path)!r} is no project of stackyard: {reason}; give the PATH of one"
        )


class UnknownReleaseError(ProjectError):
    """A project made from a template that was no git repository."""

    def __init__(self, path: Path) -> None:
        super().__init__(
            f"cannot update {str(path)!r}: its .copier-answers.yml names no _commit, as its"
            " template was no git repository; put there the release that it was made from"
        )


class NotCommittedError(ProjectError):
    """A project that no commit holds."""

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(
            f"cannot update {str(path)!r}: it is in no git commit ({reason});"
            " commit it first, so that the update can be told from your own work"
        )


class DirtyWorkTreeError(ProjectError):
    """A work tree with something that is not committed."""

    def __init__(self, path: Path, found: str, recovery: str) -> None:
        super().__init__(
            f"cannot update {str(path)!r}: {found!r} is not committed; commit or stash it first"
            f" (after an update that was cut off, '{recovery}' restores what was there)"
        )


class ObstructedUpdateError(ProjectError):
    """Something is where the update has to write."""

    def __init__(self, path: Path, obstacle: str, reason: str) -> None:
        super().__init__(
            f"cannot update {str(path)!r}: {obstacle!r} is in the way ({reason}); move it away"
        )


class UpdateFailedError(ProjectError):
    """Git refused a step of the update."""

    def __init__(self, path: Path, reason: object) -> None:
        super().__init__(f"cannot update {str(path)!r}: {reason}; everything is as it was before")


class ForkedHistoryError(ProjectError):
    """Migrations with no last one, which others could follow."""

    def __init__(self, path: Path, heads: Iterable[str], command: str) -> None:
        super().__init__(
            f"cannot update {str(path)!r}: the update has migrations to add or undo, and there is"
            f" no last one to follow (but {', '.join(heads) or 'a circle'}); join them there,"
            f" commit that, and update again: {command}"
        )


class UnreadableMigrationError(ProjectError):
    """A migration of which nobody can tell what it follows."""

    def __init__(self, path: Path, file: str, reason: str) -> None:
        super().__init__(
            f"cannot update {str(path)!r}: the update has migrations to add or undo, and {file!r}"
            f" does not tell what it follows ({reason}); mend that, commit it, and update again"
        )


class UnfinishedUpdateError(ProjectError):
    """An update that failed while it wrote, and could not be undone."""

    def __init__(self, path: Path, reason: object, recovery: str) -> None:
        super().__init__(
            f"cannot update {str(path)!r}: {reason}; part of it is written:"
            f" '{recovery}' restores what was there"
        )


class UpstreamError(StackyardError):
    """A template's repository that does not have what was asked for."""


class ForeignSourceError(UpstreamError):
    """A template's address that is not stackyard's own, and that nobody has said to trust."""

    def __init__(self, source: str) -> None:
        super().__init__(
            f"the template at {source!r} is not stackyard's own, so it was not contacted:"
            " pass --trust-source if you trust whoever made it"
        )


class UnreachableUpstreamError(UpstreamError):
    """A repository that does not answer, or is none."""

    def __init__(self, source: str, reason: object) -> None:
        super().__init__(
            f"cannot reach the template at {source!r}: {reason};"
            " check the network, and _src_path in .copier-answers.yml"
        )


class NoSuchReleaseError(UpstreamError):
    """A version that the repository does not have."""

    def __init__(self, source: str, version: str, releases: Iterable[str]) -> None:
        known = _suggest(version, releases) if any(releases) else "it has no releases yet"
        super().__init__(f"there is no version {version!r} at {source!r}: {known}")


class DowngradeError(UpstreamError):
    """A release that is older than the project's."""

    def __init__(self, before: str, after: str) -> None:
        super().__init__(
            f"cannot update from {before} back to {after}: choose a newer one with --to,"
            " or go back in the project's own git history"
        )


class UnusableTemplateError(UpstreamError):
    """A template that asks in a way which stackyard's own does not."""

    def __init__(self, source: str, reason: object) -> None:
        super().__init__(
            f"cannot use the template of {source!r}: its copier.yml is none of stackyard's"
            f" ({reason}); check _src_path in .copier-answers.yml, or choose another with --to"
        )


class DiskFullError(StackyardError):
    """No room for the project."""

    def __init__(self, target: Path) -> None:
        super().__init__(
            f"cannot write to {str(target)!r}: the disk is full;"
            " make room there or choose another PATH"
        )


class TemplateError(StackyardError):
    """The template or Copier failed on answers that are in order: a fault of stackyard's own."""

    exit_status = 1

    def __init__(self, error: Exception) -> None:
        reason = " ".join(str(error).split())
        super().__init__(f"the template could not be rendered: {type(error).__name__}: {reason}")


def nearest(word: str, candidates: Iterable[str]) -> str | None:
    """Return the candidate that `word` most likely meant, if any comes close."""
    folded = {candidate.casefold(): candidate for candidate in candidates}
    word = word.casefold()
    close = [name for name in folded if word in re.split("[-_]", name)]
    close += difflib.get_close_matches(word, folded, n=1, cutoff=0.5)
    return folded[close[0]] if close else None


def _suggest(word: str, candidates: Iterable[str]) -> str:
    candidates = list(candidates)
    guess = nearest(word, candidates)
    valid = (
        f"choose from {', '.join(candidates)}"
        if len(candidates) > 1
        else f"only {candidates[0]} exists"
    )
    return f"did you mean {guess!r}? ({valid})" if guess else valid
