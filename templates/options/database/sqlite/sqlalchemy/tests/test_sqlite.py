"""The file: who waits for whom, what its errors are, and a copy of it."""

import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from threading import Event, Thread

import pytest
from alembic.migration import MigrationContext
from alembic.operations import Operations
from sqlalchemy import Connection, Engine, NullPool, create_engine, func, select, text
from sqlalchemy.exc import IntegrityError, OperationalError, ProgrammingError
from sqlalchemy.orm import Session

from app.dialect import arguments, url
from app.models import Base, User
from app.settings import settings
from app.sqlite import address, check_writable, path


def engine_of(mode: str = "rw") -> Engine:
    """Return an engine that waits for nobody."""
    return create_engine(url(mode), connect_args=arguments(timeout=0), poolclass=NullPool)


@pytest.fixture(autouse=True)
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give a file of the test's own, with the tables of the models."""
    monkeypatch.setattr(settings, "database_url", f"sqlite:///{tmp_path}/own.db")
    with engine_of("rwc").begin() as connection:
        Base.metadata.create_all(connection)
    return path()


@pytest.fixture
def one() -> Iterator[Connection]:
    with engine_of().connect() as connection:
        yield connection


@pytest.fixture
def other() -> Iterator[Connection]:
    with engine_of().connect() as connection:
        yield connection


def add(connection: Connection, email: str = "reader@example.org") -> User:
    with Session(connection, expire_on_commit=False) as session:
        user = User(email=email, password_hash="")
        session.add(user)
        session.flush()
        session.refresh(user)
        session.commit()
        return user


COUNT = select(func.count()).select_from(User)


class TestLocks:
    def test_who_reads_waits_for_nobody(self, one: Connection, other: Connection) -> None:
        one.execute(text("DELETE FROM users"))

        assert other.scalar(COUNT) == 0

    def test_nobody_waits_for_who_reads(self, one: Connection, other: Connection) -> None:
        one.scalar(COUNT)

        add(other)

        assert one.scalar(COUNT) == 1

    def test_one_writes_at_a_time(self, one: Connection, other: Connection) -> None:
        one.execute(text("DELETE FROM users"))

        with pytest.raises(OperationalError, match="database is locked"):
            add(other)

    def test_who_locks_a_row_is_the_only_one(self, one: Connection, other: Connection) -> None:
        locked = select(User).with_for_update()
        one.execute(locked)

        with pytest.raises(OperationalError, match="database is locked"):
            other.execute(locked)

    def test_a_savepoint_ends_with_its_transaction(self, one: Connection) -> None:
        with one.begin_nested():
            one.execute(text("INSERT INTO users (email, password_hash) VALUES ('', '')"))

        one.rollback()

        assert one.scalar(COUNT) == 0


class TestErrors:
    def test_a_statement_that_is_wrong_is_a_bug(self, one: Connection) -> None:
        with pytest.raises(ProgrammingError):
            one.execute(text("SELECT nothing FROM users"))

    def test_a_file_that_is_not_there_is_lost_and_none_is_made(self, file: Path) -> None:
        file.unlink()

        with pytest.raises(OperationalError):
            engine_of().connect()

        assert not file.exists()
        with pytest.raises(sqlite3.Error):
            check_writable(address())

    def test_a_damaged_file_is_lost(self, file: Path) -> None:
        file.write_bytes(b"no database" * 1000)

        with pytest.raises(OperationalError):
            engine_of().connect()

    def test_a_commit_that_is_refused_names_the_reference_and_locks_nobody_out(
        self, one: Connection, other: Connection
    ) -> None:
        reference = "REFERENCES users DEFERRABLE INITIALLY DEFERRED"
        one.execute(text(f"CREATE TABLE loans (user_id INTEGER {reference})"))
        one.execute(text("INSERT INTO loans VALUES (1)"))

        with pytest.raises(IntegrityError) as refused:
            one.commit()

        assert str(refused.value.orig) == "FOREIGN KEY constraint failed: loans.user_id"
        add(other)

    def test_a_full_disk_is_no_bug(self, one: Connection) -> None:
        one.exec_driver_sql("PRAGMA max_page_count = 1")

        with pytest.raises(OperationalError, match="full"):
            one.exec_driver_sql("CREATE TABLE more AS SELECT zeroblob(10000000) AS it")

    def test_a_file_that_takes_no_writes_is_opened_anew(self) -> None:
        with engine_of("ro").connect() as connection:
            with pytest.raises(OperationalError, match="readonly"):
                add(connection)

            assert connection.invalidated

    def test_that_somebody_writes_is_no_error(self, one: Connection) -> None:
        one.execute(text("DELETE FROM users"))

        check_writable(address())


