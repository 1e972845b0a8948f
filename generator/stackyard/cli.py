"""The command: reads what was asked, calls the engine, prints what came of it."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import sys
from typing import TYPE_CHECKING

import click

from stackyard import interrupts
from stackyard.errors import StackyardError, UnusablePathError

if TYPE_CHECKING:
    from stackyard.generate import Project
    from stackyard.template import Template

_KILOBYTE = 1000


def run(arguments: list[str]) -> int:
    """Run the command; return its exit status. A mistake is one line on stderr."""
    try:
        with main.make_context("stackyard", arguments or ["--help"]) as context:
            main.invoke(context)
        sys.stdout.flush()
    except click.exceptions.Exit as done:
        return done.exit_code
    except click.UsageError as error:
        command = error.ctx.command_path if error.ctx else "stackyard"
        return _fail(f"{error.format_message()} Try '{command} --help'.", error.exit_code)
    except StackyardError as error:
        return _fail(str(error), error.exit_status)
    except OSError as error:
        # The flush at exit must not fail again.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        if not isinstance(error, BrokenPipeError):  # whose reader has read enough
            return _fail(f"cannot print the result: {error.strerror or error}", 1)
    return 0


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="stackyard", message="%(prog)s %(version)s")
def main() -> None:
    """Make a runnable, tested backend in the Python framework of your choice.

    \b
    Example:
      stackyard new fastapi bookshelf
    """  # noqa: D301 - Click's mark for a paragraph that keeps its lines


@main.command()
@click.argument("framework", required=False)
@click.argument("path", required=False)
@click.option(
    "-d",
    "--data",
    "assignments",
    metavar="KEY=VALUE",
    multiple=True,
    help="Answer a question; 'stackyard list' shows them all. May be repeated.",
)
@click.option("--defaults", is_flag=True, help="Ask nothing: what is not told takes its default.")
@click.option("--dry-run", is_flag=True, help="Print the tree that would be made; write nothing.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object; ask nothing.")
@click.option("--no-git", is_flag=True, help="Make no git repository and no first commit.")
@click.option("--no-lock", is_flag=True, help="Do not lock the dependencies (needs no network).")
@click.option(
    "--force",
    is_flag=True,
    help="Write into a directory that is not empty; only files that the template makes are"
    " overwritten.",
)
def new(
    framework: str | None,
    path: str | None,
    assignments: tuple[str, ...],
    *,
    defaults: bool,
    dry_run: bool,
    as_json: bool,
    no_git: bool,
    no_lock: bool,
    force: bool,
) -> None:
    """Make a new project in FRAMEWORK at PATH.

    On a terminal it asks for what it was not told; elsewhere that takes its default.
    PATH is by default a directory here, called as the project.

    \b
    Examples:
      stackyard new
      stackyard new fastapi bookshelf
      stackyard new fastapi bookshelf -d cache=none -d license=Apache-2.0 --defaults
      stackyard new fastapi bookshelf --dry-run
    """  # noqa: D301
    from pathlib import Path

    from stackyard.generate import generate
    from stackyard.repository import FOREIGN_VARIABLES
    from stackyard.template import Template, merge

    if path == "":
        raise UnusablePathError(path, "is empty")
    template = Template.installed()
    answers = template.parse(assignments)
    if framework is not None:
        merge(answers, "framework", framework)
    for variable in FOREIGN_VARIABLES:
        os.environ.pop(variable, None)  # Copier takes its environment for git from here
    with interrupts.shielded():
        project = generate(
            template,
            answers,
            Path(path) if path is not None else None,
            ask=not (defaults or as_json) and sys.stdin.isatty() and sys.stdout.isatty(),
            dry_run=dry_run,
            force=force,
            with_git=not no_git,
            with_lock=not no_lock,
            progress=_progress,
        )
        if not dry_run:
            interrupts.conclude()
        for warning in project.warnings:
            click.echo(f"stackyard: warning: {warning}", err=True)
        flags = {"--no-git": no_git, "--no-lock": no_lock, "--force": force}
        repeat = _repeat(template, project, [flag for flag, given in flags.items() if given])
        if as_json:
            _print_json(project, repeat)
        elif dry_run:
            _print_tree(project, repeat)
        else:
            _print_summary(project, repeat)


@main.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def list_(*, as_json: bool) -> None:
    """Show the frameworks, and the options with their values and defaults.

    \b
    Examples:
      stackyard list
      stackyard list --json
    """  # noqa: D301
    from stackyard.template import Template

    template = Template.installed()
    if as_json:
        _dump(_catalogue(template))
    else:
        _print_catalogue(template)


def _fail(message: str, status: int) -> int:
    click.echo(f"stackyard: {message}", err=True)
    return status


def _progress(step: str) -> None:
    if sys.stderr.isatty():
        click.secho(step, dim=True, err=True)


def _dump(value: object) -> None:
    click.echo(json.dumps(value, indent=2))


def _next(project: Project) -> list[str]:
    """Return the commands to run in the new project."""
    enter = [f"cd {shlex.quote(str(project.path))}"] if str(project.path) != "." else []
    return [*enter, "make test", "make dev"]


def _program() -> str:
    """Return how this command is called: by its name where PATH finds it, else by its path."""
    called = sys.argv[0]
    by_path = called.endswith("/stackyard") and called != shutil.which("stackyard")
    return called if by_path else "stackyard"


def _repeat(template: Template, project: Project, flags: list[str]) -> str:
    """Return the command that makes this project again, wherever it is run."""
    path = str(project.path)
    words = [_program(), "new", project.answers["framework"]]
    words.append(f"./{path}" if path.startswith("-") else path)
    for name, value in project.answers.items():
        default = template.questions[name].default
        if name == "project_name":
            default = project.path.resolve().name
        if name != "framework" and value != default:
            words += ["-d", f"{name}={value}"]
    return shlex.join([*words, *flags, "--defaults"])


def _print_json(project: Project, repeat: str) -> None:
    _dump(
        {
            "answers": dict(project.answers),
            "path": str(project.path.absolute()),
            "files": [{"path": file.path, "size": file.size} for file in project.files],
            "next": _next(project),
            "repeat": repeat,
            "warnings": list(project.warnings),
        }
    )


def _print_tree(project: Project, repeat: str) -> None:
    """Print every file with its size, directories before files."""
    lines = [(f"{project.path}/", "")]

    def walk(prefix: str, indent: str) -> None:
        inside = [file for file in project.files if file.path.startswith(prefix)]
        names = {file.path[len(prefix) :].partition("/")[::2] for file in inside}
        heads = sorted({(not rest, head) for head, rest in names})
        for number, (is_file, head) in enumerate(heads, 1):
            last = number == len(heads)
            branch = f"{indent}{'└── ' if last else '├── '}{head}"
            if is_file:
                size = next(file.size for file in inside if file.path == prefix + head)
                lines.append((branch, _size(size)))
            else:
                lines.append((f"{branch}/", ""))
                walk(f"{prefix}{head}/", indent + ("    " if last else "│   "))

    walk("", "")
    width = max(len(name) for name, _ in lines)
    for name, size in lines:
        click.echo(f"{name:<{width}}  {size:>9}".rstrip())
    click.echo(f"\n{_total(project)}; nothing was written. To make it:\n  {repeat}")


def _print_summary(project: Project, repeat: str) -> None:
    """Print what is in each top-level directory, then what to do with it."""
    name = click.style(project.answers["project_name"], bold=True)
    click.echo(f"{name} is ready in {project.path}: {_total(project)}\n")
    inside: dict[str, list[int]] = {}
    for file in project.files:
        head, slash, _ = file.path.partition("/")
        inside.setdefault(head + slash, []).append(file.size)
    directories = {head: sizes for head, sizes in inside.items() if head.endswith("/")}
    width = max(map(len, directories), default=0)
    for head, sizes in directories.items():
        click.echo(f"  {head:<{width}}  {_count(len(sizes)):>8}  {_size(sum(sizes)):>8}")
    single = [head for head in inside if head not in directories]
    click.echo(click.wrap_text(", ".join(single), 78, "  ", "  "))
    steps = "\n".join(f"  {step}" for step in _next(project))
    click.echo(f"\nNext:\n{steps}\n\nThe same again:\n  {repeat}")


def _total(project: Project) -> str:
    return f"{_count(len(project.files))}, {_size(sum(file.size for file in project.files))}"


def _count(files: int) -> str:
    return f"{files} file" if files == 1 else f"{files} files"


def _size(size: int) -> str:
    return f"{size} B" if size < _KILOBYTE else f"{size / _KILOBYTE:.1f} kB"


def _catalogue(template: Template) -> dict[str, object]:
    frameworks = template.questions["framework"]
    return {
        "frameworks": [
            {
                "name": choice.value,
                "explanation": choice.explanation,
                "default": choice.value == frameworks.default,
            }
            for choice in frameworks.choices
        ],
        "options": [
            {
                "name": question.name,
                "question": question.text,
                "default": question.default,
                "choices": [
                    {"value": choice.value, "explanation": choice.explanation}
                    for choice in question.choices
                ],
            }
            for name in template.options
            if (question := template.questions[name]) is not frameworks
        ],
    }


def _print_catalogue(template: Template) -> None:
    click.echo("Frameworks:")
    _print_choices(template, "framework")
    click.echo("\nOptions, each given as -d KEY=VALUE:")
    for name in template.options:
        question = template.questions[name]
        if name == "framework":
            continue
        default = "" if question.choices else f" [default: {question.default or 'empty'}]"
        click.echo(f"\n  {click.style(name, bold=True)}: {question.text}{default}")
        _print_choices(template, name, indent="    ")


def _print_choices(template: Template, name: str, indent: str = "  ") -> None:
    question = template.questions[name]
    width = max(map(len, question.values), default=0)
    for choice in question.choices:
        default = " (default)" if choice.value == question.default else ""
        click.echo(f"{indent}{choice.value:<{width}}  {choice.explanation}{default}")
