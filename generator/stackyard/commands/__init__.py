"""The commands, each with what it prints: they read what was asked, and call the engine."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import click

    from stackyard.template import Template


def installed(context: click.Context) -> Template:
    """Return the template of this package, which a run reads once."""
    from stackyard.template import Template

    if __name__ not in context.meta:
        context.meta[__name__] = Template.installed()
    found: Template = context.meta[__name__]
    return found
