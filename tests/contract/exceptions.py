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
    """By the answer to `database`; or what stands in front of one."""
    reason: str
    """What the server does, or cannot do; not what we have left out."""
    test: str
    """The test that holds what holds instead; its docstring is what the docs say."""

    def covers(self, test: str, parameters: str, database: str) -> bool:
        """Tell whether a test is this clause, and the database is excepted from it."""
        return database in self.databases and self.clause in {test, f"{test}[{parameters}]"}


NO_SERVER = (
    "There is no server that could be lost or silent: the file is there as long as its disk is."
)
IN_USE = "faults/test_file.py::test_while_another_writes_for_long_a_write_is_503_and_reads_go_on"
NOT_THERE = "faults/test_file.py::test_a_file_that_is_not_there_is_503_until_it_is"
WAITS = "faults/test_file.py::test_a_report_waits_until_it_can_be_written"
KEPT = (
    "PgBouncer keeps sessions of the server as they began, for an hour at most: a read-only one"
    " stays read-only."
)
REFUSED = (
    "While PgBouncer does not reach the server it refuses whoever connects, and tries again once a"
    " second, when somebody does."
)
FOUND = "faults/test_pooler.py::test_a_server_that_is_back_is_found_within_a_second"
ALTERED = "A table takes no further constraint, and a trigger changes a row once it is there."
FILE = "test_file_constraints.py"


def _instead(test: str, *clauses: str) -> list[Excepted]:
    return [Excepted(f"faults/{clause}", ("sqlite",), NO_SERVER, test) for clause in clauses]


EXCEPTED: list[Excepted] = [
    *_instead(
        NOT_THERE,
        "test_database_lost.py::test_without_the_database_requests_are_503",
        "test_database_lost.py::test_a_lost_database_is_what_the_document_says",
        "test_database_lost.py::test_a_lost_database_is_not_ready",
        "test_database_lost.py::test_with_everything_lost_it_is_alive_and_says_what_fails",
        "test_database_lost.py::test_a_database_that_is_back_is_used_by_every_process",
        "test_database_lost.py::test_a_database_lost_in_mid_request_is_503",
        "test_database_lost.py::test_a_lost_database_tells_no_secret_to_the_log",
        "test_database_read_only.py::test_a_service_that_cannot_write_is_not_ready",
        "test_database_frozen.py::test_release_gives_a_silent_database_up",
    ),
    *_instead(
        IN_USE,
        "test_database_read_only.py::test_a_write_without_a_primary_is_503",
        "test_database_frozen.py::test_a_request_gives_a_silent_connection_up",
    ),
    *_instead(
        WAITS,
        "test_database_lost.py::test_a_report_survives_a_lost_database",
        "test_database_read_only.py::test_a_report_waits_until_it_can_be_written",
        "test_database_frozen.py::test_a_worker_gives_silent_connections_up",
    ),
    *[
        Excepted(f"test_constraints.py::{clause}", ("sqlite",), ALTERED, f"{FILE}::{test}")
        for clause, test in (
            (
                "test_a_reference_to_nothing_is_not_valid",
                "test_a_new_column_that_refers_to_nothing_is_not_valid",
            ),
            ("test_any_other_constraint_is_a_bug", "test_what_a_trigger_refuses_is_a_bug"),
            (
                "test_what_a_write_answers_is_what_is_stored",
                "test_what_a_write_answers_is_what_a_trigger_has_stored",
            ),
        )
    ],
    *[
        Excepted(f"faults/test_database_lost.py::{clause}", ("pgbouncer",), REFUSED, FOUND)
        for clause in (
            "test_without_the_database_requests_are_503[killed]",
            "test_a_lost_database_is_what_the_document_says",
            "test_a_database_that_is_back_is_used_by_every_process[killed]",
        )
    ],
    Excepted(
        clause="faults/test_database_lost.py::test_a_report_survives_a_lost_database",
        databases=("pgbouncer",),
        reason=REFUSED,
        test="faults/test_pooler.py::test_a_report_survives_a_server_that_is_found_again",
    ),
    *[
        Excepted(
            clause=f"faults/test_database_read_only.py::{clause}[read_only_sessions]",
            databases=("pgbouncer",),
            reason=KEPT,
            test=f"faults/test_pooler.py::{test}",
        )
        for clause, test in (
            (
                "test_a_write_without_a_primary_is_503",
                "test_a_session_that_began_read_only_lasts_as_long_as_the_pooler",
            ),
            (
                "test_a_service_that_cannot_write_is_not_ready",
                "test_a_session_that_began_read_only_lasts_as_long_as_the_pooler",
            ),
            ("test_a_report_waits_until_it_can_be_written", "test_a_report_waits_for_the_pooler"),
        )
    ],
    Excepted(
        clause="test_constraints.py::test_a_row_in_use_is_not_deleted[at the commit]",
        databases=("mysql", "mariadb"),
        reason="InnoDB checks a reference with each statement, and knows none that waits.",
        test="test_constraints.py::test_a_row_in_use_is_found_out_by_the_statement",
    ),
    Excepted(
        clause="test_feed.py::test_who_has_heard_of_a_change_reads_it",
        databases=("sqlite",),
        reason="A commit takes a moment there, and nothing holds it up for longer.",
        test="test_feed.py::test_a_change_that_a_trigger_refuses_is_not_sent",
    ),
    Excepted(
        clause="test_feed.py::test_a_change_that_cannot_be_committed_is_not_sent",
        databases=("sqlite",),
        reason="At the commit nothing fails but a reference, which is not the service's mistake.",
        test="test_feed.py::test_a_change_that_a_trigger_refuses_is_not_sent",
    ),
    Excepted(
        clause="test_feed.py::test_a_change_that_cannot_be_committed_is_not_sent",
        databases=("mysql", "mariadb"),
        reason="InnoDB checks all that it checks with each statement, and nothing at the commit.",
        test="test_feed.py::test_a_change_that_a_trigger_refuses_is_not_sent",
    ),
    Excepted(
        clause="test_listing.py::test_case_is_as_unicode_has_it[\\ufb01n-FIN]",
        databases=("mysql", "mariadb"),
        reason="Its upper case of a letter is one letter, whatever the collation.",
        test="test_listing.py::test_a_letter_of_several_capitals_is_found_as_it_is",
    ),
]


def is_excepted(
    test: str, parameters: str, database: str, table: Sequence[Excepted] = EXCEPTED
) -> bool:
    """Tell whether another test runs in the place of this one with a database."""
    return any(row.covers(test, parameters, database) for row in table)
