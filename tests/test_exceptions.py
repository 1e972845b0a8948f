"""The table of what some databases do not keep: each row has a test that runs instead."""

from __future__ import annotations

import os
import sys
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from combinations import ROOT
from conftest import run
from contract.databases import DATABASES
from contract.exceptions import EXCEPTED

MADE_UP = """
from contract import exceptions

def pytest_configure():
    exceptions.EXCEPTED.append(exceptions.Excepted({clause!r}, ("sqlite",), "made up", ""))
"""
PYTEST = Path(sys.executable).parent / "pytest"
LOST = "faults/test_cache_lost.py::test_without_the_cache_every_request_is_served"
HOW = ["killed", "paused"]


@cache
def collected(database: str, excepted: str = "") -> frozenset[str]:
    """Return the tests that a project of a database is asked, with one more row of the table."""
    with TemporaryDirectory() as home:
        (Path(home) / ".copier-answers.yml").write_text(f"database: {database}\n")
        (Path(home) / "made_up.py").write_text(MADE_UP.format(clause=excepted))
        told = ("--collect-only", "-q", "-n0", "-p", "made_up", "--project", home)
        path = os.pathsep.join([home, str(ROOT / "tests")])
        environment = {**os.environ, "PYTHONPATH": path}
        printed = run(PYTEST, *told, "tests/contract", cwd=ROOT, env=environment)
    lines = [line for line in printed.splitlines() if line.startswith("tests/contract/")]
    return frozenset(line.removeprefix("tests/contract/") for line in lines)


def test_a_clause_is_not_asked_where_it_is_excepted() -> None:
    """Of a test with parameters that is each of them, or the one that is named; nothing else."""
    silent, both = {f"{LOST}[given-paused]"}, {f"{LOST}[given-{how}]" for how in HOW}
    assert collected("sqlite") - collected("sqlite", LOST) == both
    assert collected("sqlite") - collected("sqlite", f"{LOST}[paused]") == silent
    assert collected("mariadb") == collected("mariadb", LOST)


@pytest.mark.parametrize("database", [*DATABASES, "pgbouncer"])
def test_what_holds_instead_is_asked(database: str) -> None:
    """Each row names two tests that there are; with its databases only the second one runs."""
    for row in EXCEPTED:
        elsewhere, here = (of(row.clause, collected(name)) for name in ("postgresql", database))
        assert elsewhere
        if database in row.databases:
            assert here == set()
            assert of(row.test, collected(database))


def of(named: str, asked: frozenset[str]) -> set[str]:
    """Return those of the tests that a row names: all of its parameters, or one."""
    name, _, parameters = named.replace("[", "[given-").partition("[")
    return {test for test in asked if test.startswith(f"{name}[{parameters}")}


def test_rules_of_one_database_are_asked_there_alone() -> None:
    test = "faults/test_database_url.py::test_postgres_is_a_scheme_too[given]"
    assert test in collected("postgresql")
    assert test not in collected("mariadb")
