"""Run by a course's own Python: a module of tests against several services at once.

    python trial.py TESTS PRELOADED DIRECTORY < MUTANTS

The directory has the right service and the tests. The input is a JSON list of mutants, each of
which is the path of a file and what a broken service has in it. What is `PRELOADED`, with commas,
is imported once; then each service has a process of its own, the right one first, whose compiled
modules the others take over. The output is a list: what pytest's status was on each, how many tests
passed, and which was the first to fail, and why. Where the right one fails, no other is tried.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import shutil
import sys
from pathlib import Path
from typing import Any

import pytest


class Observer:
    """What pytest tells of a run."""

    def __init__(self) -> None:
        self.passed = 0
        self.failed = ""
        self.reason = ""

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Take a test down."""
        if report.when == "call" and report.passed:
            self.passed += 1
        elif report.failed:
            self._fail(report)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """Take down what could not be collected."""
        if report.failed:
            self._fail(report)

    def _fail(self, report: pytest.TestReport | pytest.CollectReport) -> None:
        if not self.failed:
            crash = getattr(report.longrepr, "reprcrash", None)
            self.failed = report.nodeid
            told = (crash.message if crash else report.longreprtext).strip().splitlines() or [""]
            self.reason = told[0 if crash else -1]


def tried(directory: str, tests: str) -> dict[str, Any]:
    """Run the tests in this process, which is for nothing else."""
    os.chdir(directory)
    sys.path[:0] = [directory]
    observer = Observer()
    options = ["-x", "-q", "-p", "no:cacheprovider", "--capture=sys"]
    options += ["-W", "ignore::pytest.PytestAssertRewriteWarning"]  # of what is preloaded
    status = pytest.main([*options, tests], plugins=[observer])
    return {
        "status": int(status),
        "passed": observer.passed,
        "failed": observer.failed,
        "reason": observer.reason,
    }


def fork(directory: str, tests: str, result: Path) -> int:
    """Have a process of its own try a service; return its number."""
    if child := os.fork():
        return child
    try:
        with (
            Path(os.devnull).open("w", encoding="utf-8") as nothing,
            contextlib.redirect_stdout(nothing),
        ):
            told = tried(directory, tests)
        result.write_text(json.dumps(told), encoding="utf-8")
    except BaseException as error:  # noqa: BLE001 - of which nobody else would hear
        reason = f"{type(error).__name__}: {error}"
        told = {"status": 3, "passed": 0, "failed": "", "reason": reason}
        result.write_text(json.dumps(told), encoding="utf-8")
    finally:
        os._exit(0)


def result_of(file: Path) -> dict[str, Any]:
    """Return what a process told before it ended."""
    if not file.exists():
        return {"status": 3, "passed": 0, "failed": "", "reason": "the tests ended their process"}
    told: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return told


def main() -> None:
    """Try all the services, as many at a time as there are processors."""
    tests, preloaded, right = sys.argv[1:4]
    for name in filter(None, preloaded.split(",")):
        with contextlib.suppress(ImportError):
            importlib.import_module(name)
    del sys.path[0]
    mutants = json.load(sys.stdin)
    results = [Path(f"{right}.json")]
    os.waitpid(fork(right, tests, results[0]), 0)
    running: set[int] = set()
    if result_of(results[0])["status"] == 0:
        for number, (path, content) in enumerate(mutants, 1):
            place = Path(f"{right}-{number}")
            shutil.copytree(right, place)
            (place / path).write_text(content, encoding="utf-8")
            if len(running) >= (os.cpu_count() or 1):
                running.discard(os.wait()[0])
            results.append(Path(f"{place}.json"))
            running.add(fork(str(place), tests, results[-1]))
    for number in running:
        os.waitpid(number, 0)
    json.dump([result_of(file) for file in results], sys.stdout)


if __name__ == "__main__":
    main()
