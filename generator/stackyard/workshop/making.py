"""Makes a course: its stages in a repository of the learner's own, its pages, its environment."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from stackyard import interrupts
from stackyard.git import regime
from stackyard.making.generate import generate
from stackyard.making.target import Target, directory_in, os_errors
from stackyard.template import Template
from stackyard.template.settle import slug
from stackyard.workshop import exercises
from stackyard.workshop.course import FOLDER, KEPT, Course, Progress
from stackyard.workshop.errors import UnknownCourseError
from stackyard.workshop.exercises import Outline
from stackyard.workshop.repository import Repository
from stackyard.workshop.stages import Stage, Tree, read_tree, stages

_ELSEWHERE = {"UV_PROJECT", "UV_PROJECT_ENVIRONMENT", "UV_WORKING_DIR", "VIRTUAL_ENV"}
"""Set for the user's own work, these have uv install into another project."""


@dataclass(frozen=True)
class Made:
    """A course that was made, and what is to be said of it."""

    course: Course
    warnings: tuple[str, ...]


def services(
    template: Template, outline: Outline, name: str, scratch: Path, *, with_lock: bool
) -> tuple[list[Tree], list[str]]:
    """Return the services that a course goes through, as the template makes them.

    The first has no lock file: it is in no stage but with that of the second.
    """
    trees: list[Tree] = []
    warnings: list[str] = []
    for number, answers in enumerate(outline.services):
        told = {**answers, "project_name": name, "project_slug": slug(name) or "course"}
        place = scratch / f"service-{number}" / name
        locked = with_lock and number > 0
        project = generate(template, told, place, with_git=False, with_lock=locked)
        # Each says the same, and what it says to do is of a place that there is not for long.
        warnings = [one.partition("; run later")[0] for one in project.warnings]
        trees.append(read_tree(place))
    return trees, warnings


def make(
    template: Template,
    framework: str,
    path: Path,
    *,
    with_environment: bool = True,
    progress: Callable[[str], None] = lambda _: None,
) -> Made:
    """Make a course at `path`; all that it needs from a network is fetched here.

    Raises:
        StackyardError: with nothing written.
        KeyboardInterrupt: likewise.
    """
    target = Target.at(path, force=False)
    outline = Outline.declared(template.root, framework)
    with (
        os_errors(target.path),
        directory_in(Path(tempfile.gettempdir()), "stackyard") as scratch,
        _cache(scratch),
        directory_in(target.ground, ".stackyard") as staging,
    ):
        with interrupts.allowed():
            progress("Making the stages ...")
            name = target.place.name
            made, warnings = services(template, outline, name, scratch, with_lock=with_environment)
            course = staging / "course"
            _lay(course, stages(outline, made), outline)
            last = scratch / f"service-{len(made) - 1}" / name
            shutil.copyfile(last / ".env", course / ".env")
            (course / ".env").chmod(0o600)
            told = exercises.told(template.root, framework)
            (course / FOLDER / KEPT).write_text(exercises.dumped(told), encoding="utf-8")
        target.publish(course, staging / "kept", force=False)
        if with_environment:
            progress("Installing what the course needs ...")
            warnings += _installed(Course.at(target.place))
    return Made(Course.at(target.place), tuple(warnings))


@contextmanager
def _cache(scratch: Path) -> Iterator[None]:
    """Have uv keep what it fetches in `scratch` where its own place cannot be written."""
    home = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    place = Path(os.environ.get("UV_CACHE_DIR") or Path(home, "uv"))
    there = next(one for one in (place, *place.absolute().parents) if one.exists())
    if os.access(there, os.W_OK):
        yield
        return
    before = os.environ.get("UV_CACHE_DIR")
    os.environ["UV_CACHE_DIR"] = str(scratch / "uv")
    try:
        yield
    finally:
        if before is None:
            del os.environ["UV_CACHE_DIR"]
        else:
            os.environ["UV_CACHE_DIR"] = before


def _lay(course: Path, made: list[Stage], outline: Outline) -> None:
    """Write the repository with all of its stages, the first of them open, and the pages."""
    course.mkdir()
    repository = Repository.new(course, hidden=FOLDER)
    for exercise, stage in zip(outline.exercises, made, strict=True):
        start = repository.keep(stage.start, f"{exercise.title}: the start")
        repository.name(exercise.number, "start", start)
        done = repository.keep(stage.done, f"{exercise.title}: the solution", start)
        repository.name(exercise.number, "done", done)
    first = outline.exercises[0]
    repository.lay(repository.of(1, "start"))
    repository.commit(f"Begin exercise 1: {first.title.lower()}")
    for exercise in outline.exercises:
        page = course / FOLDER / exercise.folder / "README.md"
        page.parent.mkdir(parents=True)
        page.write_text(exercise.page, encoding="utf-8")
    Progress.begun().write(course)


def _installed(course: Course) -> list[str]:
    """Install what the last stage depends on, for the Python that its lock file was made with.

    It has all that the stages before have, so that later ones need no network.
    """
    from uv import find_uv_bin

    last = course.repository.of(len(course.outline.exercises), "done")
    needed = {name: course.repository.content(last, name) for name in ("pyproject.toml", "uv.lock")}
    if needed["uv.lock"] is None:
        return ["the course has no environment: make it again where that is mended"]
    command = [find_uv_bin(), "sync", "--frozen", "--no-progress", "--color=never", "--quiet"]
    own = {name: value for name, value in regime(online=True).items() if name not in _ELSEWHERE}
    with directory_in(Path(tempfile.gettempdir()), "stackyard") as scratch:
        for name, content in needed.items():
            (scratch / name).write_bytes(content or b"")
        done = subprocess.run(
            [*command, "--no-python-downloads", "--python", sys.executable],
            cwd=scratch,
            env=own | {"UV_PROJECT_ENVIRONMENT": str(course.place.resolve() / ".venv")},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
    if not done.returncode:
        return []
    lines = [line.strip() for line in done.stderr.splitlines() if line.strip()]
    return [f"the course has no environment yet: {' '.join(lines)[:300]}; run 'uv sync' in it"]


def solution(
    template: Template, framework: str, like: Mapping[str, str]
) -> tuple[Outline, list[Stage]]:
    """Return the course of another framework, and its stages, made for this moment alone.

    Raises:
        UnknownCourseError: if there is none of it.
    """
    if framework not in (known := exercises.frameworks(template.root)):
        raise UnknownCourseError(framework, known)
    outline = Outline.declared(template.root, framework)
    with directory_in(Path(tempfile.gettempdir()), "stackyard") as scratch, interrupts.allowed():
        name = like.get("name", "course")
        made, _ = services(template, outline, name, scratch, with_lock=False)
        return outline, stages(outline, made)
