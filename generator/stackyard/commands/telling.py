"""What `stackyard workshop` says to a learner."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

import click

from stackyard.commands.printing import say
from stackyard.errors import shown

if TYPE_CHECKING:
    from stackyard.workshop.checking import Verdict
    from stackyard.workshop.course import Course, Moved
    from stackyard.workshop.exercises import Check, Exercise
    from stackyard.workshop.findings import Finding

_WIDTH = 96
_LONGEST = 400
"""How many characters of what was sent, or came, are shown."""


def status(course: Course) -> None:
    """Tell where a learner is, and what is next."""
    table(course)
    if course.is_over:
        say("", "All of it is done: what is here is what 'stackyard new' makes.")
        return
    tell_exercise(course.exercise)
    say("", "Then:   stackyard workshop check [--watch]")
    say("Stuck?  stackyard workshop hint, diff, solve or skip")


def table(course: Course) -> None:
    """Print the exercises, a line each, with what became of them."""
    marks = {"open": ">", "done": "x", "solved": "s", "skipped": "-", "": " "}
    for one in course.outline.exercises:
        state = course.state(one.number)
        line = f" {marks[state]} {one.number:>2}  {one.title:<28} {one.minutes:>3} min  {state}"
        click.secho(line.rstrip(), bold=state == "open")


def print_verdict(exercise: Exercise, verdict: Verdict) -> None:
    """Print the checks that passed, a line each, and of those that failed the first in full."""
    for one, each in verdict.passed:
        if one.number == exercise.number:
            click.secho(f"  ok    {shown(each.name)}", fg="green")
    for one, each, _ in verdict.found:
        where = "" if one.number == exercise.number else f" (exercise {one.number})"
        click.secho(f"  FAIL  {shown(each.name)}{where}", fg="red")
    earlier = sum(one.number != exercise.number for one, _ in verdict.passed)
    if earlier:
        say(f"  ok    {earlier} of the exercises before")
    if verdict.found:
        say("", *told(*verdict.found[0][1:]))
    say("", f"Exercise {exercise.number}, {exercise.title.lower()}: {verdict.seconds:.1f} s")


def told(check: Check, finding: Finding) -> list[str]:
    """Return what is to be said of a check that failed: at most nine lines."""
    rows = [
        ("sent", finding.sent, 2),
        ("came", finding.came, 3),
        ("contract", check.rule, 2),
        ("look at", finding.place or check.look.path, 1),
    ]
    lines = [f"{check.name}:"]
    for name, text, most in rows:
        said = shown(" ".join(text.split()))[:_LONGEST]
        first = f"  {name + ':':<10}"
        wrapped = textwrap.wrap(
            said,
            _WIDTH,
            initial_indent=first,
            subsequent_indent=" " * 12,
            max_lines=most,
            placeholder=" ...",
        )
        lines += wrapped or [first]
    return lines


def tell_kept(moved: Moved) -> None:
    """Say where the work is that was not in a commit."""
    if moved.kept:
        say(f"What you had is kept in commit {moved.kept}: git show {moved.kept}")


def tell_opened(moved: Moved) -> None:
    """Say which exercise is open now, and what to do with it."""
    if moved.taken:
        say(
            f"From here on as the course has it, as your changes were to the same lines:"
            f" {', '.join(moved.taken)}"
        )
    if moved.exercise is None:
        say("", "That was the last one. What is here is what 'stackyard new' makes.")
    else:
        tell_exercise(moved.exercise)


def tell_exercise(exercise: Exercise) -> None:
    """Say what there is to read, and where to write."""
    say("", f"Exercise {exercise.number}: {exercise.title} (about {exercise.minutes} minutes)")
    say(f"  read   workshop/{exercise.folder}/README.md", f"  write  {opens(exercise)}")


def opens(exercise: Exercise) -> str:
    """Return the files that an exercise is written in."""
    files = dict.fromkeys(place.path for place in exercise.opens)
    return ", ".join(files)


def prose(text: str) -> None:
    """Print paragraphs, wrapped, and code as it is."""
    parts = text.split("\n\n")
    for number, part in enumerate(parts):
        if number:
            click.echo()
        if part.startswith("    ") or "\n  " in part:
            say(*part.splitlines())
        else:
            say(*textwrap.wrap(" ".join(part.split()), _WIDTH))