class TestTables:
    def test_case_is_that_of_every_alphabet(self, one: Connection) -> None:
        assert one.scalar(select(func.unicode_upper("straße жук"))) == "STRASSE ЖУК"
        assert one.scalar(select(func.unicode_upper(None))) is None

    def test_a_value_has_the_type_of_its_column(self, one: Connection) -> None:
        statement = "INSERT INTO users (id, email, password_hash) VALUES ('one', '', '')"

        with pytest.raises(IntegrityError):
            one.execute(text(statement))

    def test_an_id_is_never_used_again(self, one: Connection) -> None:
        first = add(one).id
        one.execute(text("DELETE FROM users"))

        assert add(one).id > first

    def test_a_table_that_is_made_anew_is_of_the_same_kind(self, one: Connection) -> None:
        with Operations(MigrationContext.configure(one)).batch_alter_table("users") as users:
            users.create_unique_constraint("uq_users_created_at", ["created_at"])

        query = "SELECT sql FROM sqlite_schema WHERE name = 'users'"
        made: str = one.execute(text(query)).scalar_one()
        assert "AUTOINCREMENT" in made
        assert "STRICT" in made

    def test_a_time_is_the_same_wherever_it_was_told(self, one: Connection) -> None:
        before = datetime.now(UTC) - timedelta(seconds=1)
        user = add(one)
        assert before < user.created_at < before + timedelta(seconds=30)
        told = datetime(2026, 1, 1, 5, 30, 0, 123456, tzinfo=timezone(timedelta(hours=5.5)))

        with Session(one) as session:
            session.add(user)
            user.created_at = told
            session.commit()
            session.refresh(user)

            assert user.created_at == told
            assert user.created_at.tzinfo is UTC


class TestBackup:
    def backup(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "app.backup", *arguments]
        environment = {"DATABASE_URL": settings.database_url}
        return subprocess.run(
            ["/usr/bin/env", *[f"{name}={value}" for name, value in environment.items()], *command],
            capture_output=True,
            text=True,
            check=False,
        )

    def test_a_copy_is_whole_while_it_is_written_to(self, tmp_path: Path, one: Connection) -> None:
        target, stop, written = tmp_path / "copy.db", Event(), [0]

        def write() -> None:
            with engine_of().connect() as connection:
                while not stop.is_set():
                    add(connection, f"reader{written[0]}@example.org")
                    connection.commit()
                    written[0] += 1

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
            [(copied,)] = copy.execute("SELECT count(*) FROM users")
        assert before <= copied <= after

    def test_a_later_copy_takes_the_place_of_an_earlier(
        self, tmp_path: Path, one: Connection
    ) -> None:
        target = tmp_path / "copy.db"
        self.backup(str(target))
        add(one)
        one.commit()

        self.backup(str(target))

        with closing(sqlite3.connect(target)) as copy:
            assert copy.execute("SELECT count(*) FROM users").fetchall() == [(1,)]

    def test_what_is_wrong_is_told(self, tmp_path: Path) -> None:
        assert "Say where to" in self.backup().stderr
        nowhere = self.backup(str(tmp_path / "nowhere/copy.db"))
        assert nowhere.returncode == 1
        assert nowhere.stderr.startswith("The database cannot be copied to ")
