"""The command: reads what was asked, calls the engine, prints what came of it."""

from __future__ import annotations

import os
import shlex
import sys
from functools import partial

import click
from click.shell_completion import shell_complete

from stackyard import completion, interrupts, output
from stackyard.errors import StackyardError, UnusablePathError, shown
from stackyard.git import FOREIGN_VARIABLES

_data_option = partial(
    click.option,
    "-d",
    "--data",
    "assignments",
    metavar="KEY=VALUE",
    multiple=True,
    shell_complete=completion.assignments,
)
_trust_option = click.option(
    "--trust-source",
    is_flag=True,
    help="Contact the template that the project names, even if it is not stackyard's own.",
)


def run(arguments: list[str]) -> int:
    """Run the command; return its exit status. A mistake is one line on stderr."""
    if wanted := os.environ.get(completion.VARIABLE):
        return shell_complete(main, {}, "stackyard", completion.VARIABLE, wanted)
    for variable in FOREIGN_VARIABLES:
        os.environ.pop(variable, None)  # Copier takes its environment for git from here
    color = False if os.environ.get("NO_COLOR") else None  # None: on a terminal only
    try:
        with main.make_context("stackyard", arguments or ["--help"], color=color) as context:
            main.invoke(context)
        sys.stdout.flush()
    except click.exceptions.Exit as done:
        return done.exit_code
    except click.UsageError as error:
        command = error.ctx.command_path if error.ctx else "stackyard"
        reason = error.format_message()
        if isinstance(error, click.NoSuchOption):
            reason = _unknown_flag(error)
        return _fail(f"{reason} Try '{command} --help'.", error.exit_code)
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
    """


@main.command()
@click.argument("framework", required=False, shell_complete=completion.frameworks)
@click.argument("path", required=False, shell_complete=completion.directories)
@_data_option(help="Answer a question; 'stackyard list' shows them all. May be repeated.")
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
def new(
    framework: str | None,
    path: str | None,
    assignments: tuple[str, ...],
    answers_file: str | None,
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
      stackyard new flask shelf --answers bookshelf/.copier-answers.yml
    """
    from pathlib import Path

    from stackyard.generate import generate
    from stackyard.template import Template, merge

    if path == "":
        raise UnusablePathError(path, "is empty")
    template = Template.installed()
    answers = template.parse(assignments)
    if framework is not None:
        merge(answers, "framework", framework)
    if answers_file is not None:
        recalled = template.recall(Path(answers_file))
        if "project_name" in answers:
            recalled.pop("project_slug", None)
        answers = recalled | answers
    target = Path(path) if path is not None else None
    if not (defaults or as_json) and sys.stdin.isatty() and sys.stdout.isatty():
        from stackyard import wizard

        answers = wizard.plan(
            template, answers, target, force=force, confirm=not dry_run, progress=_progress
        )
    else:
        answers = template.author() | answers
    with interrupts.shielded():
        project = generate(
            template,
            answers,
            target,
            dry_run=dry_run,
            force=force,
            with_git=not no_git,
            with_lock=not no_lock,
            progress=_progress,
        )
        if not dry_run:
            interrupts.conclude()
        for warning in project.warnings:
            _warn(warning)
        flags = {"--no-git": no_git, "--no-lock": no_lock, "--force": force}
        given = [flag for flag, is_given in flags.items() if is_given]
        repeat = output.repeat_command(template, project.path, project.answers, given)
        if as_json:
            output.print_json(project, template, repeat)
        elif dry_run:
            output.print_tree(project, repeat)
        else:
            output.print_summary(project, template, repeat)


