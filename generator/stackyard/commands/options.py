"""The options that several commands have."""

from __future__ import annotations

import sys

import click

from stackyard.errors import shown

trust_option = click.option(
    "--trust-source",
    is_flag=True,
    help="Contact the template that the project names, even if it is not stackyard's own.",
)


def trusts(source: str, *, as_json: bool) -> bool:
    """Ask whether to contact a source that is not our own, where somebody can answer."""
    from stackyard.updating.upstream import is_own

    if is_own(source) or as_json or not (sys.stdin.isatty() and sys.stdout.isatty()):
        return False
    question = (
        f"The template at {source!r} is not stackyard's own. Contact it, and use what it has?"
    )
    try:
        return click.confirm(shown(question), default=False, err=True)
    except click.Abort:
        raise KeyboardInterrupt from None
