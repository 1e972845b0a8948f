"""Projects compared: each concern's code in each of them, and how much there is of it."""

from __future__ import annotations

import tempfile
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from stackyard import interrupts
from stackyard.comparing import concerns
from stackyard.comparing.code import Excerpt, find
from stackyard.comparing.concerns import Concern, Place
from stackyard.comparing.errors import UnknownConcernError, UnknownSideError
from stackyard.making.render import render
from stackyard.making.target import directory_in, os_errors
from stackyard.project import ANSWERS_FILE, Record
from stackyard.template import Template
from stackyard.template.settle import settle

NAME = "Bookshelf"
"""What the projects are called that are made to be compared."""

NOT_ITS_OWN = {".git", ".venv", ".dev", "node_modules", "__pycache__"}
"""Folders in a project that hold no code of it."""


@dataclass(frozen=True)
class Figures:
    """How much a project is: files, lines of Python that are not empty, direct dependencies."""

    files: int
    lines: int
    test_lines: int
    dependencies: int


@dataclass(frozen=True)
class Side:
    """One of what is compared: what it was called, and the project that it is."""

    name: str
    framework: str
    answers: Mapping[str, str]
    figures: Figures


@dataclass(frozen=True)
class Answer:
    """What a side says to a concern: its code, and the places where there is none any more."""

    excerpts: tuple[Excerpt, ...]
    missing: tuple[Place, ...]

    @property
    def lines(self) -> int:
        """Return how many lines it has that are not empty."""
        return sum(_filled(excerpt.text) for excerpt in self.excerpts)


@dataclass(frozen=True)
class Comparison:
    """All of it; `answers` has by concern, in the order of the sides, what each says to it."""

    sides: tuple[Side, ...]
    answers: Mapping[Concern, tuple[Answer, ...]]


def compare(
    template: Template,
    named: Sequence[str] = (),
    told: Mapping[str, str] | None = None,
    concern: str | None = None,
) -> Comparison:
    """Compare what is named: frameworks as they would be generated, or the paths of projects.

    Where none is named these are all frameworks; they have the answers that are told. Nothing is
    left on disk.

    Raises:
        UnknownConcernError: if no concern is called as the one that is asked for.
        UnknownSideError: if something is neither a framework nor a project.
        AnswerError: if the answers do not go together in a framework.
        TemplateError: if a project cannot be made.
        TargetError, DiskFullError: if there is no place to make it.
    """
    asked = _concerns(template, concern)
    place = Path(tempfile.gettempdir())
    with os_errors(place), directory_in(place, "stackyard") as scratch, interrupts.allowed():
        found = [
            _side(template, name, told or {}, asked, scratch)
            for name in named or template.questions["framework"].values
        ]
    answers = {one: tuple(of[one] for _, of in found) for one in asked}
    return Comparison(tuple(side for side, _ in found), answers)


def shared(answers: Iterable[Answer]) -> dict[Excerpt, list[int]]:
    """Return what stands in several of these answers word by word, and the numbers of those."""
    found: dict[str, tuple[Excerpt, list[int]]] = {}
    for number, answer in enumerate(answers):
        for excerpt in answer.excerpts:
            _, numbers = found.setdefault(excerpt.text, (excerpt, []))
            if number not in numbers:
                numbers.append(number)
    return {excerpt: numbers for excerpt, numbers in found.values() if len(numbers) > 1}


def own(answers: Sequence[Answer]) -> list[list[Excerpt]]:
    """Return for each of these answers what stands in it alone."""
    known = {excerpt.text for excerpt in shared(answers)}
    return [[one for one in answer.excerpts if one.text not in known] for answer in answers]


def _concerns(template: Template, name: str | None) -> list[Concern]:
    found = {concern.name: concern for concern in concerns.load(template.root)}
    if name is None:
        return [*found.values()]
    if name not in found:
        raise UnknownConcernError(name, found)
    return [found[name]]


def _side(
    template: Template, name: str, told: Mapping[str, str], asked: list[Concern], scratch: Path
) -> tuple[Side, dict[Concern, Answer]]:
    frameworks = template.questions["framework"].values
    path = Path(name)
    if name in frameworks:
        path = scratch / name
        settled = settle(template, {"project_name": NAME, **told, "framework": name})
        answers: Mapping[str, str] = {key: answer.value for key, answer in settled.items()}
        if not path.exists():
            render(template, answers, path, scratch)
    elif (path / ANSWERS_FILE).exists():
        answers = Record.of(path).answers
    else:
        raise UnknownSideError(name, frameworks)
    side = Side(name, answers["framework"], answers, _figures(path))
    return side, {concern: _answer(concern, side, path) for concern in asked}


def _answer(concern: Concern, side: Side, project: Path) -> Answer:
    places = [place for place in concern.places[side.framework] if place.suits(side.answers)]
    found = [(place, find(project, place)) for place in places]
    return Answer(
        tuple(excerpt for _, excerpt in found if excerpt),
        tuple(place for place, excerpt in found if not excerpt),
    )


def _figures(project: Path) -> Figures:
    files = {
        path.relative_to(project)
        for path in project.rglob("*")
        if path.is_file() and not NOT_ITS_OWN & set(path.relative_to(project).parts)
    }
    lines = {
        file: _filled((project / file).read_text(encoding="utf-8", errors="replace"))
        for file in files
        if file.suffix == ".py"
    }
    tests = sum(count for file, count in lines.items() if file.parts[0] == "tests")
    return Figures(len(files), sum(lines.values()) - tests, tests, len(_dependencies(project)))


def _dependencies(project: Path) -> list[str]:
    """Return what a project says that it needs, if that can be read."""
    try:
        told = tomllib.loads((project / "pyproject.toml").read_text(encoding="utf-8"))
        found: list[str] = told["project"]["dependencies"]
    except (OSError, ValueError, KeyError):
        return []
    return found


def _filled(text: str) -> int:
    return sum(1 for line in text.splitlines() if line.strip())
