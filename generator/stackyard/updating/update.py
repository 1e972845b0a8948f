"""The engine of an update: from what a project was made from to what it would be made from now."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType

from stackyard import interrupts
from stackyard.git import GitError
from stackyard.making import lock
from stackyard.making.render import render
from stackyard.making.target import directory_in, os_errors
from stackyard.project import ANSWERS_FILE, Record
from stackyard.resources import QUESTION, ResourceError, continues
from stackyard.template import Template
from stackyard.template.settle import DEFAULTS, Answer, settle
from stackyard.updating import history
from stackyard.updating.errors import (
    DowngradeError,
    FixedAnswerError,
    GoneAnswerError,
    UnknownReleaseError,
    UpdateFailedError,
)
from stackyard.updating.history import History
from stackyard.updating.merge import Conflict, Merge
from stackyard.updating.upstream import Download, Upstream, is_older
from stackyard.updating.worktree import Change, WorkTree

_FIXED = {"framework": "", "example": "books"}
"""What a project was made with and cannot be made into, and what it is in one that was not asked.

Its example cannot yet."""


@dataclass(frozen=True)
class Update:
    """What an update changed, or would change.

    `left_out` are files that the user deleted and the newer release changes: they stay
    deleted. `added` are the questions that the newer release asks for the first time, and
    that took their default. `history` is what became of the migrations. `relocked` is how many
    packages of `uv.lock` came, went or moved.
    """

    before: Record
    release: str
    answers: Mapping[str, str]
    added: tuple[str, ...] = ()
    changes: tuple[Change, ...] = ()
    conflicts: tuple[Conflict, ...] = ()
    left_out: tuple[str, ...] = ()
    history: History = field(default_factory=History)
    warnings: tuple[str, ...] = ()
    diff: str = ""
    relocked: int = 0


def update(
    project: Path,
    told: Mapping[str, str] = MappingProxyType({}),
    version: str | None = None,
    *,
    trusted: bool = False,
    dry_run: bool = False,
    progress: Callable[[str], None] = lambda _: None,
    announce: Callable[[list[str]], None] = lambda _: None,
) -> Update:
    """Bring a project to another release of its template, to other answers, or to both.

    `version` is a release, branch or commit of the template, by default its newest release.
    `told` are the answers that change. The result is in the user's work tree and index,
    ready to be committed; with `dry_run` nothing is written. Only if `trusted` may the template
    come from another source than this package. `progress` gets a line before
    each slow step, `announce` the command that restores everything should the machine stop
    while files are written.

    Raises:
        StackyardError, KeyboardInterrupt: with everything as it was before.
    """
    record = Record.of(project)
    if not record.release:
        raise UnknownReleaseError(project)
    with (
        os_errors(project),
        _git_errors(project),
        directory_in(Path(tempfile.gettempdir()), "stackyard") as scratch,
    ):
        with interrupts.allowed():
            tree = WorkTree.of(project)
            tree.refuse_if_dirty()
            progress(f"Looking for releases at {record.source} ...")
            upstream = Upstream.at(record.source, trusted=trusted)
            newer = upstream.since(record.release)
            if not (newer or told or version):
                return Update(record, record.release, record.answers)
            progress("Downloading the template ...")
            templates = upstream.download(scratch / "upstream")
            target = version or (newer[-1] if newer else record.release)
            sides = _Sides(
                record,
                _template(templates, record, record.release, scratch / "old"),
                _template(templates, record, target, scratch / "new"),
            )
            if is_older(sides.release, record.release):
                raise DowngradeError(record.release, sides.release)
            progress("Merging ...")
            merge = Merge(tree, scratch / "merge")
            settled = _settle(sides, told)
            answers = {name: answer.value for name, answer in settled.items()}
            migrations = _merge(merge, sides, answers, scratch)
            notes = _lock(merge, sides, scratch, progress, dry_run=dry_run)
            result = Update(
                record,
                sides.release,
                answers,
                added=tuple(name for name, answer in settled.items() if answer.source == DEFAULTS),
                changes=tuple(merge.changes()),
                conflicts=tuple(merge.conflicts),
                left_out=tuple(merge.left_out),
                history=migrations,
                warnings=tuple(notes),
                diff=merge.diff() if dry_run else "",
                relocked=_relocked(merge),
            )
        if result.changes and not dry_run:
            merge.publish(announce)
        return result


@dataclass(frozen=True)
class _Sides:
    """A project, the template that it was made from, and the one that it would be made from."""

    record: Record
    old: Template
    new: Template

    @property
    def release(self) -> str:
        return self.new.stamps["_commit"]

    def recorded(self, template: Template) -> dict[str, str]:
        """Return the project's answers, as far as a template asks for them."""
        known = self.record.answers
        return {name: known[name] for name in template.options if name in known}


