"""What can go wrong, each message built here: what was asked, what was found, what to do.

StackyardError
├── AnswerError
│   ├── ConflictingAnswersError
│   ├── HiddenOptionError
│   ├── InvalidAnswerError
│   ├── MalformedAnswerError
│   ├── UnknownOptionError
│   └── UnknownValueError
├── TargetError
│   ├── NotADirectoryTargetError
│   ├── ObstructedTargetError
│   ├── TargetNotEmptyError
│   ├── UnusablePathError
│   └── UnwritableTargetError
├── DiskFullError
└── TemplateError
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from pathlib import Path


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
    close = difflib.get_close_matches(word.casefold(), folded, n=1, cutoff=0.6)
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
