"""`stackyard new`."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from stackyard import interrupts
from stackyard.commands import completion, installed
from stackyard.commands.answers import Answering
from stackyard.commands.printing import count, dump, progress, repeat_command, say, steps_in, warn
from stackyard.commands.tree import print_tree, size_of, total
from stackyard.errors import shown

if TYPE_CHECKING:
    from stackyard.making.generate import Project
    from stackyard.template import Template

_NEXT = ["make test", "make dev"]


@click.command(cls=Answering, heading="Answers", defaults=True)
@click.argument("framework", required=False, shell_complete=completion.frameworks)
@click.argument("path", required=False, shell_complete=completion.directories)
@click.option(
    "--preset",
    metavar="NAME",
    default="",
    help="Have a preset say what is not told; 'stackyard list' shows them.",
    shell_complete=completion.presets,
)
@click.option(
    "--answers",
    "answers_file",
    metavar="FILE",
    help="Repeat another project's answers: its .copier-answers.yml.",
)
@click.option(
    "--defaults",
    is_flag=True,
    help="Ask nothing: what is not told takes its default; the author is git's.",
)
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
@click.pass_context
def new(
    context: click.Context,
    framework: str | None,
    path: str | None,
    *,
    told: list[tuple[str, str]],
    preset: str,
    answers_file: str | None,
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
      stackyard new fastapi bookshelf --cache none --license Apache-2.0 --defaults
      stackyard new flask bookshelf --preset startup
      stackyard new flask shop --resource 'product name! sku!:uniq price:decimal{10.2}'
      stackyard new fastapi bookshelf --dry-run
      stackyard new flask shelf --answers bookshelf/.copier-answers.yml
    """
    from pathlib import Path

    from stackyard.making.errors import UnusablePathError
    from stackyard.making.generate import generate
    from stackyard.template.settle import author
    from stackyard.template.template import collect

    if path == "":
        raise UnusablePathError(path, "is empty")
    template = installed(context)
    answers = collect([*told, *([("framework", framework)] if framework is not None else [])])
    if answers_file is not None:
        recalled = template.recall(Path(answers_file))
        if "project_name" in answers:
            recalled.pop("project_slug", None)
        answers = recalled | answers
    target = Path(path) if path is not None else None
    if not (defaults or as_json) and sys.stdin.isatty() and sys.stdout.isatty():
        from stackyard.commands import wizard

        signed = {}
        answers = wizard.plan(
            template,
            answers,
            target,
            preset=preset,
            force=force,
            confirm=not dry_run,
            progress=progress,
        )
    else:
        signed = author(template)
    with interrupts.shielded():
        project = generate(
            template,
            answers,
            target,
            preset=preset,
            author=signed,
            dry_run=dry_run,
            force=force,
            with_git=not no_git,
            with_lock=not no_lock,
            progress=progress,
        )
        if not dry_run:
            interrupts.conclude()
        for warning in project.warnings:
            warn(warning)
        flags = {"--no-git": no_git, "--no-lock": no_lock, "--force": force}
        given = [flag for flag, is_given in flags.items() if is_given]
        repeat = repeat_command(template, project.path, project.answers, given)
        if as_json:
            _print_json(project, template, repeat)
        elif dry_run:
            print_tree(project, repeat)
        else:
            _print_summary(project, template, repeat)


def _print_json(project: Project, template: Template, repeat: str) -> None:
    """Print what was made, or would be, as one JSON object."""
    dump(
        {
            "answers": dict(project.answers),
            "path": str(project.path.absolute()),
            "files": [{"path": file.path, "size": file.size} for file in project.files],
            "next": steps_in(project.path, _NEXT),
            "repeat": repeat,
            "source": template.source,
            "warnings": list(project.warnings),
        }
    )


def _print_summary(project: Project, template: Template, repeat: str) -> None:
    """Print what is in each top-level directory, then what to do with it."""
    name = click.style(shown(project.answers["project_name"]), bold=True)
    click.echo(f"{name} is ready in {shown(project.path)}: {total(project)}\n")
    inside: dict[str, list[int]] = {}
    for file in project.files:
        head, slash, _ = file.path.partition("/")
        inside.setdefault(head + slash, []).append(file.size)
    directories = {head: sizes for head, sizes in inside.items() if head.endswith("/")}
    width = max(map(len, directories), default=0)
    for head, sizes in directories.items():
        say(f"  {head:<{width}}  {count(len(sizes)):>8}  {size_of(sum(sizes)):>8}")
    single = [head for head in inside if head not in directories]
    click.echo(click.wrap_text(shown(", ".join(single)), 78, "  ", "  "))
    steps = [f"  {step}" for step in steps_in(project.path, _NEXT)]
    say("", "Next:", *steps, "", "The same again, elsewhere:", f"  {repeat}")
    if template.is_local:
        reason = f"its template is the copy at {template.source}, which no address of others has"
        say("", f"Nobody else can update it: {reason}.")
