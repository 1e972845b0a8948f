"""Projects compared: each concern's code in each of them, and how much there is of it."""

from __future__ import annotations

import tempfile
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from stackyard import interrupts
from stackyard.comparing import concerns, requests
from stackyard.comparing.code import Excerpt, find
from stackyard.comparing.concerns import Concern, Place
from stackyard.comparing.errors import UnknownConcernError, UnknownSideError
from stackyard.comparing.requests import Request, Step
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
class Way:
    """What a request passes in a side: each step, and its code unless there is none any more.

    Where the side has answers with which it was not recorded, these are `otherwise`, and all else
    is unknown.
    """

    steps: tuple[tuple[Step, Excerpt | None], ...]
    otherwise: str = ""


@dataclass(frozen=True)
class Comparison:
    """All of it: of each side, in their order, its answer to a concern and the way of a request."""

    sides: tuple[Side, ...]
    answers: Mapping[Concern, tuple[Answer, ...]]
    ways: Mapping[Request, tuple[Way, ...]]


def compare(
    template: Template,
    named: Sequence[str] = (),
    told: Mapping[str, str] | None = None,
    concern: str | None = None,
    request: str | None = None,
) -> Comparison:
    """Compare what is named: frameworks as they would be generated, or the paths of projects.

    Where none is named these are all frameworks; they have the answers that are told. A concern, or
    a request by its method, is compared alone. Nothing is left on disk.

    Raises:
        UnknownConcernError: if no concern is called as the one that is asked for.
        UnknownSideError: if something is neither a framework nor a project.
        AnswerError: if the answers do not go together in a framework.
        TemplateError: if a project cannot be made.
        TargetError, DiskFullError: if there is no place to make it.
    """
    alone = bool(concern or request)
    asked = _concerns(template, concern) if concern or not alone else []
    made = [one for one in requests.load(template.root) if not alone or one.method == request]
    place = Path(tempfile.gettempdir())
    with os_errors(place), directory_in(place, "stackyard") as scratch, interrupts.allowed():
        found = [
            _side(template, name, told or {}, scratch)
            for name in named or template.questions["framework"].values
        ]
        answers = {one: tuple(_answer(one, *each) for each in found) for one in asked}
        ways = {one: tuple(_way(one, *each) for each in found) for one in made}
    return Comparison(tuple(side for side, _ in found), answers, ways)


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
    template: Template, name: str, told: Mapping[str, str], scratch: Path
) -> tuple[Side, Path]:
    """Return a side, and where its project is."""
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
    return Side(name, answers["framework"], answers, _figures(path)), path


def _answer(concern: Concern, side: Side, project: Path) -> Answer:
    places = [place for place in concern.places[side.framework] if place.suits(side.answers)]
    found = [(place, find(project, place)) for place in places]
    return Answer(
        tuple(excerpt for _, excerpt in found if excerpt),
        tuple(place for place, excerpt in found if not excerpt),
    )


def _way(request: Request, side: Side, project: Path) -> Way:
    if otherwise := request.otherwise(side.answers):
        return Way((), otherwise)
    steps = request.passages[side.framework].steps
    return Way(tuple((step, find(project, step.place)) for step in steps))


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
