"""`stackyard add` and `stackyard remove`: an update to other answers, said as people think it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import click

from stackyard.commands import completion, installed
from stackyard.commands.options import trust_option, trusts
from stackyard.commands.update import bring
from stackyard.errors import flag
from stackyard.resources import QUESTION, canonical

if TYPE_CHECKING:
    from stackyard.template import Question

Function = TypeVar("Function", bound=Callable[..., Any])

_NONE = "none"
"""What an option is that brings nothing."""

_KEPT = "example"
"""An option that no project changes."""


class _Kinds(click.Group):
    """Commands of its own, and one for each option that a project can be without.

    With `value` that is told what it is to be.
    """

    def __init__(self, *args: Any, value: bool, **attributes: Any) -> None:
        super().__init__(*args, **attributes)
        self.no_args_is_help = False
        self.subcommand_metavar = "KIND [ARGUMENTS]..."
        self.value = value

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return their names."""
        return [*self.commands, *self._options(ctx)]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return the one of a name."""
        if cmd_name in self.commands:
            return self.commands[cmd_name]
        question = self._options(ctx).get(cmd_name)
        return _option(question, value=self.value) if question else None

    def _options(self, ctx: click.Context) -> dict[str, Question]:
        return {
            flag(question.name).removeprefix("--"): question
            for question in installed(ctx).questions.values()
            if _NONE in question.values and question.name != _KEPT
        }


def _changing(command: Function) -> Function:
    """Give a command the arguments that all of them have behind their own."""
    for option in (
        click.option("--json", "as_json", is_flag=True, help="Print one JSON object."),
        trust_option,
        click.option("--dry-run", is_flag=True, help="Print the difference that it would make."),
        click.argument("path", default=".", shell_complete=completion.directories),
    ):
        command = option(command)
    return command


def _option(question: Question, *, value: bool) -> click.Command:
    """Return the command that chooses an answer to a question, or takes away what it has."""
    name = flag(question.name).removeprefix("--")

    @_changing
    def change(path: str, answer: str = _NONE, **flags: bool) -> None:
        subject = f"Remove {name}" if answer == _NONE else f"Add {name}: {answer}"
        _change(path, {question.name: answer}, subject, **flags)

    if value:
        offered = [one for one in question.values if one != _NONE]
        change = click.argument(
            "answer", metavar=f"[{'|'.join(offered)}]", type=click.Choice(offered)
        )(change)
    return click.command(name, help=question.text)(change)


@click.group(cls=_Kinds, value=True)
def add() -> None:
    """Add to a project at PATH: a resource of your own, a field, or an option's answer.

    It stays with the release that it is made from. What changes is merged with your edits as
    `update` does: staged in git, not committed, conflicts marked. The exit status is 1 if there
    are any.

    \b
    Examples:
      stackyard add resource 'category name!:uniq'
      stackyard add field product weight:integer
      stackyard add cache redis bookshelf
    """


@click.group(cls=_Kinds, value=False)
def remove() -> None:
    """Remove from a project at PATH: a resource, or what an option brought.

    It is merged as `add` does it. A migration drops the tables.

    \b
    Examples:
      stackyard remove resource category
      stackyard remove cache bookshelf
    """


@add.command("resource")
@click.argument("resource")
@_changing
def add_resource(resource: str, path: str, **flags: bool) -> None:
    """Make a table, endpoints and tests for RESOURCE.

    RESOURCE is 'NAME FIELD:TYPE{LIMITS}!:uniq ...', in single quotes, as of `stackyard new
    --resource`.
    """
    name = canonical([resource]).partition("/")[0]
    _change_resources(path, resource, f"Add {name}", **flags)


@add.command("field")
@click.argument("resource")
@click.argument("field")
@_changing
def add_field(resource: str, field: str, path: str, **flags: bool) -> None:
    """Give the rows of RESOURCE one FIELD more.

    FIELD is 'NAME:TYPE{LIMITS}:uniq', in single quotes; several are told with blanks between them.
    Rows that are there have nothing in it, so it cannot be required.
    """
    name = field.partition(":")[0]
    _change_resources(path, f"+{resource} {field}", f"Add {name} to {resource}", **flags)


@remove.command("resource")
@click.argument("resource")
@_changing
def remove_resource(resource: str, path: str, **flags: bool) -> None:
    """Take RESOURCE away, with its table."""
    _change_resources(path, f"-{resource}", f"Remove {resource}", **flags)


def _change_resources(path: str, step: str, subject: str, **flags: bool) -> None:
    """Add a step to what a project was told of resources."""
    from pathlib import Path

    from stackyard.project import Record

    before = Record.of(Path(path)).answers.get(QUESTION, "")
    _change(path, {QUESTION: canonical([before, step])}, subject, **flags)


def _change(
    path: str,
    told: dict[str, str],
    subject: str,
    *,
    dry_run: bool,
    trust_source: bool,
    as_json: bool,
) -> None:
    """Have a project have other answers, at the release that it has."""
    from pathlib import Path

    from stackyard.project import Record

    record = Record.of(Path(path))
    trusted = trust_source or trusts(record.source, as_json=as_json)
    bring(
        record,
        told,
        record.release,
        trusted=trusted,
        dry_run=dry_run,
        as_json=as_json,
        subject=subject,
    )
