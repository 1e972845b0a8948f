"""What is compared: the concerns, as `templates/concerns/` declares them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from stackyard.project import parse_yaml

FOLDER = Path("templates", "concerns")
_KEYS = {"title", "question", "summary", "places", "commentary"}


@dataclass(frozen=True)
class Place:
    """Where a framework's projects do something: a symbol of a module, or a whole file.

    `path` is that of the file in the project, with `/`; `symbol` a name in it, of a method with its
    class and a dot, or empty. Only projects that have one of the values here of each option have
    it: `only_with` is empty for what all have.
    """

    path: str
    symbol: str
    only_with: Mapping[str, tuple[str, ...]]

    def suits(self, answers: Mapping[str, str]) -> bool:
        """Tell whether a project of these answers has it."""
        return all(answers.get(name, "") in values for name, values in self.only_with.items())


@dataclass(frozen=True, eq=False)
class Concern:
    """A question that a reader has, and what each framework says to it.

    `places` and `commentary` are by framework; a commentary is a paragraph.
    """

    name: str
    title: str
    question: str
    summary: str
    places: Mapping[str, tuple[Place, ...]]
    commentary: Mapping[str, str]


@dataclass(frozen=True)
class Framework:
    """What a framework is good for, in a few words, and why, in a paragraph."""

    name: str
    good_for: str
    verdict: str


def load(root: Path) -> list[Concern]:
    """Return the concerns of the template in `root`, in their order.

    A file is called by its number and its concern's name, as in `02-routing.yml`.
    """
    return [_concern(file) for file in sorted((root / FOLDER).glob("[0-9]*-*.yml"))]


def load_frameworks(root: Path) -> list[Framework]:
    """Return what `frameworks.yml` beside the concerns tells."""
    told = parse_yaml((root / FOLDER / "frameworks.yml").read_text(encoding="utf-8"))
    return [Framework(name, one["good for"], one["verdict"].strip()) for name, one in told.items()]


def _concern(file: Path) -> Concern:
    told = parse_yaml(file.read_text(encoding="utf-8"))
    if unknown := told.keys() ^ _KEYS:
        raise ValueError(f"it lacks or should not have {', '.join(sorted(unknown))}")
    return Concern(
        file.stem.partition("-")[2],
        told["title"],
        told["question"],
        told["summary"].strip(),
        {framework: tuple(map(_place, places)) for framework, places in told["places"].items()},
        {framework: text.strip() for framework, text in told["commentary"].items()},
    )


def _place(told: str | dict[str, Any]) -> Place:
    """Return a place as it is declared: `FILE SYMBOL`, or that as `at` beside `with`."""
    if isinstance(told, str):
        told = {"at": told, "with": {}}
    path, _, symbol = told["at"].partition(" ")
    needs = {name: tuple(values) for name, values in told["with"].items()}
    return Place(path, symbol, needs)
