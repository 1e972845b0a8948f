"""What the commands print alike, for people and with `--json` for programs."""

from __future__ import annotations

import json
import shlex
import shutil
import sys
from itertools import zip_longest
from typing import TYPE_CHECKING

import click

from stackyard.errors import flag, shown, typed

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from stackyard.template import Choice, Question, Template


def dump(value: object) -> None:
    """Print a value as indented JSON."""
    click.echo(json.dumps(value, indent=2))


def say(*lines: str) -> None:
    """Print lines; whatever is in one, on the terminal it is that line and no more."""
    for line in lines:
        click.echo(shown(line))


def warn(message: str) -> None:
    """Print a warning."""
    click.echo(f"stackyard: warning: {shown(message)}", err=True)


def progress(step: str) -> None:
    """Print what takes a while, where somebody watches."""
    if sys.stderr.isatty():
        click.secho(shown(step), dim=True, err=True)


def steps_in(path: Path, steps: list[str]) -> list[str]:
    """Return the commands to run in a directory."""
    return [*([f"cd {typed(path)}"] if str(path) != "." else []), *steps]


def count(files: int) -> str:
    """Return how many files there are, in words."""
    return f"{files} file" if files == 1 else f"{files} files"


def behind_by(releases: list[str]) -> str:
    """Return how many releases a project is behind, and which."""
    if not releases:
        return "current"
    if releases == ["HEAD"]:
        return "behind HEAD, nothing is released yet"
    many = "1 release" if len(releases) == 1 else f"{len(releases)} releases"
    return f"{many} behind: {', '.join(releases)}"


def answer_lines(answers: Mapping[str, str]) -> list[str]:
    """Return a line for each answer, or for two short ones where they would fill the screen."""
    width = max(map(len, answers), default=0)
    told = {name: _told(name, value) for name, value in answers.items()}
    heads = [
        (name if not number else "", line)
        for name in told
        for number, line in enumerate(told[name])
    ]
    lines = [shown(f"  {head:<{width}}  {line}") for head, line in heads]
    screen = shutil.get_terminal_size()
    if len(lines) <= screen.lines // 2:
        return lines
    half = screen.columns // 2
    short = [line for line in lines if len(line) < half]
    middle = (len(short) + 1) // 2
    pairs = zip_longest(short[:middle], short[middle:], fillvalue="")
    longer = [line for line in lines if len(line) >= half]
    return [f"{left:<{half}}{right}".rstrip() for left, right in pairs] + longer


def _told(name: str, value: str) -> list[str]:
    """Return an answer as lines; resources are a table of their fields."""
    from stackyard.resources import QUESTION, parse

    if name != QUESTION or not value:
        return [value or "(empty)"]
    rows = []
    for resource in parse([value]):
        for field in resource.fields:
            marks = [("required", field.required), ("unique", field.unique), ("index", field.index)]
            kind = f"{field.type}{{{field.limits}}}" if field.limits else field.type
            first = resource.name if field is resource.fields[0] else ""
            rows.append((first, field.name, kind, ", ".join(mark for mark, has in marks if has)))
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]


def usual(question: Question) -> str:
    """Return what a question's answer is unless it is told, for people."""
    if question.name.startswith("author_"):
        return "git's, or empty"
    return "made from project_name" if question.derived else question.default or "empty"


def choice_lines(choices: Sequence[Choice]) -> list[str]:
    """Return a line for each choice: its value and what it means."""
    return columns([(choice.value, choice.explanation) for choice in choices])


def columns(rows: Sequence[tuple[str, str]]) -> list[str]:
    """Return a line for each row, the second column aligned."""
    width = max((len(first) for first, _ in rows), default=0)
    return [f"{first:<{width}}  {second}" for first, second in rows]


def repeat_command(
    template: Template, path: Path, answers: Mapping[str, str], flags: Iterable[str] = ()
) -> str:
    """Return the command that makes a project again, whoever runs it, and wherever."""
    from stackyard.resources import QUESTION
    from stackyard.template.settle import slug

    words = [_program(), "new", answers["framework"]]
    words += shlex.split(typed(path))
    for name, value in answers.items():
        if name not in template.questions:
            continue  # asked by another release
        default = template.questions[name].default
        if name == "project_name":
            default = path.resolve().name
        if name == "project_slug":
            default = slug(answers.get("project_name", ""))
        # An author who is not told is the one that git knows there.
        if name == QUESTION:
            words += [word for one in value.split("; ") if one for word in ("--resource", one)]
        elif name != "framework" and (value != default or name.startswith("author_")):
            words += [flag(name), value]
    return shlex.join([*words, *flags, "--defaults"])


def _program() -> str:
    """Return how this command is called: by its name where PATH finds it, else by its path."""
    called = sys.argv[0]
    by_path = called.endswith("/stackyard") and called != shutil.which("stackyard")
    return called if by_path else "stackyard"
