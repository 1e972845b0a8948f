"""All that is measured, round by round, with every side's turn as near to the others' as can be."""

from __future__ import annotations

import platform
import tempfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path

import psutil

from stackyard import interrupts
from stackyard.measuring import feed
from stackyard.measuring.errors import NoFiguresError
from stackyard.measuring.figures import ENDPOINTS, Measured, Report
from stackyard.measuring.load import Generator, generator
from stackyard.measuring.subject import BOOK_COUNT, CONNECTIONS, PROCESSES, Subject

FEWEST_ROUNDS = 5
# How much of all the work is done when the sides are judged, have been started, are measured.
_JUDGED, _STARTED, _MEASURED = 0.5, 0.6, 0.95
Progress = Callable[[str, float], None]
"""Is told what begins, and how much of all that there is to do was done before: 0 to 1."""


def measure(
    names: Sequence[str],
    answers: Mapping[str, str],
    version: str,
    *,
    rounds: int = FEWEST_ROUNDS,
    seconds: float = 2,
    progress: Progress = lambda _step, _share: None,
) -> Report:
    """Make, judge and measure what is named: frameworks with these answers, or projects' paths.

    A side that breaks the contract, or whose own suite is not green, has no figures. An interrupt
    ends it early; what was measured by then is returned, as partial. Nothing is left running, or
    on disk. It takes minutes for each side.

    Raises:
        KeyboardInterrupt: if it comes before anything was measured.
        LoadError: if the generator of load fails.
    """
    driver = generator()
    report = Report(version, _conditions(driver, seconds), [], rounds)
    with ExitStack() as stack:
        home = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="stackyard-measure-")))
        found = []
        try:
            with interrupts.allowed():
                for number, name in enumerate(names):
                    progress(f"{name}: making and judging it", number / len(names) * _JUDGED)
                    measured = Measured(name)
                    report.sides.append(measured)
                    if subject := _judged(measured, answers, home / str(number), stack):
                        found.append(subject)
                if found:
                    _in_rounds(found, driver, rounds, seconds, progress)
                for subject in found:
                    if feed.is_there(subject.service):
                        progress(f"{subject.measured.name}: the feed", _MEASURED)
                        subject.measured.once |= feed.measure(subject.project)
        except KeyboardInterrupt:
            if not any(side.samples for side in report.sides):
                raise
            report.partial = True
    return report


def _judged(
    measured: Measured, answers: Mapping[str, str], home: Path, stack: ExitStack
) -> Subject | None:
    """Make a side, start it and have it judged; if it is refused note why, and return nothing."""
    try:
        subject = Subject(measured, answers, home)
        stack.callback(subject.stop)
        subject.start()
        subject.judge()
        subject.fill()
    except (NoFiguresError, AssertionError) as error:  # as the suite's own means say what fails
        measured.refused = str(error)
        return None
    return subject


def _in_rounds(
    subjects: Sequence[Subject],
    driver: Generator,
    rounds: int,
    seconds: float,
    progress: Progress,
) -> None:
    """Have each side start, and each endpoint of it under load, once a round.

    Each second round has the sides in the reverse order, so that what changes on the machine in
    the meantime is nobody's in particular.
    """
    for number in range(rounds):
        progress(
            f"round {number + 1} of {rounds}: starting",
            _JUDGED + number / rounds * (_STARTED - _JUDGED),
        )
        for subject in _in_turn(subjects, number):
            subject.restart()
    # One round more than is noted: the first has caches to fill, and code to load.
    for number in range(rounds + 1):
        for subject in subjects:
            subject.sign_in()
        for place, endpoint in enumerate(ENDPOINTS):
            done = (number + place / len(ENDPOINTS)) / (rounds + 1)
            step = f"round {number} of {rounds}" if number else "warming up"
            progress(f"{step}: {endpoint.title}", _STARTED + done * (_MEASURED - _STARTED))
            for subject in _in_turn(subjects, number):
                subject.drive(endpoint.name, driver, seconds, note=number > 0)
        if number:
            for subject in subjects:
                subject.note_load()


def _in_turn(subjects: Sequence[Subject], number: int) -> Iterable[Subject]:
    return subjects if number % 2 else reversed(subjects)


def _conditions(driver: Generator, seconds: float) -> dict[str, str]:
    """Return what the figures are figures of: the machine, and what was done on it."""
    return {
        "date": datetime.now(UTC).date().isoformat(),
        "CPU": _processor(),
        "cores": str(psutil.cpu_count()),
        "busy with something else": f"{psutil.cpu_percent(1):.0f} % of that, before it began",
        "memory": f"{psutil.virtual_memory().total / 2**30:.0f} GiB",
        "system": f"{platform.system()} {platform.release()}",
        "Python": platform.python_version(),
        "load": f"{driver.name}, {CONNECTIONS} connections that are kept alive, {seconds:g} s each",
        "service": f"{PROCESSES} web processes, {BOOK_COUNT} books, a worker beside it",
        "servers": "on the same machine, as is the load: what one takes, another lacks",
    }


def _processor() -> str:
    """Return what the processor calls itself."""
    try:
        lines = Path("/proc/cpuinfo").read_text("utf-8").splitlines()
    except OSError:
        lines = []
    named = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return (named or [platform.processor() or platform.machine()])[0]