@contextmanager
def _git_errors(project: Path) -> Iterator[None]:
    try:
        yield
    except GitError as error:
        raise UpdateFailedError(project, error) from error


def _template(download: Download, record: Record, version: str, place: Path) -> Template:
    """Unpack a version of the template; what it renders names the project's own source."""
    release = download.name(version)
    stamps = {"_src_path": record.source, "_commit": release}
    return Template.load(download.unpack(release, place), stamps=stamps)


def _merge(merge: Merge, sides: _Sides, answers: Mapping[str, str], scratch: Path) -> History:
    """Render both sides and merge what differs; return what migrations came."""
    before, after = scratch / "before", scratch / "after"
    made = settle(sides.old, {}, recalled=sides.recorded(sides.old))
    migrations = merge.texts(history.is_migration)
    old, new = (_with_apps(side, history.apps(migrations)) for side in (sides.old, sides.new))
    render(old, {name: answer.value for name, answer in made.items()}, before, scratch)
    render(new, answers, after, scratch)
    # The generator keeps it: the project's own stands for what was rendered once.
    file = before / ANSWERS_FILE
    file.unlink(missing_ok=True)  # a template may make a link of it
    if (kept := merge.read(ANSWERS_FILE, before=True)) is None:
        shutil.copyfile(sides.record.path / ANSWERS_FILE, file)
    else:  # as git has it: in the work tree its lines may end otherwise
        file.write_bytes(kept.encode("utf-8", "surrogateescape"))
    came = history.keep(sides.record.path, migrations, before, after)
    merge.run(before, after, sides.release)
    return came


def _with_apps(template: Template, apps: str) -> Template:
    """Have a template know which apps of Django's have a history, and have to stay installed."""
    return replace(template, stamps={**template.stamps, "_apps": apps})


def _settle(sides: _Sides, told: Mapping[str, str]) -> dict[str, Answer]:
    """Return what the newer release makes it of: what is told now, else the project's answers."""
    recorded, new = sides.record.answers, sides.new
    new.check(told)
    for name in _FIXED.keys() & told.keys():
        before = recorded.get(name, _FIXED[name])
        if told[name] != before:
            raise FixedAnswerError(name, before, told[name])
    if QUESTION in told and not continues(recorded.get(QUESTION, ""), told[QUESTION]):
        reason = "what there was comes first; say 'stackyard add' or 'stackyard remove' instead"
        raise ResourceError(told[QUESTION], reason)
    recalled = sides.recorded(new)
    for name in recalled.keys() - told.keys():
        value, values = recalled[name], new.questions[name].values
        if values and value not in values:
            raise GoneAnswerError(name, value, sides.release, values)
    return settle(new, told, recalled=recalled)


def _relocked(merge: Merge) -> int:
    """Return how many packages of the lock file are different in the result."""
    before, after = merge.read("uv.lock", before=True), merge.read("uv.lock")
    try:
        return lock.moved(before or "", after or "")
    except ValueError:
        return 0


def _lock(
    merge: Merge,
    sides: _Sides,
    scratch: Path,
    progress: Callable[[str], None],
    *,
    dry_run: bool,
) -> list[str]:
    """Lock the dependencies of the result anew if they changed; return the warnings."""
    locked = merge.read("uv.lock")
    if locked is None:
        return []
    framework = sides.record.answers["framework"]
    try:
        pins, moves = lock.renewed(locked, sides.old.pins(framework), sides.new.pins(framework))
    except ValueError as error:
        return [f"uv.lock is as it was: it cannot be read ({error}); run 'make lock' for another"]
    if not moves and merge.read("pyproject.toml") == merge.read("pyproject.toml", before=True):
        return []
    if any(conflict.path in {"pyproject.toml", "uv.lock"} for conflict in merge.conflicts):
        return ["uv.lock is as it was: run 'make lock' once pyproject.toml has no conflict"]
    if dry_run:
        known = ""
        if moves:
            many = f"{moves} packages in it would get other versions"
            known = f"; {many if moves > 1 else '1 package in it would get another version'}"
        return [f"uv.lock is left out of this: a dry run does not lock the dependencies{known}"]
    progress("Locking the dependencies ...")
    place = scratch / "locked"
    place.mkdir()
    for name in lock.FILES:
        if (text := merge.read(name)) is not None:
            (place / name).write_bytes(text.encode("utf-8", "surrogateescape"))
    notes = lock.make(place, pins, sides.record.path, scratch / "lock", python=None)
    if not notes:
        merge.put("uv.lock", place / "uv.lock")
    return notes
