"""`stackyard workshop`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from stackyard import interrupts
from stackyard.commands import completion, installed
from stackyard.commands.printing import dump, progress, say, steps_in, warn
from stackyard.commands.telling import (
    opens,
    print_verdict,
    prose,
    status,
    table,
    tell_kept,
    tell_opened,
)
from stackyard.errors import shown

if TYPE_CHECKING:
    from stackyard.workshop.course import Course


@click.group(invoke_without_command=True)
@click.pass_context
def workshop(context: click.Context) -> None:
    """Learn a framework: exercises that fail, checks that say why, solutions that pass.

    Without a command it tells where you are, and what is next.

    \b
    Examples:
      stackyard workshop new fastapi course
      stackyard workshop
      stackyard workshop check --watch
    """
    if context.invoked_subcommand is None:
        status(_here())


@workshop.command()
@click.argument("framework", shell_complete=completion.courses)
@click.argument("path", shell_complete=completion.directories)
@click.pass_context
def new(context: click.Context, framework: str, path: str) -> None:
    """Make a course in FRAMEWORK at PATH: a repository of your own, exercise 1 open.

    What the course needs is fetched now; from then on it needs no network.

    \b
    Example:
      stackyard workshop new fastapi course
    """
    from pathlib import Path

    from stackyard.making.errors import UnusablePathError
    from stackyard.workshop import exercises, making
    from stackyard.workshop.errors import UnknownCourseError

    if not path:
        raise UnusablePathError(path, "is empty")
    template = installed(context)
    if framework not in (known := exercises.frameworks(template.root)):
        raise UnknownCourseError(framework, known)
    with interrupts.shielded():
        made = making.make(template, framework, Path(path), progress=progress)
        interrupts.conclude()
    for warning in made.warnings:
        warn(warning)
    one = made.course.exercise
    last = len(made.course.outline.exercises)
    say(f"The course is ready in {path}: {last} exercises in {framework}.", "", "Next:")
    say(*(f"  {step}" for step in steps_in(Path(path), ["stackyard workshop check --watch"])))
    say("", f"Read workshop/{one.folder}/README.md first. Lost? stackyard workshop")


@workshop.command()
@click.option("--watch", is_flag=True, help="Check again whenever a file is saved; Ctrl-C ends it.")
def check(*, watch: bool) -> None:
    """Check the exercise that is open; if it passes, commit it and open the next one.

    \b
    Examples:
      stackyard workshop check
      stackyard workshop check --watch
    """
    course = _here()
    if not watch:
        if not _checked(course):
            raise click.exceptions.Exit(1)
        return
    try:
        _watched(course)
    except KeyboardInterrupt:  # which is how it ends
        interrupts.conclude()


@workshop.command()
def hint() -> None:
    """Show a hint; said again, the next one, which tells more.

    \b
    Example:
      stackyard workshop hint
    """
    with interrupts.shielded():
        course = _here()
        number, text = course.hint()
    last = len(course.exercise.hints)
    say(f"Hint {number} of {last} to exercise {course.exercise.number}:", "")
    prose(text)
    if number == last:
        say(
            "", "That was the last one. stackyard workshop diff shows what is left to the solution."
        )


@workshop.command()
@click.argument("number", type=int, required=False)
def diff(number: int | None) -> None:
    """Show what is between your files and the solution, of the open exercise or of NUMBER.

    \b
    Examples:
      stackyard workshop diff
      stackyard workshop diff 3
    """
    course = _here()
    exercise = course.get(number) if number is not None else course.exercise
    lines = course.diff(exercise.number).splitlines()
    if not lines:
        say("Your files are those of the solution.", "")
    for line in lines:
        color = {"+": "green", "-": "red", "@": "cyan"}.get(line[:1])
        click.secho(shown(line.replace("\t", "    ")), fg=color)
    if lines:
        say("")
    say("Why so:")
    prose(exercise.why)


@workshop.command()
def solve() -> None:
    """Bring the solution in, and stay here: read it, then say check.

    \b
    Example:
      stackyard workshop solve
    """
    with interrupts.shielded():
        course = _here()
        moved = course.solve()
        tell_kept(moved)
        say(f"Exercise {course.exercise.number} is solved in: {opens(course.exercise)}.")
        say("Read it, then say: stackyard workshop check")
    say("", "Why so:")
    prose(course.exercise.why)


@workshop.command()
def skip() -> None:
    """Bring the solution in, and go on with the next exercise.

    \b
    Example:
      stackyard workshop skip
    """
    with interrupts.shielded():
        course = _here()
        moved = course.skip()
        tell_kept(moved)
        say(f"Exercise {course.exercise.number} is skipped, with its solution in place.")
        tell_opened(moved)


@workshop.command()
def reset() -> None:
    """Bring the start of the open exercise back; your work stays in git.

    \b
    Example:
      stackyard workshop reset
    """
    with interrupts.shielded():
        moved = _here().reset()
        tell_kept(moved)
        tell_opened(moved)


@workshop.command()
@click.argument("number", type=int)
def goto(number: int) -> None:
    """Open exercise NUMBER from its start, whatever is done before it; your work stays in git.

    \b
    Example:
      stackyard workshop goto 3
    """
    with interrupts.shielded():
        moved = _here().go_to(number)
        tell_kept(moved)
        tell_opened(moved)


@workshop.command("list")
@click.option(
    "--json", "as_json", is_flag=True, help="Print one JSON object, for a teacher's board."
)
def list_(*, as_json: bool) -> None:
    """Show the exercises, and what became of each.

    \b
    Examples:
      stackyard workshop list
      stackyard workshop list --json
    """
    from stackyard.workshop.course import dumped

    course = _here()
    if as_json:
        dump(dumped(course))
    else:
        table(course)


@workshop.command()
@click.argument("framework", shell_complete=completion.courses)
@click.argument("number", type=int, required=False)
@click.pass_context
def compare(context: click.Context, framework: str, number: int | None) -> None:
    """Show how FRAMEWORK solves the open exercise, or NUMBER.

    \b
    Examples:
      stackyard workshop compare flask
      stackyard workshop compare flask 3
    """
    from stackyard.comparing.code import find_in
    from stackyard.workshop import making
    from stackyard.workshop.errors import OwnExerciseError

    course = _here()
    wanted = course.get(number) if number is not None else course.exercise
    progress("Making what is compared ...")
    with interrupts.shielded():
        name = {"name": course.place.name}
        outline, stages = making.solution(installed(context), framework, name)
    one = next((other for other in outline.exercises if other.name == wanted.name), None)
    if one is None:
        raise OwnExerciseError(wanted.title, framework)
    done = stages[one.number - 1].done
    click.secho(f"Exercise {one.number}, {one.title.lower()}, in {framework}", bold=True)
    for place in one.opens:
        excerpt = find_in(done[place.path][1].decode(), place)
        if excerpt is not None:
            click.secho(f"\n{place.path}:{excerpt.line}", dim=True)
            say(*excerpt.text.splitlines())
    say("", "Why so:")
    prose(one.why)


def _here() -> Course:
    """Return the course of the directory that one is in."""
    from pathlib import Path

    from stackyard.workshop.course import Course

    return Course.around(Path.cwd())


def _watched(course: Course) -> None:
    """Check whenever a file is saved, until the course is over."""
    from stackyard.workshop.watching import changes

    _checked(course)
    for _ in changes(course.place):
        click.echo()
        if (course := _here()).is_over:
            return
        _checked(course)


def _checked(course: Course) -> bool:
    """Check the open exercise, print what came of it, and go on if all is right; tell whether."""
    from stackyard.workshop.checking import check as judge

    exercise = course.exercise
    until = course.outline.exercises[: exercise.number]
    repository = course.repository
    done = repository.of(exercise.number, "done")
    with interrupts.allowed():
        verdict = judge(course.place, until, lambda: repository.tree(done))
    print_verdict(exercise, verdict)
    if not verdict.is_right:
        return False
    with interrupts.shielded():
        moved = course.finish()
        state = (
            "committed" if exercise.number not in course.progress.solved else "committed (solved)"
        )
        say("", f"Exercise {exercise.number} is done: {state}.")
        tell_opened(moved)
    return True