@main.command()
@click.argument("path", default=".", shell_complete=completion.directories)
@click.option("--to", "version", metavar="VERSION", help="By default, the newest release.")
@_data_option(help="Change an answer; all but 'framework' can change. May be repeated.")
@click.option("--check", is_flag=True, help="Only tell whether it is behind: exit 1 if it is.")
@click.option("--dry-run", is_flag=True, help="Print the difference that it would make.")
@_trust_option
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def update(
    path: str,
    version: str | None,
    assignments: tuple[str, ...],
    *,
    check: bool,
    dry_run: bool,
    trust_source: bool,
    as_json: bool,
) -> None:
    """Bring the project at PATH to a newer release, your own edits kept.

    What changes is staged in git and not committed. A file that both sides changed has the
    conflict marked in it; then the exit status is 1.

    \b
    Examples:
      stackyard update
      stackyard update bookshelf --dry-run
      stackyard update bookshelf -d tasks=none
      stackyard update bookshelf --check
    """
    from pathlib import Path

    from stackyard.project import Record
    from stackyard.update import update as bring
    from stackyard.upstream import Upstream

    if check and (version or assignments or dry_run):
        raise click.UsageError("--check goes with --json only: leave the other options out.")
    record = Record.of(Path(path))
    trusted = trust_source or _trusts(record.source, as_json=as_json)
    if check:
        behind = Upstream.at(record.source, trusted=trusted).since(record.release)
        output.print_check(record, behind, as_json=as_json)
        raise click.exceptions.Exit(int(bool(behind)))
    with interrupts.shielded():
        done = bring(
            Path(path),
            assignments,
            version,
            trusted=trusted,
            dry_run=dry_run,
            progress=_progress,
            announce=_announce,
        )
        if not dry_run:
            interrupts.conclude()
        for warning in done.warnings:
            _warn(warning)
        if as_json:
            output.print_update_json(done, dry_run=dry_run)
        elif dry_run:
            output.print_diff(done)
        else:
            output.print_update(done)
    raise click.exceptions.Exit(int(bool(done.conflicts)))


@main.command()
@click.argument("path", default=".", shell_complete=completion.directories)
@_trust_option
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def show(path: str, *, trust_source: bool, as_json: bool) -> None:
    """Show what the project at PATH was made from, and whether it is behind.

    \b
    Examples:
      stackyard show
      stackyard show bookshelf --json
    """
    from pathlib import Path

    from stackyard.errors import UpstreamError
    from stackyard.project import Record
    from stackyard.template import Template
    from stackyard.upstream import Upstream

    record = Record.of(Path(path))
    beside = output.another(record.path)
    repeat = output.repeat_command(Template.installed(), beside, record.answers)
    behind = None
    try:
        trusted = trust_source or _trusts(record.source, as_json=as_json)
        behind = Upstream.at(record.source, trusted=trusted).since(record.release)
    except UpstreamError as error:
        _warn(str(error))
    output.print_record(record, repeat, behind, as_json=as_json)


@main.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def list_(*, as_json: bool) -> None:
    """Show the frameworks, and the options with their values and defaults.

    \b
    Examples:
      stackyard list
      stackyard list --json
    """
    from stackyard.template import Template

    template = Template.installed()
    if as_json:
        output.dump(output.catalogue(template))
    else:
        output.print_catalogue(template)


def _trusts(source: str, *, as_json: bool) -> bool:
    """Ask whether to contact a source that is not our own, where somebody can answer."""
    from stackyard.upstream import is_own

    if is_own(source) or as_json or not (sys.stdin.isatty() and sys.stdout.isatty()):
        return False
    question = (
        f"The template at {source!r} is not stackyard's own. Contact it, and use what it has?"
    )
    try:
        return click.confirm(shown(question), default=False, err=True)
    except click.Abort:
        raise KeyboardInterrupt from None


def _unknown_flag(error: click.NoSuchOption) -> str:
    """Return what is wrong with a flag, and what was meant, be it an answer that goes with `-d`."""
    from stackyard.errors import nearest
    from stackyard.template import Template

    command = error.ctx.command if error.ctx else main
    flags = [flag for parameter in command.params for flag in parameter.opts]
    answers = Template.installed().options if "--data" in flags else []
    known = {name: f"-d {name}=VALUE" for name in answers}
    known |= {flag.removeprefix("--"): flag for flag in flags if flag.startswith("--")}
    guess = nearest(error.option_name.lstrip("-"), known)
    meant = f" Did you mean {known[guess]!r}?" if guess else ""
    return f"No such option {error.option_name!r}.{meant}"


def _fail(message: str, status: int) -> int:
    click.echo(f"stackyard: {shown(message)}", err=True)
    return status


def _warn(message: str) -> None:
    click.echo(f"stackyard: warning: {shown(message)}", err=True)


def _announce(recovery: list[str]) -> None:
    command = shlex.join(recovery)
    click.echo(
        f"Writing. If it is cut off, this brings back what was there: {shown(command)}", err=True
    )


def _progress(step: str) -> None:
    if sys.stderr.isatty():
        click.secho(shown(step), dim=True, err=True)
