"""`stackyard update`."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Any

import click

from stackyard import interrupts
from stackyard.commands import completion
from stackyard.commands.answers import Answering
from stackyard.commands.options import trust_option, trusts
from stackyard.commands.printing import behind_by, count, dump, progress, say, steps_in, warn
from stackyard.errors import shown, typed

if TYPE_CHECKING:
    from collections.abc import Mapping

    from stackyard.project import Record
    from stackyard.updating.update import Update

_UNDO = "drop what is of no use any more"
_DIFF: dict[str, dict[str, Any]] = {
    **{start: {"bold": True} for start in ("diff ", "index ", "--- ", "+++ ")},
    "@@": {"fg": "cyan"},
    "-": {"fg": "red"},
    "+": {"fg": "green"},
}
"""How the lines of a difference look, by how they begin."""


@click.command(cls=Answering, heading="Answers that change", defaults=False)
@click.argument("path", default=".", shell_complete=completion.directories)
@click.option("--to", "version", metavar="VERSION", help="By default, the newest release.")
@click.option("--check", is_flag=True, help="Only tell whether it is behind: exit 1 if it is.")
@click.option("--dry-run", is_flag=True, help="Print the difference that it would make.")
@trust_option
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def update(
    path: str,
    version: str | None,
    told: list[tuple[str, str]],
    *,
    check: bool,
    dry_run: bool,
    trust_source: bool,
    as_json: bool,
) -> None:
    """Bring the project at PATH to a newer release, your own edits kept.

    What changes is staged in git and not committed. A file that both sides changed has the
    conflict marked in it; then the exit status is 1. What only the newer release asks for is
    answered by -d.

    \b
    Examples:
      stackyard update
      stackyard update bookshelf --dry-run
      stackyard update bookshelf --tasks none
      stackyard update bookshelf --check
    """
    from pathlib import Path

    from stackyard.project import Record
    from stackyard.template.template import collect
    from stackyard.updating.upstream import Upstream

    if check and (version or told or dry_run):
        raise click.UsageError("--check goes with --json only: leave the other options out.")
    record = Record.of(Path(path))
    trusted = trust_source or trusts(record.source, as_json=as_json)
    if check:
        behind = Upstream.at(record.source, trusted=trusted).since(record.release)
        _print_check(record, behind, as_json=as_json)
        raise click.exceptions.Exit(int(bool(behind)))
    bring(record, collect(told), version, trusted=trusted, dry_run=dry_run, as_json=as_json)


def bring(
    record: Record,
    told: Mapping[str, str],
    version: str | None,
    *,
    trusted: bool,
    dry_run: bool,
    as_json: bool,
    subject: str = "",
) -> None:
    """Update a project, print what changed, and exit: with 1 if there are conflicts.

    `subject` is what its commit is called, by default after the release.
    """
    from stackyard.updating.update import update

    with interrupts.shielded():
        done = update(
            record.path,
            told,
            version,
            trusted=trusted,
            dry_run=dry_run,
            progress=progress,
            announce=_announce,
        )
        if not dry_run:
            interrupts.conclude()
        for warning in done.warnings:
            warn(warning)
        if as_json:
            _print_update_json(done, dry_run=dry_run)
        elif dry_run:
            _print_diff(done)
        else:
            _print_update(done, subject or f"Update to stackyard {done.release}")
    raise click.exceptions.Exit(int(bool(done.conflicts)))


def _announce(recovery: list[str]) -> None:
    command = shlex.join(recovery)
    click.echo(
        f"Writing. If it is cut off, this brings back what was there: {shown(command)}", err=True
    )


def _print_check(record: Record, behind: list[str], *, as_json: bool) -> None:
    """Print whether a project is behind, and by which releases."""
    if as_json:
        dump({"path": str(record.path.absolute()), "release": record.release, "behind": behind})
    else:
        release = record.release or "an unknown release"
        say(f"{record.path} is made from {release}: {behind_by(behind)}")


def _print_update(done: Update, subject: str) -> None:
    """Print what an update changed, and what to do with it."""
    path = typed(done.before.path)
    if not done.changes:
        say(f"{done.before.path} is current: {done.release}. Nothing was written.")
        return
    say(f"{done.before.path}: {_step(done)}", "")
    packages = "1 package" if done.relocked == 1 else f"{done.relocked} packages"
    told = {"uv.lock": f" ({packages} changed)"} if done.relocked else {}
    changes = [(change, told.get(change.path, "")) for change in done.changes]
    say(*(f"  {change.status} {change.path}{note}" for change, note in changes))
    _print_notes(done)
    if done.conflicts:
        migrate = "; then say 'make migrate'" if done.history.new else ""
        edit = f"Edit them, say 'git add' or 'git rm' of each, and commit{migrate}"
        say("", f"{edit}; or undo the update:", f"  git -C {path} reset --hard")
        return
    steps = [
        "git diff --staged" + (" -- . ':!uv.lock'" if told else ""),
        "make test",
        *(["make migrate"] if done.history.new else []),
        f"git commit -m {shlex.quote(subject)}",
    ]
    lines = [f"  {step}" for step in steps_in(done.before.path, steps)]
    say("", "Next:", *lines, "", "To undo it:", f"  git -C {path} reset --hard")


def _print_diff(done: Update) -> None:
    """Print the difference that an update would make."""
    for line in done.diff.split("\n")[:-1]:
        style = next((style for start, style in _DIFF.items() if line.startswith(start)), {})
        click.secho("\t".join(map(shown, line.removesuffix("\r").split("\t"))), **style)
    _print_notes(done)
    if done.history.new:
        steps = steps_in(done.before.path, ["make migrate"])
        say("", "After the update, what applies them is", *(f"  {step}" for step in steps))
    summary = f"{_step(done)}: {count(len(done.changes))} would change; nothing was written."
    say(*(["", summary] if done.changes else ["Nothing would change."]))


def _print_update_json(done: Update, *, dry_run: bool) -> None:
    """Print what an update changed, or would change, as one JSON object."""
    dump(
        {
            "path": str(done.before.path.absolute()),
            "from": done.before.release,
            "to": done.release,
            "answers": dict(done.answers),
            "new_options": list(done.added),
            "changes": [{"path": one.path, "status": one.status} for one in done.changes],
            "conflicts": [{"path": one.path, "reason": one.reason} for one in done.conflicts],
            "left_out": list(done.left_out),
            "migrations": {
                "added": done.history.added,
                "dropping": done.history.dropping,
                "remaining": done.history.remaining,
            },
            "written": bool(done.changes) and not dry_run,
            "diff": done.diff,
            "warnings": list(done.warnings),
        }
    )


def _step(done: Update) -> str:
    if done.before.release == done.release:
        return f"other answers, still {done.release}"
    return f"from {done.before.release} to {done.release}"


def _print_notes(done: Update) -> None:
    if done.added:
        told = ", ".join(f"{name}={done.answers[name]}" for name in done.added)
        say("", f"Asked for the first time, and answered by default: {told}")
    if done.left_out:
        say("", f"Changed in {done.release}, but you have deleted them: they stay so")
        say(*(f"  {path}" for path in done.left_out))
    if done.conflicts:
        click.echo(f"\n{click.style('Conflicts', fg='red')}")
        say(*(f"  {conflict.path}: {conflict.reason}" for conflict in done.conflicts))
    _print_migrations(done)


def _print_migrations(done: Update) -> None:
    history = done.history
    if history.added:
        say("", "New migrations; read them, all the more if you have renamed a table or a model")
        say(*(f"  {path}" for path in history.added))
    if history.dropping:
        click.echo(f"\n{click.style('Data are lost', fg='red')} where this is applied")
        for path, names in history.dropping.items():
            say(f"  {path}: drops {', '.join(names)}")
        say(
            "Save what you need of them; an older version that still runs there fails without them."
        )
    if history.remaining:
        say("", "Not undone, as migrations of yours build on them, or nothing in them says how")
        say(*(f"  {path}" for path in history.remaining))
        say(
            "Take what they made out of your models, commit, and write one that undoes them.",
            "Read it: what references a table has to go before that.",
        )
        steps = [f'make migration m="{_UNDO}"', "make migrate"]
        say(*(f"  {step}" for step in steps_in(done.before.path, steps)))
