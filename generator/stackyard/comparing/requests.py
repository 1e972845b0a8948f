"""One request, five ways: what it passes in each framework, as it was recorded."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from stackyard.comparing import concerns
from stackyard.comparing.concerns import Place
from stackyard.project import parse_yaml

FOLDER = concerns.FOLDER / "requests"
_TOLD = 3
"""Of how many libraries a line tells by name."""

Calls = Mapping[str, int]
"""How many functions are called of each library, the most first; `python` is the standard one."""


@dataclass(frozen=True)
class Step:
    """A function of the project that is called, and what is called of libraries before it.

    `depth` is how many functions of the project are running then.
    """

    place: Place
    depth: int
    before: Calls


@dataclass(frozen=True)
class Passage:
    """What a request passes, from when its head has been read until it is answered.

    `after` is what is called of libraries once the last step has begun.
    """

    steps: tuple[Step, ...]
    after: Calls

    @property
    def calls(self) -> dict[str, int]:
        """Return what is called of each library in all, the most first."""
        found: dict[str, int] = {}
        for calls in (*(step.before for step in self.steps), self.after):
            for name, number in calls.items():
                found[name] = found.get(name, 0) + number
        return dict(sorted(found.items(), key=lambda one: -one[1]))


@dataclass(frozen=True, eq=False)
class Request:
    """A request, what it passes in each framework's projects, and what is to be said of that.

    It was recorded in projects that have one of the values in `only_with` of each option there.
    """

    line: str
    summary: str
    only_with: Mapping[str, tuple[str, ...]]
    passages: Mapping[str, Passage]
    commentary: Mapping[str, str]

    @property
    def method(self) -> str:
        """Return its method, by which it is asked for."""
        return self.line.partition(" ")[0]

    def otherwise(self, answers: Mapping[str, str]) -> str:
        """Name the answers of a project with which it was not recorded; none are empty."""
        return ", ".join(
            f"{name} {answers.get(name, '')}".rstrip()
            for name, values in self.only_with.items()
            if answers.get(name, "") not in values
        )


def load(root: Path) -> list[Request]:
    """Return the requests of the template in `root`: what is said of them, and was recorded."""
    told = parse_yaml((root / FOLDER).with_suffix(".yml").read_text(encoding="utf-8"))
    recorded = {
        file.stem: parse_yaml(file.read_text(encoding="utf-8"))
        for file in sorted((root / FOLDER).glob("*.yml"))
    }
    needs = {name: tuple(values) for name, values in told["with"].items()}
    return [
        Request(
            line,
            one["summary"].strip(),
            needs,
            {framework: passage(each[line]) for framework, each in recorded.items()},
            {framework: text.strip() for framework, text in one["commentary"].items()},
        )
        for line, one in told["requests"].items()
    ]


def in_words(calls: Calls) -> str:
    """Return how much is called of whose, those of few calls together."""
    named = [*calls.items()]
    words = [f"{name} {number:,}" for name, number in named[:_TOLD]]
    if rest := sum(number for _, number in named[_TOLD:]):
        words.append(f"others {rest:,}")
    return ", ".join(words)


def passage(told: Mapping[str, Any]) -> Passage:
    """Return a passage as it is recorded."""
    return Passage(tuple(_steps(told["steps"])), told["after"])


def _steps(told: Iterable[Mapping[str, Any]]) -> Iterable[Step]:
    for one in told:
        path, _, symbol = one["at"].partition(" ")
        yield Step(Place(path, symbol, {}), one["depth"], one.get("before", {}))
