"""Checks a learner's service, and says what is wrong with it in a few lines."""

from __future__ import annotations

import subprocess
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

from stackyard import interrupts
from stackyard.comparing.code import find
from stackyard.comparing.concerns import Place
from stackyard.making.target import directory_in
from stackyard.workshop import asking, mutants, reading
from stackyard.workshop.errors import EnvironmentMissingError
from stackyard.workshop.exercises import Check, Exercise
from stackyard.workshop.findings import Finding, blamed
from stackyard.workshop.service import NotStartedError, command, environment, run, serving
from stackyard.workshop.stages import Tree

_LAST = 20
"""Seconds after which a process that was to refuse its settings is taken to have started."""


@dataclass(frozen=True)
class Verdict:
    """What came of the checks: those that passed, what was found, and how long it took."""

    passed: tuple[tuple[Exercise, Check], ...]
    found: tuple[tuple[Exercise, Check, Finding], ...]
    seconds: float

    @property
    def is_right(self) -> bool:
        """Tell whether nothing was found."""
        return not self.found


def check(
    course: Path, exercises: Sequence[Exercise], right: Callable[[], Tree], *, all_of: bool = False
) -> Verdict:
    """Check what the last of the exercises asks, and then that the ones before still hold.

    What takes long is not asked of those before if something is found, but for `all_of`. `right`
    gives the service as the last of the exercises leaves it, for those that turn the learner's
    tests on it.

    Raises:
        EnvironmentMissingError: if the course has no Python of its own.
    """
    begun = time.monotonic()
    if not (course / ".venv" / "bin" / "python").exists():
        raise EnvironmentMissingError(course)
    passed: list[tuple[Exercise, Check]] = []
    found: list[tuple[Exercise, Check, Finding]] = []
    temporary = Path(tempfile.gettempdir())
    with directory_in(temporary, "stackyard-check") as scratch, interrupts.allowed():
        for told in _judged(course, exercises, right, scratch, all_of=all_of):
            exercise, one, finding = told
            if finding is None:
                passed.append((exercise, one))
            else:
                found.append((exercise, one, _with_place(course, one, finding)))
    return Verdict(tuple(passed), tuple(found), time.monotonic() - begun)


Told = tuple[Exercise, Check, Finding | None]


def _judged(
    course: Path,
    exercises: Sequence[Exercise],
    right: Callable[[], Tree],
    scratch: Path,
    *,
    all_of: bool,
) -> Iterator[Told]:
    """Yield what comes of each check, those of the last exercise first.

    Whatever is asked of one process that runs anyway is asked at once; what takes processes of its
    own, for exercises before, waits until the last one is right.
    """
    *before, last = exercises
    asked = [(one, each) for one in [last, *before] for each in one.checks]
    with ThreadPoolExecutor(2) as pool:
        own = [(one, each) for one, each in asked if each.kind == "starts" and one is last]
        ends = [pool.submit(_ends, course, each, scratch) for _, each in own]
        codes = [(one, each) for one, each in asked if each.kind == "code"]
        coded = pool.submit(asking.answers, course, [each for _, each in codes], scratch)
        requests = [(one, each) for one, each in asked if each.kind == "http"]
        told = list(_requested(course, requests, scratch))
        told += [(*one, finding) for one, finding in zip(codes, coded.result(), strict=True)]
        told += [(*one, end.result()) for one, end in zip(own, ends, strict=True)]
        told += [
            (one, each, reading.read(course, each)) for one, each in asked if each.kind == "files"
        ]
        order = {id(each): number for number, (_, each) in enumerate(asked)}
        yield from sorted(told, key=lambda one: order.get(id(one[1]), -1))
        is_right = all(finding is None for _, _, finding in told)
        for one, each in asked:
            if each.kind == "tests" and (one is last or all_of):
                finding = mutants.tried(course, each, right(), scratch)
                is_right = is_right and finding is None
                yield one, each, finding
        if is_right or all_of:
            earlier = [told for told in asked if told[1].kind == "starts" and told[0] is not last]
            yield from (
                (*told, finding)
                for told, finding in zip(
                    earlier,
                    pool.map(lambda told: _ends(course, told[1], scratch), earlier),
                    strict=True,
                )
            )


def _requested(
    course: Path, asked: Iterable[tuple[Exercise, Check]], scratch: Path
) -> Iterator[Told]:
    """Yield what comes of requests, all of them to one service."""
    asked = list(asked)
    if not asked:
        return
    try:
        with serving(course, scratch) as service:
            for one, each in asked:
                yield one, each, asking.request(course, service, each)
    except NotStartedError as error:
        said, place = blamed(course, str(error))
        finding = Finding("the service was started", said, place)
        one, each = asked[0]
        yield one, replace(each, name="the service starts"), finding


def _ends(course: Path, check: Check, scratch: Path) -> Finding | None:
    """Start a service with settings that it has to refuse."""
    settings = check.asked["starts"]
    shown = " ".join(f"{name}={value}" for name, value in settings.items() if name.isupper())
    sent = f"{shown} {' '.join(command(course, 'web'))}"
    told = environment(course, scratch / "none.db", PORT="0")
    for name, value in settings.items():
        if value is None:
            told.pop(name, None)
        elif name.isupper():
            told[name] = str(value)
    try:
        done = run(course, "web", told, timeout=_LAST)
    except subprocess.TimeoutExpired:
        return Finding(sent, "it started, and went on", None)
    names = settings["names"]
    lines = done.stdout.strip().splitlines() or [""]
    if not done.returncode:
        return Finding(sent, "it ended with status 0", None)
    if "Traceback (most recent call last)" in done.stdout:
        said, place = blamed(course, done.stdout)
        return Finding(sent, f"it ended with a traceback: {said}", place)
    if names not in done.stdout:
        return Finding(sent, f"it ended without naming {names}: {lines[-1]}", None)
    return None


def _with_place(course: Path, check: Check, finding: Finding) -> Finding:
    """Return a finding that says where to look."""
    if finding.place:
        return finding
    return replace(finding, place=line_of(course, check.look))


def line_of(course: Path, place: Place) -> str:
    """Return a place as `FILE:LINE (SYMBOL)`, or the file alone where that has no such symbol."""
    excerpt = find(course, place)
    if not (excerpt and place.symbol):
        return place.path
    return f"{place.path}:{excerpt.line} ({place.symbol})"
