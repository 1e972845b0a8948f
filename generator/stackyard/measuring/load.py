"""Load on one URL for a while, by a program that is on PATH or else by Locust."""

from __future__ import annotations

import csv
import json
import os
import shutil
import statistics
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from stackyard.measuring.errors import LoadError

_HERE = Path(__file__).parent
_SATURATED = 0.9


@dataclass(frozen=True)
class Request:
    """What is asked again and again."""

    url: str
    method: str = "GET"
    headers: Mapping[str, str] = field(default_factory=dict)
    body: str = ""


@dataclass(frozen=True)
class Run:
    """What came of it: right answers a second, milliseconds, errors, and the generator's cores.

    An error is an answer of another status than 2xx, or none.
    """

    rate: float
    p50: float
    p99: float
    errors: int
    cores: float

    @property
    def is_saturated(self) -> bool:
        """Tell whether the generator, which has one core, may be what was measured."""
        return self.cores >= _SATURATED


@dataclass(frozen=True)
class Generator:
    """A program that generates load."""

    name: str
    command: Callable[[Request, int, float], list[str]]
    read: Callable[[str, float], dict[str, float]]

    def drive(self, request: Request, connections: int, seconds: float) -> Run:
        """Keep so many connections busy for so long.

        Raises:
            LoadError: if the program fails, or has nothing to tell.
        """
        before = os.times()
        done = subprocess.run(
            self.command(request, connections, seconds),
            capture_output=True,
            text=True,
            check=False,
        )
        after = os.times()
        try:
            told = self.read(done.stdout, seconds)
        except (ValueError, IndexError) as error:
            raise LoadError(self.name, request.url, done.stderr or done.stdout) from error
        lasted = told["microseconds"] / 1_000_000
        used = sum(after[2:4]) - sum(before[2:4])  # of children that have ended
        return Run(
            (told["answers"] - told["errors"]) / lasted,
            told["p50"] / 1000,
            told["p99"] / 1000,
            round(told["errors"]),
            used / (after.elapsed - before.elapsed),
        )


def generator() -> Generator:
    """Return the first of wrk, hey and Locust that is here; Locust comes with the extra."""
    for one in GENERATORS[:-1]:
        if shutil.which(one.name):
            return one
    return GENERATORS[-1]


def _by_wrk(request: Request, connections: int, seconds: float) -> list[str]:
    headers = [word for pair in request.headers.items() for word in ("-H", ": ".join(pair))]
    # It takes whole seconds.
    command = ["wrk", "-t", "1", "-c", str(connections), "-d", f"{max(1, round(seconds))}s"]
    command += ["-s", str(_HERE / "wrk.lua"), *headers]
    return [*command, request.url, "--", request.method, request.body]


def _by_hey(request: Request, connections: int, seconds: float) -> list[str]:
    headers = [word for pair in request.headers.items() for word in ("-H", ": ".join(pair))]
    kind = request.headers.get("Content-Type", "text/html")
    command = ["hey", "-z", f"{seconds}s", "-c", str(connections), "-cpus", "1", "-o", "csv"]
    command += ["-m", request.method, "-T", kind, "-d", request.body]
    return [*command, *headers, request.url]


def _by_locust(request: Request, connections: int, seconds: float) -> list[str]:
    told = [request.url, request.method, request.body, str(connections), str(seconds)]
    script = str(_HERE / "locustload.py")
    return [sys.executable, script, *told, json.dumps(dict(request.headers))]


def _json(printed: str, _: float) -> dict[str, float]:
    """Read the last line that is JSON."""
    told: dict[str, float] = json.loads([line for line in printed.splitlines() if "{" in line][-1])
    return told


def _csv(printed: str, seconds: float) -> dict[str, float]:
    """Read what hey says of each answer; of what was not answered it says nothing."""
    rows = [*csv.DictReader(printed.splitlines())]
    times = sorted(float(row["response-time"]) * 1_000_000 for row in rows)
    cuts = statistics.quantiles(times, n=100)
    return {
        "answers": len(rows),
        "errors": sum(not row["status-code"].startswith("2") for row in rows),
        "microseconds": seconds * 1_000_000,
        "p50": cuts[49],
        "p99": cuts[98],
    }


GENERATORS = (
    Generator("wrk", _by_wrk, _json),
    Generator("hey", _by_hey, _csv),
    Generator("locust", _by_locust, _json),
)
