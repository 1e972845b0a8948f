"""Writes what the commands say of themselves and of the options into `docs/`.

In each page it is below what is written by hand.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Mapping
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path

import click

from combinations import CHOICES, DEFAULTS, SMOKED
from contract.exceptions import EXCEPTED
from stackyard.cli import main
from stackyard.commands.list import print_catalogue
from stackyard.errors import flag
from stackyard.template import Template

TESTS = Path(__file__).parent
DOCS = TESTS.parent / "docs"
MARK = "<!-- What follows is written by `make docs`. -->\n"
WIDTH = 80


def commands(template: Template) -> str:
    """Return what the commands say of themselves."""
    group = click.Context(main, None, "stackyard", terminal_width=WIDTH, **main.context_settings)
    each = []
    for name, command in main.commands.items():
        each.append(click.Context(command, group, name))
        if isinstance(command, click.Group):  # what options bring, its own page lists
            inside = command.commands.items()
            each += [click.Context(one, each[-1], called) for called, one in inside]
    with redirect_stdout(StringIO()) as catalogue:
        print_catalogue(template)
    return "".join(
        [
            *(_help(context) for context in (group, *each)),
            _section("Frameworks and options", "stackyard list", catalogue.getvalue()),
        ]
    )


def options(template: Template) -> str:
    """Return which presets and answers there are, and what does not go together, as tables."""
    presets = [
        [
            f"`{preset.name}`",
            preset.explanation,
            _or(preset.frameworks) or "all",
            _told(preset.answers) or "the defaults",
        ]
        for preset in template.catalogue.presets.values()
    ]
    answers = [
        [_told({name: choice.value}), choice.explanation, _without(template, name, choice.value)]
        for name in template.options
        for choice in template.questions[name].choices
    ]
    return "\n".join(
        [
            "\n## Presets\n",
            *_table(["`--preset`", "what it is for", "frameworks", "what it says"], presets),
            "\n## Answers\n",
            *_table(["answer", "what it means", "does not go with"], answers),
            "",
        ]
    )


def databases(_template: Template) -> str:
    """Return which databases are asked how much, and what some of them do not keep, as tables."""
    whole = [*DEFAULTS.values()]
    asked = [
        [_told({"database": database}), *(_frameworks(told, database) for told in (whole, SMOKED))]
        for database in CHOICES["database"]
    ]
    excepted = [
        [rule_of(row.clause), _or(row.databases), row.reason, rule_of(row.test)] for row in EXCEPTED
    ]
    return "\n".join(
        [
            "\n## What is asked\n",
            *_table(["database", "all of the contract", "its smoke"], asked),
            "\n## What some do not keep\n",
            *_table(["the contract", "not on", "why", "what holds there"], excepted),
            "",
        ]
    )


def _frameworks(told: list[dict[str, str]], database: str) -> str:
    return ", ".join(
        dict.fromkeys(each["framework"] for each in told if each["database"] == database)
    )


def rule_of(test: str) -> str:
    """Return the rule that a test of the contract states: the first line of its docstring."""
    path, _, name = test.partition("[")[0].partition("::")
    source = (TESTS / "contract" / path).read_text(encoding="utf-8")
    for found in ast.walk(ast.parse(source)):
        if isinstance(found, ast.FunctionDef) and found.name == name:
            return (ast.get_docstring(found) or "").partition("\n")[0]
    raise LookupError(test)


PAGES = {"cli.md": commands, "options.md": options, "databases.md": databases}


def page(name: str) -> str:
    """Return a whole page as it should be."""
    by_hand, _, _ = (DOCS / name).read_text(encoding="utf-8").partition(MARK)
    return f"{by_hand}{MARK}{PAGES[name](Template.installed())}"


def _without(template: Template, name: str, value: str) -> str:
    """Return what an answer does not go with, why, and what to choose."""
    told = []
    for rule in template.catalogue.refused:
        if value in rule.answers.get(name, ()):
            others = " and ".join(
                _or(_told({other: one}) for one in values)
                for other, values in rule.answers.items()
                if other != name and any(values)
            )
            told.append(f"{others}: {rule.because}; choose {_told(rule.instead)}")
    return "; ".join(told)


def _told(answers: Mapping[str, str]) -> str:
    """Return what to tell the command for answers."""
    return " ".join(
        f"`{value}`" if name == "framework" else f"`{flag(name)} {value}`"
        for name, value in answers.items()
    )


def _or(texts: Iterable[str]) -> str:
    return " or ".join(texts)


def _table(head: list[str], rows: list[list[str]]) -> list[str]:
    lines = [head, ["---"] * len(head), *rows]
    return [f"| {' | '.join(line)} |" for line in lines]


def _help(context: click.Context) -> str:
    name = context.command_path
    return _section(name, f"{name} --help", context.get_help() + "\n")


def _section(title: str, command: str, printed: str) -> str:
    return f"\n## {title}\n\n```console\n$ {command}\n{printed}```\n"


if __name__ == "__main__":
    for name in PAGES:
        (DOCS / name).write_text(page(name), encoding="utf-8")
