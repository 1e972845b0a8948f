"""What `compare --measure` shows in a terminal: its progress, and a table."""

from __future__ import annotations

import sys
import textwrap
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from stackyard.errors import shown

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from stackyard.measuring.figures import Figure, Measured, Report
    from stackyard.measuring.intervals import Interval

_STEPS = 1000
_BEST = "*"


@contextmanager
def progress() -> Iterator[Callable[[str, float], None]]:
    """Show a bar, with the time that is left, for as long as the block takes."""
    with click.progressbar(length=_STEPS, file=sys.stderr, width=24, show_percent=False) as bar:

        def tell(step: str, share: float) -> None:
            bar.label = f"{shown(step):<48.48}"
            bar.update(max(0, round(share * _STEPS) - bar.pos))
            bar.render_progress()

        yield tell


def table(report: Report) -> Iterator[str]:
    """Yield the lines of a report: its figures, and what they are figures of."""
    from stackyard.measuring.figures import IN_ROUNDS, ONCE

    sides = [side for side in report.sides if not side.refused]
    names = [shown(side.name) for side in sides]
    width = max(14, *map(len, names)) if names else 14
    if report.partial:
        yield click.style("Partial: it was stopped before its end.", bold=True)
    for side in report.sides:
        if side.refused:
            yield shown(f"{side.name} has no figures: {side.refused}")
    if not sides:
        return
    rows = [(figure, [_cell(report, figure, side) for side in sides]) for figure in IN_ROUNDS]
    rows += [(figure, [_once(figure, side) for side in sides]) for figure in ONCE]
    filled = [(figure, cells) for figure, cells in rows if any(cells)]
    first = max(len(_title(figure)) for figure, _ in filled) + 2

    def line(title: str, cells: Sequence[str]) -> str:
        return f"{title:<{first}}" + "  ".join(f"{cell:>{width}}" for cell in cells)

    yield line("", names)
    for figure, cells in filled:
        yield line(_title(figure), cells)
    yield line("answers that were wrong, or none", [str(side.errors) for side in sides])
    yield ""
    yield from explanation(report)


def explanation(report: Report) -> Iterator[str]:
    """Yield what is to be known of a report's figures, line by line."""
    told = (
        f"Means of {report.rounds} rounds, of which each second one has the reverse order;"
        " ± is the half of a bootstrap interval of 95 %, as a share of the mean. With"
        f" {_BEST} are the best, and those from which no difference is shown; where nobody has it,"
        " none is shown between any. What has no ± was measured once: by that alone nobody is"
        " better. More requests a second are more on this machine, with its servers and the load"
        " beside the service: it is no promise for yours, and seldom what a service waits for."
    )
    yield from textwrap.wrap(told, 100)
    for side in report.sides:
        if side.saturated:
            kinds = ", ".join(side.saturated)
            yield shown(
                f"{side.name}: the load was at its own limit, these are lower bounds: {kinds}"
            )
    yield ""
    for name, value in report.conditions.items():
        yield shown(f"{name}: {value}")


def _title(figure: Figure) -> str:
    return f"{figure.title}, {figure.unit}" if figure.unit else figure.title


def _cell(report: Report, figure: Figure, side: Measured) -> str:
    """Return a figure with its interval, marked if it is among the best."""
    found = side.interval(figure.name)
    if found is None:
        return ""
    from stackyard.measuring.figures import rounded

    mark = _BEST if side.name in report.best(figure) else ""
    return f"{rounded(found.mean)} ±{spread(found):.0%}{mark or ' '}"


def _once(figure: Figure, side: Measured) -> str:
    from stackyard.measuring.figures import rounded

    return rounded(side.once[figure.name]) if figure.name in side.once else ""


def spread(found: Interval) -> float:
    """Return how far an interval's farther bound is from its mean, as a share of that."""
    return max(found.high - found.mean, found.mean - found.low) / (found.mean or 1)
