"""Turns a learner's tests on the right service, and on some that are broken."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

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
    place = scratch / "service"
    write_tree({path: kept for path, kept in right.items() if not _is_test(path)}, place)
    hidden = shutil.ignore_patterns("__pycache__", ".*")
    shutil.copytree(course / TESTS, place / TESTS, ignore=hidden)
    holes = [
        Hole(place_of(one["at"]), one.get("part", "whole"), one["put"]) for one in told["mutants"]
    ]
    broken = [(one.place.path, cut(right[one.place.path][1].decode(), one)) for one in holes]
    done = subprocess.run(
        [
            str(course / ".venv" / "bin" / "python"),
            str(Path(__file__).with_name("trial.py")),
            told["file"],
            ",".join(told["imports"]),
            str(place),
        ],
        cwd=course,
        # The tests start what is not named: they use it, and empty it.
        env=environment(course, scratch / "none.db")
        | {"DATABASE_URL": "", "REDIS_URL": "", "CELERY_BROKER_URL": ""},
        input=json.dumps(broken),
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
    names = [one["name"] for one in told["mutants"]]
    uncaught = [name for name, one in zip(names, others, strict=True) if one["status"] == 0]
    if uncaught:
        many = f"{len(others) - len(uncaught)} of {len(others)} are caught so far"
        sent = f"pytest {told['file']}, on a service that is broken: {uncaught[0]}"
        return Finding(sent, f"all {first['passed']} passed ({many})", told["file"])
    return None


def _is_test(path: str) -> bool:
    return path.startswith(f"{TESTS}/")
