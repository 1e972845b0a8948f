"""The file: who waits for whom, what its errors are, and a copy of it."""

import os
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from threading import Event, Thread

import pytest
from django.db import (
    DatabaseError,
    IntegrityError,
    OperationalError,
    ProgrammingError,
    connection,
    connections,
    transaction,
)
from django.db.models import CharField, Value

from accounts.models import User
from core.lookups import UnicodeCase
from core.sqlite.base import DatabaseWrapper
from core.sqlite.connections import check_writable
from tests.factories import new_user

pytestmark = pytest.mark.django_db(transaction=True)  # of which others are to wait

INSERT = "INSERT INTO django_session VALUES ('one', '', '')"
COUNT = "SELECT count(*) FROM django_session"


@pytest.fixture
def other() -> Iterator[DatabaseWrapper]:
    """Give another connection, which waits for nobody."""
    other: DatabaseWrapper = connections.create_connection("default")  # type: ignore[assignment]
    other.settings_dict = {**other.settings_dict, "STATEMENT": 0}
    yield other
    other.close()


def told(database: DatabaseWrapper, statement: str) -> list[tuple[object, ...]]:
    """Return the rows that a statement has."""
    with database.cursor() as cursor:
        cursor.execute(statement)
        return list(cursor.fetchall()) if cursor.description else []


class TestLocks:
    def test_who_reads_waits_for_nobody(self, other: DatabaseWrapper) -> None:
        with transaction.atomic():
            new_user("reader@example.org")

            assert told(other, "SELECT count(*) FROM accounts_user") == [(0,)]

    def test_nobody_waits_for_who_reads(self, other: DatabaseWrapper) -> None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1 FROM sqlite_schema")

            told(other, INSERT)

        assert told(other, COUNT) == [(1,)]

    def test_one_is_in_a_transaction_at_a_time(self, other: DatabaseWrapper) -> None:
        with transaction.atomic(), pytest.raises(OperationalError, match="database is locked"):
            told(other, INSERT)


class TestErrors:
    def test_a_statement_that_is_wrong_is_a_bug(self, other: DatabaseWrapper) -> None:
        with pytest.raises(ProgrammingError):
            told(other, "SELECT nothing FROM accounts_user")

    def test_a_file_that_is_not_there_is_lost_and_none_is_made(
        self, other: DatabaseWrapper, tmp_path: Path
    ) -> None:
        other.settings_dict["NAME"] = tmp_path / "nothing.db"

        with pytest.raises(OperationalError):
            told(other, COUNT)

        assert not [*tmp_path.iterdir()]
        with pytest.raises(sqlite3.Error):
            check_writable(other.get_connection_params()["database"])

    def test_a_damaged_file_is_lost(self, other: DatabaseWrapper, tmp_path: Path) -> None:
        other.settings_dict["NAME"] = tmp_path / "damaged.db"
        other.settings_dict["NAME"].write_bytes(b"no database" * 1000)

        with pytest.raises(OperationalError):
            told(other, COUNT)

    def test_a_full_disk_is_no_bug(self, other: DatabaseWrapper) -> None:
        told(other, "PRAGMA max_page_count = 1")

        with pytest.raises(OperationalError, match="full"):
            told(other, "CREATE TABLE more AS SELECT zeroblob(10000000) AS it")

    @pytest.mark.parametrize("rule", ["", "ON DELETE RESTRICT", "DEFERRABLE INITIALLY DEFERRED"])
    def test_a_commit_that_is_refused_names_the_reference_and_locks_nobody_out(
        self, other: DatabaseWrapper, rule: str
    ) -> None:
        user = new_user("reader@example.org")
        told(other, f"CREATE TABLE loans (user_id INTEGER REFERENCES accounts_user {rule})")
        told(other, "INSERT INTO loans SELECT id FROM accounts_user")

        with pytest.raises(IntegrityError) as refused, transaction.atomic():
            user.delete()

        told(other, "DROP TABLE loans")
        assert str(refused.value) == "FOREIGN KEY constraint failed: loans.user_id"
        assert User.objects.exists()

    def test_an_error_has_the_file_opened_anew(self, other: DatabaseWrapper) -> None:
        told(other, "PRAGMA query_only = ON")
        with pytest.raises(DatabaseError):
            told(other, INSERT)

        other.close_if_unusable_or_obsolete()

        told(other, INSERT)

    def test_that_somebody_writes_is_no_error(self, other: DatabaseWrapper) -> None:
        with transaction.atomic():
            check_writable(other.get_connection_params()["database"])


class TestTables:
    def test_case_is_that_of_every_alphabet(self) -> None:
        new_user("reader@example.org")
        for text, upper in (("straße жук", "STRASSE ЖУК"), (None, None)):
            users = User.objects.annotate(text=UnicodeCase(Value(text, CharField())))

            assert users.get().text == upper

    def test_a_value_has_the_type_of_its_column(self, other: DatabaseWrapper) -> None:
        with pytest.raises(IntegrityError, match="cannot store TEXT"):
            told(other, "INSERT INTO auth_permission VALUES (1, 'one', 'read', 'Can read')")

    def test_an_id_is_never_used_again(self) -> None:
        first = new_user("reader@example.org").pk
        User.objects.all().delete()

        assert new_user("reader@example.org").pk > first

    def test_all_are_strict(self, other: DatabaseWrapper) -> None:
        query = "SELECT name FROM pragma_table_list WHERE NOT strict AND name NOT LIKE 'sqlite%'"

        assert told(other, query) == []


class TestBackup:
    def backup(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "core.backup", *arguments],
            env={**os.environ, "DATABASE_URL": f"sqlite:///{connection.settings_dict['NAME']}"},
            capture_output=True,
            text=True,
            check=False,
        )

    def test_a_copy_is_whole_while_it_is_written_to(self, tmp_path: Path) -> None:
        target, stop, written = tmp_path / "copy.db", Event(), [0]

        def write() -> None:
            while not stop.is_set():
                new_user(f"reader{written[0]}@example.org")
                written[0] += 1
            connection.close()  # this thread's

        writer = Thread(target=write)
        writer.start()
        while written[0] < 10:
            assert writer.is_alive()
        before = written[0]
        done = self.backup(str(target))
        after = written[0]
        stop.set()
        writer.join()

        assert done.returncode == 0, done.stderr
        with closing(sqlite3.connect(target)) as copy:
            assert copy.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
            [(copied,)] = copy.execute("SELECT count(*) FROM accounts_user")
        assert before <= copied <= after + 1

    def test_a_later_copy_takes_the_place_of_an_earlier(self, tmp_path: Path) -> None:
        target = tmp_path / "copy.db"
        self.backup(str(target))
        new_user("reader@example.org")

        self.backup(str(target))

        with closing(sqlite3.connect(target)) as copy:
            assert copy.execute("SELECT count(*) FROM accounts_user").fetchall() == [(1,)]

    def test_what_is_wrong_is_told(self, tmp_path: Path) -> None:
        assert "Say where to" in self.backup().stderr
        nowhere = self.backup(str(tmp_path / "nowhere/copy.db"))
        assert nowhere.returncode == 1
        assert nowhere.stderr.startswith("The database cannot be copied to ")
