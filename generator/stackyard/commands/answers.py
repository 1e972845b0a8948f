"""Answers on the command line: an option for each question of the template, and `-d`."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import click

from stackyard.commands import completion, installed
from stackyard.commands.printing import usual
from stackyard.errors import flag
from stackyard.resources import QUESTION, TYPES, canonical

if TYPE_CHECKING:
    from stackyard.template import Question

_DATA = click.Option(
    ["-d", "--data", "assignments"],
    metavar="KEY=VALUE",
    multiple=True,
    help="The same, by the names of .copier-answers.yml. May be repeated.",
    shell_complete=completion.assignments,
)

_RESOURCE = click.Option(
    ["--resource", "resources"],
    metavar="'NAME FIELD:TYPE{LIMITS}!:uniq ...'",
    multiple=True,
    help="A resource of your own, in single quotes: its table, endpoints and tests; ! says that a"
    f" field is required. Types: {', '.join(TYPES)}. May be repeated.",
)


class Answering(click.Command):
    """A command with an option for each question of the template but `framework`.

    What they and `-d` tell is its parameter `told`: pairs of a question's name and an answer.
    `heading` is what its help calls them; with `defaults` it tells what each is by default.
    """

    def __init__(self, *args: Any, heading: str, defaults: bool, **attributes: Any) -> None:
        super().__init__(*args, **attributes)
        self.heading = heading
        self.defaults = defaults

    def get_params(self, ctx: click.Context) -> list[click.Parameter]:
        """Return the command's own parameters, and those for answers."""
        return [*super().get_params(ctx), *self._answers(ctx).values(), *self._resource(ctx), _DATA]

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Gather what was told.

        Raises:
            MalformedAnswerError: for a `-d` without `=`.
        """
        rest = super().parse_args(ctx, args)
        assignments = ctx.params.pop(_DATA.name) or ()
        resources = ctx.params.pop(_RESOURCE.name, ())
        given = {name: ctx.params.pop(one.name) or () for name, one in self._answers(ctx).items()}
        if not ctx.resilient_parsing:  # as it is for completion, of what may not be whole
            told = [_split(text, installed(ctx).options) for text in assignments]
            told += [(name, value) for name, values in given.items() for value in values]
            ctx.params["told"] = [
                (name, canonical([value]) if name == QUESTION else value) for name, value in told
            ]
            if resources:
                ctx.params["told"].append((QUESTION, canonical(resources)))
        return rest

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the options for answers apart from the others."""
        own = [one for one in super().get_params(ctx) if isinstance(one, click.Option)]
        answers = [*self._answers(ctx).values(), *self._resource(ctx), _DATA]
        for heading, options in (("Options", own), (self.heading, answers)):
            records = [option.get_help_record(ctx) for option in options]
            with formatter.section(heading):
                formatter.write_dl([record for record in records if record])

    def _answers(self, ctx: click.Context) -> dict[str, click.Option]:
        questions = installed(ctx).questions.values()
        apart = ("framework", QUESTION)
        asked = [one for one in questions if not one.computed and one.name not in apart]
        return {question.name: self._option(question) for question in asked}

    def _resource(self, ctx: click.Context) -> list[click.Option]:
        """Return what new projects alone can have yet."""
        return [_RESOURCE] if self.defaults and QUESTION in installed(ctx).questions else []

    def _option(self, question: Question) -> click.Option:
        default = f"  [default: {usual(question)}]" if self.defaults else ""
        return click.Option(
            [flag(question.name), f"answer_{question.name}"],
            metavar=f"[{'|'.join(question.values)}]" if question.choices else "TEXT",
            multiple=True,  # so that one that is told twice is known
            help=f"{question.text}{default}",
            shell_complete=partial(completion.values, question),
        )


def _split(assignment: str, options: list[str]) -> tuple[str, str]:
    from stackyard.template.errors import MalformedAnswerError

    key, equals, value = assignment.partition("=")
    if not equals:
        raise MalformedAnswerError(assignment, options)
    return key, value
