"""Run by a course's own Python: a module of tests against several services at once.

    python trial.py TESTS PRELOADED < DIRECTORIES

The input is a JSON list of directories, each with a service and the tests. What is `PRELOADED`, with
commas, is imported once; then each service has a process of its own. The output is a list beside it:
what pytest's status was, how many tests passed, and which was the first to fail, and why.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import os
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
    options = ["-x", "-q", "-p", "no:cacheprovider", "-p", "no:terminal", "--capture=sys"]
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
        with open(os.devnull, "w") as nothing, contextlib.redirect_stdout(nothing):  # noqa: PTH123
            told = tried(directory, tests)
        result.write_text(json.dumps(told), encoding="utf-8")
    finally:
        os._exit(0)


def main() -> None:
    """Try all the services, as many at a time as there are processors."""
    tests, preloaded = sys.argv[1:3]
    for name in filter(None, preloaded.split(",")):
        with contextlib.suppress(ImportError):
            importlib.import_module(name)
    del sys.path[0]
    waiting = json.load(sys.stdin)
    results = {directory: Path(f"{directory}.json") for directory in waiting}
    running: set[int] = set()
    for directory, result in results.items():
        if len(running) >= (os.cpu_count() or 1):
            running.discard(os.wait()[0])
        running.add(fork(directory, tests, result))
    for number in running:
        os.waitpid(number, 0)
    lost = {"status": 3, "passed": 0, "failed": "", "reason": "the tests ended their process"}
    told = [
        json.loads(one.read_text(encoding="utf-8")) if one.exists() else lost
        for one in results.values()
    ]
    json.dump(told, sys.stdout)


if __name__ == "__main__":
    main()
