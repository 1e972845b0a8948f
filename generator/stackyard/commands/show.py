"""`stackyard show`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from stackyard.commands import completion
from stackyard.commands.options import trust_option, trusts
from stackyard.commands.printing import behind_by, dump, repeat_command, say, warn

if TYPE_CHECKING:
    from pathlib import Path

    from stackyard.project import Record


@click.command()
@click.argument("path", default=".", shell_complete=completion.directories)
@trust_option
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def show(path: str, *, trust_source: bool, as_json: bool) -> None:
    """Show what the project at PATH was made from, and whether it is behind.

    \b
    Examples:
      stackyard show
      stackyard show bookshelf --json
    """
    from pathlib import Path

    from stackyard.project import Record
    from stackyard.template import Template
    from stackyard.updating.errors import UpstreamError
    from stackyard.updating.upstream import Upstream

    record = Record.of(Path(path))
    beside = _another(record.path)
    repeat = repeat_command(Template.installed(), beside, record.answers)
    behind = None
    try:
        trusted = trust_source or trusts(record.source, as_json=as_json)
        behind = Upstream.at(record.source, trusted=trusted).since(record.release)
    except UpstreamError as error:
        warn(str(error))
    _print_record(record, repeat, behind, as_json=as_json)


def _another(path: Path) -> Path:
    """Return a path beside a project's, for another one."""
    place = path.resolve()
    beside = path.parent if path.name == place.name else path / ".."
    return beside / f"{place.name}-again"


def _print_record(record: Record, repeat: str, behind: list[str] | None, *, as_json: bool) -> None:
    """Print what a project was made from, and the releases since then, unless nobody knows."""
    if as_json:
        dump(
            {
                "path": str(record.path.absolute()),
                "framework": record.answers["framework"],
                "release": record.release,
                "source": record.source,
                "behind": behind,
                "answers": dict(record.answers),
                "repeat": repeat,
            }
        )
        return
    width = max(map(len, record.answers))
    status = "unknown" if behind is None else behind_by(behind)
    told = {"release": f"{record.release or 'unknown'} ({status})", "source": record.source}
    for name, value in {**told, **record.answers}.items():
        say(f"{name:<{width}}  {value}".rstrip())
    say("", "The same again:", f"  {repeat}")
