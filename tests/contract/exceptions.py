"""Where a database cannot keep a clause of the contract: why, and what holds instead.

A clause is a test. With a database that is excepted another test runs in its place, so there is
none that only skips. `docs/databases.md` shows the table: `make docs`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Excepted:
    """A clause that some databases do not keep."""

    clause: str
    """The test that holds it elsewhere: `faults/test_feed.py::test_name`, also `[parameters]`."""
    databases: tuple[str, ...]
    reason: str
    """What the server does, or cannot do; not what we have left out."""
    test: str
    """The test that holds what holds instead; its docstring is what the docs say."""

    def covers(self, test: str, parameters: str, database: str) -> bool:
        """Tell whether a test is this clause, and the database is excepted from it."""
        return database in self.databases and self.clause in {test, f"{test}[{parameters}]"}


EXCEPTED: list[Excepted] = []


def is_excepted(
    test: str, parameters: str, database: str, table: Sequence[Excepted] = EXCEPTED
) -> bool:
    """Tell whether another test runs in the place of this one with a database."""
    return any(row.covers(test, parameters, database) for row in table)
