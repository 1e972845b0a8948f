"""What is measured: its names and units, and the report that has all of it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from stackyard.measuring.intervals import Interval, interval


@dataclass(frozen=True)
class Figure:
    """A kind of figure: `better` is "more", "less" or, where neither is, empty."""

    name: str
    title: str
    unit: str
    better: str


@dataclass(frozen=True)
class Endpoint:
    """A kind of request, which has a rate, its latencies and a memory of no other."""

    name: str
    title: str


ENDPOINTS = (
    Endpoint("hello", "a bare hello, without the service"),
    Endpoint("book", "GET a book, cached where there is a cache"),
    Endpoint("list", "GET the first page of the books"),
    Endpoint("me", "GET the current user"),
    Endpoint("write", "POST a book"),
)

IN_ROUNDS = (
    Figure("start", "from its start to the first answer", "s", "less"),
    Figure("idle", "memory of a web process, idle", "MiB", "less"),
    Figure("loaded", "memory of a web process, loaded", "MiB", "less"),
    *(
        Figure(f"{endpoint.name}.{name}", f"{endpoint.title}{told}", unit, better)
        for endpoint in ENDPOINTS
        for name, told, unit, better in (
            ("rate", "", "requests/s", "more"),
            ("p50", ": p50", "ms", "less"),
            ("p99", ": p99", "ms", "less"),
        )
    ),
)
"""Measured in each round, so that there is an interval."""

ONCE = (
    Figure("green", "from `new` to a green suite", "s", "less"),
    Figure("suite", "its own suite", "s", "less"),
    Figure("tests", "its own tests", "", ""),
    Figure("packages", "packages in production, all told", "", "less"),
    Figure("installed", "installed for production", "MB", "less"),
    Figure("typed", "functions of the project that are wholly typed", "%", "more"),
    Figure("image", "its image", "MB", "less"),
    Figure("feed.held", "connections of the feed held", "", "more"),
    Figure("feed.lost", "messages of the feed lost", "", "less"),
    Figure("feed.twice", "messages of the feed that came twice", "", "less"),
    Figure("feed.p50", "the feed, commit to receipt: p50", "ms", "less"),
    Figure("feed.p99", "the feed, commit to receipt: p99", "ms", "less"),
    Figure("feed.memory", "a connection of the feed", "KiB", "less"),
)
"""Measured or counted once: no difference is claimed by these alone."""


@dataclass
class Measured:
    """What one side was found to do; or why it was not measured, and then there are no figures."""

    name: str
    framework: str = ""
    refused: str = ""
    samples: dict[str, list[float]] = field(default_factory=dict)
    once: dict[str, float] = field(default_factory=dict)
    licenses: dict[str, int] = field(default_factory=dict)
    errors: int = 0
    saturated: list[str] = field(default_factory=list)

    def interval(self, name: str) -> Interval | None:
        """Return the interval of a figure, if it was measured often enough to have one."""
        samples = self.samples.get(name, [])
        return interval(samples) if len(samples) > 1 else None


@dataclass
class Report:
    """All that was measured; `partial` if it was stopped before its end."""

    version: str
    conditions: Mapping[str, str]
    sides: list[Measured]
    rounds: int
    partial: bool = False

    @classmethod
    def of(cls, told: Mapping[str, Any]) -> Report:
        """Return a report that was told as JSON, by `dataclasses.asdict`."""
        return cls(**{**told, "sides": [Measured(**side) for side in told["sides"]]})

    def best(self, figure: Figure) -> set[str]:
        """Name the best sides of a figure: all between whom no difference is shown.

        None where all are, or fewer than two were measured: nobody is better then.
        """
        found = {side.name: side.interval(figure.name) for side in self.sides}
        known = {name: one for name, one in found.items() if one}
        if not figure.better or not known:
            return set()
        sign = 1 if figure.better == "less" else -1
        first = min(known.values(), key=lambda one: sign * one.mean)
        best = {name for name, one in known.items() if one.overlaps(first)}
        return best if len(best) < len(known) else set()


_COUNTING = 3


def rounded(value: float) -> str:
    """Return a number with three figures that count, or all of them before the point."""
    is_whole = value == int(value) or len(f"{value:.0f}") >= _COUNTING
    return f"{value:.0f}" if is_whole else f"{value:.3g}"


def shipped(root: Path, names: Iterable[str]) -> Report | None:
    """Return what was measured of these frameworks with the defaults for the release, if it was.

    `root` is the template's; None if it has no figures, or not of each of them.
    """
    file = root / "templates" / "concerns" / "figures.json"
    if not file.exists():
        return None
    report = Report.of(json.loads(file.read_text("utf-8")))
    report.sides = [side for side in report.sides if side.name in set(names)]
    return report if {side.name for side in report.sides} == set(names) else None
