"""Where the minutes of a run went, by part and framework: the last that its log says.

With `MINUTES` a file, of lines `part<tab>framework<tab>seconds`, what stands there is told as well,
and what this run took is added to it: so several commands give one table.
"""

from __future__ import annotations

import os
import re
import time
from collections import defaultdict
from pathlib import Path

import pytest

from combinations import FRAMEWORKS

PARTS = {
    "tests/containers/test_ci.py": "workflow",
    "tests/containers/": "containers",
    "tests/alike/": "side by side",
    "tests/contract/faults/": "contract, faults",
    "tests/contract/": "contract",
    "tests/test_generated.py": "own suites",
    "tests/updates/test_releases.py": "edited projects",
    "tests/updates/": "updates",
    "tests/": "generator",
}
"""The first that a test's path begins with is its part."""
ELSE = "all"
"""What is no framework's."""

Table = dict[tuple[str, str], float]
"""Seconds by part and framework."""


STARTED = pytest.StashKey[float]()


def pytest_sessionstart(session: pytest.Session) -> None:
    session.config.stash[STARTED] = time.monotonic()


@pytest.hookimpl(trylast=True)
def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    if hasattr(config, "workerinput"):
        return  # a process of pytest-xdist: what it ran is told to the one that started it
    took = time.monotonic() - config.stash[STARTED]
    table: Table = defaultdict(float)
    for reports in terminalreporter.stats.values():
        for report in reports:
            if isinstance(report, pytest.TestReport):
                table[key_of(report.nodeid)] += report.duration
    if file := os.environ.get("MINUTES"):
        earlier = read(Path(file))
        write(Path(file), table)
        for key, seconds in earlier.items():
            table[key] += seconds
    if sum(table.values()) < 60:
        return
    terminalreporter.section("minutes of test processes, several of which ran at a time")
    for line in lines(table):
        terminalreporter.write_line(line)
    terminalreporter.write_line(f"this run: {took / 60:.1f} minutes by the clock")


def key_of(nodeid: str) -> tuple[str, str]:
    """Return the part and the framework that a test is of."""
    part = next(part for path, part in PARTS.items() if nodeid.startswith(path))
    names = "|".join(FRAMEWORKS)
    found = re.search(rf"\[.*?\b({names})\b", nodeid)
    return part, found[1] if found else ELSE


def lines(table: Table) -> list[str]:
    """Lay the table out, in minutes, for people."""
    columns = [*FRAMEWORKS, ELSE]
    parts = sorted({part for part, _ in table}, key=lambda part: -total(table, part))
    rows = [["", *columns, "sum"]]
    for part in parts:
        cells = [table.get((part, column), 0) for column in columns]
        rows.append([part, *(f"{cell / 60:.1f}" if cell else "" for cell in cells)])
        rows[-1].append(f"{total(table, part) / 60:.1f}")
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    widths[0] *= -1  # to the left
    return ["  ".join(map(padded, row, widths)) for row in rows]


def padded(cell: str, width: int) -> str:
    return cell.rjust(width) if width > 0 else cell.ljust(-width)


def total(table: Table, part: str) -> float:
    return sum(seconds for (name, _), seconds in table.items() if name == part)


def read(file: Path) -> Table:
    table: Table = {}
    for line in file.read_text().splitlines() if file.exists() else []:
        part, framework, seconds = line.split("\t")
        table[part, framework] = table.get((part, framework), 0) + float(seconds)
    return table


def write(file: Path, table: Table) -> None:
    with file.open("a") as output:
        for (part, framework), seconds in table.items():
            output.write(f"{part}\t{framework}\t{seconds:.1f}\n")
