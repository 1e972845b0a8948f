"""What can go wrong: each message says what was asked, what was found, what to do.

StackyardError
├── NotAProjectError
├── UnreadableAnswersError
├── ResourceError                                        resources/errors.py
├── AnswerError, TemplateError, UnusableTemplateError    template/errors.py
├── TargetError, DiskFullError                           making/errors.py
├── UnknownSideError, UnknownConcernError, PageError     comparing/errors.py
├── NotACourseError, UnknownCourseError, UnknownExerciseError,
│   CourseError, EnvironmentMissingError                 workshop/errors.py
└── ProjectError, UpstreamError                          updating/errors.py
"""

from __future__ import annotations

import difflib
import re
import shlex
from collections.abc import Iterable, Mapping
from pathlib import Path


class StackyardError(Exception):
    """The root: one line to show, and the status to exit with."""

    exit_status = 2


class NotAProjectError(StackyardError):
    """A directory that stackyard has not made."""

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(
            f"{str(path)!r} is no project of stackyard: {reason}; give the PATH of one"
        )


class UnreadableAnswersError(StackyardError):
    """A file that holds no answers."""

    def __init__(self, file: Path, reason: str) -> None:
        super().__init__(
            f"cannot read answers from {str(file)!r}: {reason};"
            " give a file such as a project's .copier-answers.yml"
        )


def shown(text: object) -> str:
    r"""Return a text as one line that a terminal only shows: what is not printable as `\x1b`."""
    return "".join(
        character if character.isprintable() else character.encode("unicode_escape").decode()
        for character in str(text)
    )


def typed(path: Path) -> str:
    """Return a path as a shell and any command take it for one."""
    return shlex.quote(f"./{path}" if str(path).startswith("-") else str(path))


def flag(name: str) -> str:
    """Return the option of the command that answers a question."""
    if name == "resources":  # each is told by itself
        return "--resource"
    return f"--{name.replace('_', '-')}"


def flags(answers: Mapping[str, str]) -> str:
    """Return what to tell the command for these answers."""
    told = (
        f"{flag(name)} {value}" if name != "framework" else f"the framework {value}"
        for name, value in answers.items()
    )
    return ", ".join(told)


def nearest(word: str, candidates: Iterable[str]) -> str | None:
    """Return the candidate that `word` most likely meant, if any comes close."""
    folded = {candidate.casefold(): candidate for candidate in candidates}
    word = word.casefold()
    close = [name for name in folded if word in re.split("[-_]", name)]
    close += difflib.get_close_matches(word, folded, n=1, cutoff=0.5)
    return folded[close[0]] if close else None


def unknown(kind: str, name: str, names: Iterable[str]) -> str:
    """Return that nothing of a kind is called so, and what there is."""
    return f"no {kind} is called {name!r}: {suggest(name, names)}"


def suggest(word: str, candidates: Iterable[str]) -> str:
    """Return what was most likely meant, if anything comes close, and what there is."""
    candidates = list(candidates)
    guess = nearest(word, candidates)
    valid = (
        f"choose from {', '.join(candidates)}"
        if len(candidates) > 1
        else f"only {candidates[0]} exists"
    )
    return f"did you mean {guess!r}? ({valid})" if guess else valid
