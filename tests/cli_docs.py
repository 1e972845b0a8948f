"""Writes what the commands say of themselves into `docs/cli.md`, below what is written by hand."""

from __future__ import annotations

from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path

import click

from stackyard.cli import main
from stackyard.commands.list import print_catalogue
from stackyard.template import Template

PAGE = Path(__file__).parents[1] / "docs" / "cli.md"
MARK = "<!-- What follows is written by `make docs`. -->\n"
WIDTH = 80


def page() -> str:
    """Return the whole page as it should be."""
    by_hand, _, _ = PAGE.read_text(encoding="utf-8").partition(MARK)
    group = click.Context(main, None, "stackyard", terminal_width=WIDTH, **main.context_settings)
    commands = [click.Context(command, group, name) for name, command in main.commands.items()]
    with redirect_stdout(StringIO()) as catalogue:
        print_catalogue(Template.installed())
    return "".join(
        [
            by_hand + MARK,
            *(_help(context) for context in (group, *commands)),
            _section("Frameworks and options", "stackyard list", catalogue.getvalue()),
        ]
    )


def _help(context: click.Context) -> str:
    name = context.command_path
    return _section(name, f"{name} --help", context.get_help() + "\n")


def _section(title: str, command: str, printed: str) -> str:
    return f"\n## {title}\n\n```console\n$ {command}\n{printed}```\n"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
