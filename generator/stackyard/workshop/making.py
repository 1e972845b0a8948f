"""Makes a course: its stages in a repository of the learner's own, its pages, its environment."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
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
) -> tuple[Tree, Tree, list[str]]:
    """Return the services that a course begins and ends with, as the template makes them."""
    trees: list[Tree] = []
    warnings: list[str] = []
    for number, answers in enumerate((outline.before, outline.after)):
        told = {**answers, "project_name": name, "project_slug": slug(name) or "course"}
        place = scratch / f"service-{number}" / name
        is_last = number == 1
        project = generate(template, told, place, with_git=False, with_lock=with_lock and is_last)
        warnings += project.warnings
        trees.append(read_tree(place))
    return trees[0], trees[1], warnings


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
        directory_in(target.ground, ".stackyard") as staging,
    ):
        with interrupts.allowed():
            progress("Making the stages ...")
            before, after, warnings = services(
                template, outline, target.place.name, scratch, with_lock=with_environment
            )
            course = staging / "course"
            _lay(course, stages(outline, before, after), outline)
            shutil.copyfile(scratch / "service-1" / target.place.name / ".env", course / ".env")
            (course / ".env").chmod(0o600)
            told = exercises.told(template.root, framework)
            (course / FOLDER / KEPT).write_text(exercises.dumped(told), encoding="utf-8")
        target.publish(course, staging / "kept", force=False)
    if with_environment:
        progress("Installing what the course needs ...")
        warnings += _installed(target.place)
    return Made(Course.at(target.place), tuple(warnings))


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


def _installed(course: Path) -> list[str]:
    """Install all of a course's dependencies, for the Python that its lock file was made with."""
    from uv import find_uv_bin

    if not (course / "uv.lock").is_file():
        return []
    command = [find_uv_bin(), "sync", "--frozen", "--no-progress", "--color=never", "--quiet"]
    done = subprocess.run(
        [*command, "--no-python-downloads", "--python", sys.executable],
        cwd=course,
        env={name: value for name, value in regime(online=True).items() if name not in _ELSEWHERE},
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
        before, after, _ = services(template, outline, name, scratch, with_lock=False)
        return outline, stages(outline, before, after)
