"""Turns a learner's tests on the right service, and on some that are broken."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from stackyard.workshop.exercises import Check, Hole, place_of
from stackyard.workshop.findings import Finding
from stackyard.workshop.holes import cut
from stackyard.workshop.service import environment
from stackyard.workshop.stages import Tree, write_tree

TESTS = "tests"
"""The directory that is the learner's in all of the services."""


def tried(course: Path, check: Check, right: Tree, scratch: Path) -> Finding | None:
    """Run the tests on the right service, which passes, and on each broken one, which must not."""
    told = check.asked["tests"]
    names, places = zip(*_services(course, told, right, scratch), strict=True)
    done = subprocess.run(
        [
            str(course / ".venv" / "bin" / "python"),
            str(Path(__file__).with_name("trial.py")),
            told["file"],
            ",".join(told["imports"]),
        ],
        cwd=course,
        env=environment(course, scratch / "none.db") | {"DATABASE_URL": ""},
        input=json.dumps([str(place) for place in places]),
        capture_output=True,
        text=True,
        check=False,
    )
    try:
        first, *others = json.loads(done.stdout)
    except ValueError:
        lines = done.stderr.strip().splitlines() or ["nothing"]
        return Finding(f"pytest {told['file']}", lines[-1], None)
    if first["status"]:
        failed = f"{first['failed']}: {first['reason']}".removeprefix(": ")
        return Finding(f"pytest {told['file']}, on the right service", failed, told["file"])
    uncaught = [
        name for name, one in zip(names[1:], others, strict=True) if one["status"] == 0
    ]
    if uncaught:
        many = f"{len(others) - len(uncaught)} of {len(others)} are caught so far"
        sent = f"pytest {told['file']}, on a service that is broken: {uncaught[0]}"
        return Finding(sent, f"all {first['passed']} passed ({many})", told["file"])
    return None


def _services(
    course: Path, told: Mapping[str, Any], right: Tree, scratch: Path
) -> Iterator[tuple[str, Path]]:
    """Yield the services, each in a directory with the learner's tests: the right one first."""
    service = {path: kept for path, kept in right.items() if not path.startswith(f"{TESTS}/")}
    yield "", _laid(course, service, scratch / "service-0")
    for number, mutant in enumerate(told["mutants"], 1):
        hole = Hole(place_of(mutant["at"]), mutant.get("part", "whole"), mutant["put"])
        mode, content = service[hole.place.path]
        broken = (mode, cut(content.decode(), hole).encode())
        tree = {**service, hole.place.path: broken}
        yield mutant["name"], _laid(course, tree, scratch / f"service-{number}")


def _laid(course: Path, tree: Tree, place: Path) -> Path:
    write_tree(tree, place)
    hidden = shutil.ignore_patterns("__pycache__", ".*")
    shutil.copytree(course / TESTS, place / TESTS, ignore=hidden)
    return place
