"""What the gate leaves out is run by `make test-all`, and what differs from a base by the gate."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable
from functools import cache
from itertools import product
from pathlib import Path

import pytest
import yaml

import gate
from combinations import COMBINATIONS, ROOT, name_of
from conftest import run

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


def test_everything_has_each_combination_of_answers(collected: Callable[..., set[str]]) -> None:
    """Its own suite, the contract by processes, and its containers: as `copier.yml` has them."""
    questions = yaml.safe_load((ROOT / "copier.yml").read_text("utf-8"))
    choices = [
        question["choices"].values()
        for name, question in questions.items()
        if name[0] != "_" and "choices" in question and name != "license"
    ]
    wanted = {
        f"tests/{test}[{'-'.join(chosen)}]"
        for chosen in product(*choices)
        for test in (
            "test_generated.py::test_generated_suite_passes",
            "contract/test_schema.py::test_the_document_is_valid",
            "contract/faults/test_database_lost.py::test_a_lost_database_tells_no_secret_to_the_log",
            "containers/test_stack.py::test_the_contract_holds",
        )
    }
    assert len(wanted) > 50
    assert wanted - collected("--everything") == set()


def test_shards_are_everything_and_share_nothing(collected: Callable[..., set[str]]) -> None:
    shards = [collected("--everything", f"--shard={number}/2") for number in (1, 2)]
    assert shards[0] | shards[1] == collected("--everything")
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
        for told in COMBINATIONS
        if told["tasks"] == "celery" or told["framework"] == "pyramid"
    }
    everyone = {name_of(told) for told in COMBINATIONS}
    assert {kind: {*names} for kind, names in changed.items()} == {
        "suite": differing,
        "update": differing,
        "contract": everyone,
        "stack": everyone,
    }


@pytest.mark.parametrize("base", ["nothing-of-this-name", "0" * 40])
def test_a_base_that_cannot_be_had_leaves_nothing_out(base: str) -> None:
    assert gate.differing(base) is None
