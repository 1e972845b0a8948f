"""What the gate leaves out is run by `make test-all`, and what differs from a base by the gate."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path
from unittest.mock import Mock

import pytest

import gate
from combinations import BY_NAME, FACTORS, FRAMEWORKS, PAIRS, ROOT, TEMPLATE, name_of
from conftest import run
from covering import groups

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def collected() -> Callable[..., set[str]]:
    """Give a function that names the tests that pytest would run with some options."""
    inherited = {name: value for name, value in os.environ.items() if "PYTEST" not in name}

    @cache
    def collect(*options: str) -> set[str]:
        command = [sys.executable, "-m", "pytest", "--collect-only", "-q", "-p", "no:cacheprovider"]
        printed = run(*command, *options, cwd=ROOT, env=inherited)
        return {line for line in printed.splitlines() if line.startswith("tests/")}

    return collect


SUITE = "test_generated.py::test_generated_suite_passes"
JUDGMENTS = [
    SUITE,
    "contract/test_schema.py::test_the_document_is_valid",
    "contract/faults/test_metrics.py::test_metrics_outlive_the_processes_that_counted",
    "containers/test_stack.py::test_the_contract_holds",
]


def untried(found: set[str], judgment: str, size: int) -> list[dict[str, str]]:
    """Return the answers, so many at a time, that may go together and that nothing judges so."""
    rows = [told for name, told in BY_NAME.items() if f"tests/{judgment}[{name}]" in found]
    return [
        group
        for group in groups(FACTORS, size)
        if not any(group.items() <= told.items() for told in rows)
        and not TEMPLATE.catalogue.refusal(group)
    ]


def test_each_two_answers_are_tried_in_a_turn_of_the_gate(
    collected: Callable[..., set[str]],
) -> None:
    """Each two that may go together, by their own suite."""
    turns = [collected("tests/test_generated.py", f"--first={first}") for first in FRAMEWORKS]
    assert untried(set().union(*turns), SUITE, 2) == []


@pytest.mark.everything  # to collect it all takes minutes
@pytest.mark.parametrize("judgment", JUDGMENTS)
def test_each_three_answers_are_tried_in_everything(
    collected: Callable[..., set[str]], judgment: str
) -> None:
    """Each three that may go together, by all judges."""
    assert untried(collected("--everything"), judgment, 3) == []


def test_shards_are_everything_and_share_nothing(collected: Callable[..., set[str]]) -> None:
    """Of all but the contract, whose tests are so many that to collect them takes a minute."""
    of_some = ("--everything", "--ignore=tests/contract")
    shards = [collected(*of_some, f"--shard={number}/2") for number in (1, 2)]
    assert shards[0] | shards[1] == collected(*of_some)
    assert shards[0] & shards[1] == set()


def test_what_differs_from_the_base_is_named(
    clone: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A byte that some combinations have, a pin, and a byte of a test."""
    checkout = tmp_path / "checkout"
    shutil.copytree(clone, checkout, symlinks=True)
    monkeypatch.setattr(gate, "ROOT", checkout)
    for path in (
        "templates/options/tasks/celery/all/tests/mail.py",
        "tests/contract/test_books.py",
    ):
        with (checkout / path).open("a") as file:
            file.write("# One line more.\n")
    pins = checkout / "templates/pins/pyramid.txt"
    pins.write_text(pins.read_text().replace("idna==", "idna==0"))
    changed = gate.differing("HEAD")
    assert changed is not None
    differing = {
        name_of(told)
        for told in PAIRS
        if told["tasks"] == "celery" or told["framework"] == "pyramid"
    }
    everyone = {name_of(told) for told in PAIRS}
    assert {kind: {*names} for kind, names in changed.items()} == {
        "suite": differing,
        "update": differing,
        "contract": everyone,
        "stack": everyone,
    }


def test_long_groups_come_first_and_those_that_wait_are_spread() -> None:
    sizes = {"one": 1, "suite": 2, "faults-a": 3, "databases-b": 4, "faults-c": 5, "many": 6}
    names = [name for name, size in sizes.items() for _ in range(size)]
    items = [Mock(**{"get_closest_marker.return_value": Mock(args=[name])}) for name in names]
    found = [gate.group_of(item) for item in gate.in_order(items)]
    order = ["faults-c", "databases-b", "many", "faults-a", "suite", "one"]
    assert found == [name for name in order for _ in range(sizes[name])]


@pytest.mark.parametrize("base", ["nothing-of-this-name", "0" * 40])
def test_a_base_that_cannot_be_had_leaves_nothing_out(base: str) -> None:
    assert gate.differing(base) is None
