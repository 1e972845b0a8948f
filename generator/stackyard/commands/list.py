"""`stackyard list`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from stackyard.commands import installed
from stackyard.commands.printing import choice_lines, columns, dump, usual
from stackyard.errors import flag, flags

if TYPE_CHECKING:
    from stackyard.template import Question, Template
    from stackyard.template.catalogue import Preset, Rule


@click.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.pass_context
def list_(context: click.Context, *, as_json: bool) -> None:
    """Show the frameworks, the presets, and the options with their values and defaults.

    \b
    Examples:
      stackyard list
      stackyard list --json
    """
    template = installed(context)
    if as_json:
        dump(catalogue(template))
    else:
        print_catalogue(template)


def print_catalogue(template: Template) -> None:
    """Print what can be chosen, each with what it means, and what does not go together."""
    frameworks = template.questions["framework"]
    click.echo("Frameworks:")
    _print_choices(frameworks)
    if presets := template.catalogue.presets.values():
        click.echo("\nPresets of new, each given as --preset NAME:")
        rows = [(preset.name, _meaning(preset)) for preset in presets]
        click.echo("".join(f"  {line}\n" for line in columns(rows)), nl=False)
    click.echo("\nOptions of new and update:")
    for question in _options(template):
        default = "" if question.choices else f" [default: {usual(question)}]"
        title = click.style(flag(question.name), bold=True)
        click.echo(f"\n  {title}: {question.text}{default}")
        _print_choices(question, indent="    ")
    if rules := template.catalogue.refused:
        click.echo("\nWhat does not go together:")
    for rule in rules:
        click.echo(f"  {together(rule)}: {rule.because}; choose {flags(rule.instead)}")


def catalogue(template: Template) -> dict[str, object]:
    """Return what can be chosen as JSON has it."""
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
        "presets": [
            {
                "name": preset.name,
                "explanation": preset.explanation,
                "frameworks": list(preset.frameworks or frameworks.values),
                "answers": dict(preset.answers),
            }
            for preset in template.catalogue.presets.values()
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
            for question in _options(template)
        ],
        "refused": [
            {
                "answers": {name: list(values) for name, values in rule.answers.items()},
                "because": rule.because,
                "instead": dict(rule.instead),
            }
            for rule in template.catalogue.refused
        ],
    }


def _options(template: Template) -> list[Question]:
    return [template.questions[name] for name in template.options if name != "framework"]


def _print_choices(question: Question, indent: str = "  ") -> None:
    for choice, line in zip(question.choices, choice_lines(question.choices), strict=True):
        default = " (default)" if choice.value == question.default else ""
        click.echo(f"{indent}{line}{default}")


def _meaning(preset: Preset) -> str:
    """Return what a preset is for, and what it says."""
    said = [" or ".join(preset.frameworks), flags(preset.answers)]
    details = ", ".join(part for part in said if part)
    return f"{preset.explanation} ({details})" if details else preset.explanation


def together(rule: Rule) -> str:
    """Return the answers that do not go together."""
    told = [
        f"{'' if name == 'framework' else f'{flag(name)} '}{' or '.join(values)}"
        for name, values in rule.answers.items()
        if any(values)
    ]
    return f"{told[0]} with {' and '.join(told[1:])}"
