"""The engine: from answers to a project on disk, or to nothing at all."""

from __future__ import annotations

import os
import re
import secrets
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from stackyard import interrupts
from stackyard.making import lock, repository
from stackyard.making.render import render
from stackyard.making.target import Target, directory_in, os_errors
from stackyard.template import Template
from stackyard.template.settle import Suggestions, settle
from stackyard.template.source import version


@dataclass(frozen=True)
class File:
    """One generated file: its path within the project, with `/`, and its size in bytes."""

    path: str
    size: int


@dataclass(frozen=True)
class Project:
    """What was generated, or would be; `answers` holds every option, defaults included."""

    path: Path
    answers: Mapping[str, str]
    files: tuple[File, ...]
    warnings: tuple[str, ...]


def generate(
    template: Template,
    told: Mapping[str, str],
    path: Path | None = None,
    *,
    preset: str = "",
    author: Mapping[str, str] = MappingProxyType({}),
    dry_run: bool = False,
    force: bool = False,
    with_git: bool = True,
    with_lock: bool = True,
    progress: Callable[[str], None] = lambda _: None,
) -> Project:
    """Make a project at `path`, by default in a directory called by its short name.

    What is not told is the preset's answer, suggested by where the project goes and by who its
    `author` is, or takes its default: nothing is asked here. `progress` gets a line before each
    slow step.

    Raises:
        StackyardError: with nothing written, and nothing that was there touched.
        KeyboardInterrupt: likewise.
    """
    target = Target.at(path, force=force) if path else None
    suggestions = Suggestions(preset, target.place.name if target else "", author)
    settled = settle(template, told, suggestions=suggestions)
    answers = {name: answer.value for name, answer in settled.items()}
    target = target or Target.at(Path(answers["project_slug"]), force=force)
    with os_errors(target.path), _workshop(target, dry_run=dry_run) as (staging, scratch):
        project = staging / "project"
        notes: list[str] = []
        with interrupts.allowed():
            render(template, answers, project, scratch)
            target.refuse_obstacles(project, force=force)
            if with_lock and not dry_run:
                progress("Locking the dependencies ...")
                pins = template.pins(answers["framework"])
                notes += lock.make(project, pins, target.path, scratch / "lock")
            if with_git and not dry_run and not repository.holds(target.place):
                notes += repository.make(project, *_first_commit(answers))
            if not os.path.lexists(target.place / ".env"):
                _write_env(project)
            files = tuple(_files(project))
        if not dry_run:
            target.publish(project, staging.with_name(f"{staging.name}-kept"), force=force)
    return Project(target.path, answers, files, tuple(notes))


@contextmanager
def _workshop(target: Target, *, dry_run: bool) -> Iterator[tuple[Path, Path]]:
    """Give two directories that do not stay: one on the target's file system, one for Copier."""
    with directory_in(Path(tempfile.gettempdir()), "stackyard") as scratch:
        if dry_run:
            yield scratch, scratch
        else:
            with directory_in(target.ground, ".stackyard") as staging:
                yield staging, scratch


def _first_commit(answers: Mapping[str, str]) -> tuple[str, str, str]:
    """Return the message and, for a user whom git does not know, the author's name and email."""
    message = f"Start {answers['project_name']} from stackyard {version()}"
    name = answers.get("author_name") or "stackyard"
    return message, name, answers.get("author_email") or "stackyard@localhost"


def _write_env(project: Path) -> None:
    """Make `.env` of `.env.example`, with secrets of its own, for the owner's eyes only."""
    example = project / ".env.example"
    if not example.is_file():
        return
    text = re.sub(
        r"^\w+_(?:KEY|PASSWORD)=$",
        lambda empty: empty[0] + secrets.token_urlsafe(48),
        example.read_text(encoding="utf-8"),
        flags=re.MULTILINE,
    )
    descriptor = os.open(project / ".env", os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with open(descriptor, "w", encoding="utf-8", newline="") as file:  # noqa: PTH123 - a descriptor
        file.write(text)


def _files(project: Path) -> Iterator[File]:
    """List the files of the project in the order of their paths, git's own left out."""
    for path in sorted(project.rglob("*")):
        relative = path.relative_to(project)
        if path.is_file() and relative.parts[0] != ".git":
            yield File(relative.as_posix(), path.stat().st_size)
