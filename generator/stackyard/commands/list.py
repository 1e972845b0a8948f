"""`stackyard list`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from stackyard.commands.printing import choice_lines, dump, usual
from stackyard.errors import flag

if TYPE_CHECKING:
    from stackyard.template import Template


@click.command("list")
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
        dump(catalogue(template))
    else:
        print_catalogue(template)


def print_catalogue(template: Template) -> None:
    """Print the frameworks and options, each value with what it means."""
    click.echo("Frameworks:")
    _print_choices(template, "framework")
    click.echo("\nOptions of new and update, each with a value:")
    for name in template.options:
        question = template.questions[name]
        if name == "framework":
            continue
        default = "" if question.choices else f" [default: {usual(question)}]"
        click.echo(f"\n  {click.style(flag(name), bold=True)}: {question.text}{default}")
        _print_choices(template, name, indent="    ")


def catalogue(template: Template) -> dict[str, object]:
    """Return the frameworks and options as JSON has them."""
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
                "flag": flag(question.name),
                "question": question.text,
                "default": None if question.derived else question.default,
                "choices": [
                    {"value": choice.value, "explanation": choice.explanation}
                    for choice in question.choices
                ],
            }
            for name in template.options
            if (question := template.questions[name]) is not frameworks
        ],
    }


def _print_choices(template: Template, name: str, indent: str = "  ") -> None:
    question = template.questions[name]
    for choice, line in zip(question.choices, choice_lines(question.choices), strict=True):
        default = " (default)" if choice.value == question.default else ""
        click.echo(f"{indent}{line}{default}")
