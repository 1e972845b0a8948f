"""What a course consists of, as `templates/workshop/` declares it, and as a course keeps it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from stackyard.comparing.concerns import Place
from stackyard.project import parse_yaml

FOLDER = Path("templates", "workshop")
FORMAT = 2
"""Of the file in which a course keeps its exercises: it outlives the release that made it.

What format 1 lacks has a default, so it is read as well: later services, and steps that are sent
by several at once or wait for something.
"""


@dataclass(frozen=True)
class Hole:
    """What is taken out of a file, and what stands in its place until it is written.

    `part` says what of the symbol: `whole`, its `body` below the docstring, its `decorators`, or
    all `others` of its file. One that is `late` is there from its exercise's start on, and in no
    stage before.
    """

    place: Place
    part: str
    put: str
    late: bool = False


@dataclass(frozen=True)
class Check:
    """Something that is asked of the learner's service, and the rule by which it is judged.

    `kind` is `starts`, `http`, `code`, `files` or `tests`; `asked` is what that kind needs. `look`
    is where to look when it fails.
    """

    name: str
    rule: str
    kind: str
    asked: Mapping[str, Any]
    look: Place


@dataclass(frozen=True)
class Exercise:
    """A step of the course in one framework.

    Of the next service's files, `brings` come with it in the place of what the service before has,
    `adds` where there was nothing; `ends` are those of the service before that go. `opens` names
    what the learner has to write in. With one that has `answers` the course goes on to the service
    that the template makes with these as well.
    """

    number: int
    name: str
    title: str
    minutes: int
    opens: tuple[Place, ...]
    brings: tuple[str, ...]
    adds: tuple[str, ...]
    ends: tuple[str, ...]
    holes: tuple[Hole, ...]
    checks: tuple[Check, ...]
    hints: tuple[str, ...]
    why: str
    page: str
    answers: Mapping[str, str] = field(default_factory=dict)

    @property
    def folder(self) -> str:
        """Return the name of its folder, such as `03-model`."""
        return f"{self.number:02}-{self.name}"


@dataclass(frozen=True)
class Outline:
    """The answers of the first two services, and the exercises, some of which have more.

    The course begins with the service of `before`, and goes on to the one of `after`; each exercise
    with answers of its own is the first of those that go on to another.
    """

    framework: str
    before: Mapping[str, str]
    after: Mapping[str, str]
    exercises: tuple[Exercise, ...]

    @classmethod
    def declared(cls, root: Path, framework: str) -> Outline:
        """Read the course that the template in `root` has for a framework."""
        return cls.parse(told(root, framework))

    @classmethod
    def parse(cls, told: Mapping[str, Any]) -> Outline:
        """Return a course from the form in which it is kept.

        Raises:
            ValueError: if it is of a form that this release does not know.
        """
        if told.get("format") not in range(1, FORMAT + 1):
            raise ValueError(f"its format is {told.get('format')!r}, and not {FORMAT}")
        exercises = tuple(_exercise(*one) for one in enumerate(told["exercises"], 1))
        return cls(told["framework"], told["before"], told["after"], exercises)

    @property
    def services(self) -> tuple[Mapping[str, str], ...]:
        """Return the answers of the services that the course goes through, in their order."""
        services = [self.before, self.after]
        for exercise in self.exercises:
            if exercise.answers:
                services.append({**services[-1], **exercise.answers})
        return tuple(services)

    @property
    def parts(self) -> tuple[tuple[Exercise, ...], ...]:
        """Return the exercises that lie between one service and the next, for each but the last."""
        parts: list[list[Exercise]] = [[]]
        for exercise in self.exercises:
            if exercise.answers:
                parts.append([])
            parts[-1].append(exercise)
        return tuple(map(tuple, parts))


def frameworks(root: Path) -> list[str]:
    """Return the frameworks that there is a course for."""
    return [
        path.stem
        for path in sorted(next((root / FOLDER).glob("01-*")).glob("*.yml"))
        if path.stem != "exercise"
    ]


def told(root: Path, framework: str) -> dict[str, Any]:
    """Return all that is declared of a framework's course, as JSON can have it.

    What frameworks share is in `exercise.yml` and `README.md` of each exercise's folder, and what
    is one framework's own in files of its name beside them. Its course has the exercises that there
    are such files for.
    """
    course = _read(root / FOLDER / "course.yml")
    exercises = []
    for folder in sorted(file.parent for file in (root / FOLDER).glob(f"*/{framework}.yml")):
        shared, own = _read(folder / "exercise.yml"), _own(folder, framework)
        special, pieces = own.get("checks", {}), own.pop("pieces", {})
        shared["checks"] = {
            name: _whole({**shared["checks"].get(name, {}), **special.get(name, {})}, pieces)
            for name in dict.fromkeys((*shared["checks"], *special))
        }
        page = (folder / "README.md").read_text(encoding="utf-8")
        part = (folder / f"{framework}.md").read_text(encoding="utf-8")
        name = folder.name.partition("-")[2]
        page = page.replace("<!-- framework -->\n", part)
        exercises.append({**own, **shared, "name": name, "page": page})
    answers = {"framework": framework, **course["answers"]}
    return {
        "format": FORMAT,
        "framework": framework,
        "before": {**answers, **course["before"]},
        "after": {**answers, **course["after"]},
        "exercises": exercises,
    }


def _whole(check: dict[str, Any], pieces: Mapping[str, str]) -> dict[str, Any]:
    """Return a check whose code begins with the piece that it names, which several may share."""
    if "begins" in check:
        check["code"] = f"{pieces[check.pop('begins')]}\n{check['code']}"
    return check


def _own(folder: Path, framework: str) -> dict[str, Any]:
    """Return what is a framework's own; what is not said may be as another one's is (`like`)."""
    own = _read(folder / f"{framework}.yml")
    if "like" not in own:
        return own
    other = _own(folder, own["like"])
    checks = {**other.get("checks", {}), **own.get("checks", {})}
    return {**other, **own, "checks": checks}


def dumped(told: Mapping[str, Any]) -> str:
    """Return a course in the form in which it is kept."""
    return json.dumps(told, indent=1, ensure_ascii=False) + "\n"


def place_of(told: str) -> Place:
    """Return a place from `FILE SYMBOL`."""
    path, _, symbol = told.partition(" ")
    return Place(path, symbol, {})


def _exercise(number: int, told: Mapping[str, Any]) -> Exercise:
    return Exercise(
        number,
        told["name"],
        told["title"],
        told["minutes"],
        tuple(map(place_of, told["opens"])),
        tuple(told.get("brings", ())),
        tuple(told.get("adds", ())),
        tuple(told.get("ends", ())),
        tuple(
            Hole(
                place_of(one["at"]),
                one.get("part", "whole"),
                one.get("put", ""),
                one.get("late", False),
            )
            for one in told.get("holes", ())
        ),
        tuple(_check(name, one) for name, one in told["checks"].items()),
        tuple(hint.strip() for hint in told["hints"]),
        told["why"].strip(),
        told["page"],
        told.get("answers", {}),
    )


def _check(name: str, told: Mapping[str, Any]) -> Check:
    [kind] = {"starts", "http", "code", "files", "tests"} & told.keys()
    return Check(name, told["rule"].strip(), kind, {kind: told[kind]}, place_of(told["look"]))


def _read(file: Path) -> dict[str, Any]:
    return parse_yaml(file.read_text(encoding="utf-8"))
