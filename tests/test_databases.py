"""The databases that tests of the contract run on: what each of them is asked it can."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from contract.databases import DATABASES, Database, proxied
from contract.databases.database import in_utc
from contract.processes import Process, until

SERVERS = [name for name in DATABASES if name != "sqlite"]
NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
TABLES = [
    "CREATE TABLE books (id int PRIMARY KEY, title varchar(200))",
    "CREATE TABLE users (id int PRIMARY KEY, email varchar(200))",
    "CREATE TABLE tokens (id int PRIMARY KEY, expires_at {time})",
    "INSERT INTO books VALUES (1, 'Kindred'), (2, 'Dawn')",
    "INSERT INTO users VALUES (1, 'a@example.org')",
    "INSERT INTO tokens VALUES (1, '2026-03-01 12:00:00.000000{zone}')",
]
TIME = {"postgresql": "timestamptz", "sqlite": "text"}


@pytest.fixture(scope="module")
def database(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Database]:
    """Run a database with a few rows."""
    made = DATABASES[request.param](tmp_path_factory.mktemp("database"))
    made.start()
    told = {
        "time": TIME.get(request.param, "datetime(6)"),
        "zone": "+00" if request.param == "postgresql" else "",
    }
    url = made.create_database()
    for statement in TABLES:
        made.execute(statement.format(**told), url=url)
    yield made
    made.stop()


each = pytest.mark.parametrize("database", DATABASES, indirect=True, scope="module")
each_server = pytest.mark.parametrize("database", SERVERS, indirect=True, scope="module")


@each
def test_rows_are_told_as_text(database: Database) -> None:
    """Of the tables by a part of their name, whatever is in them."""
    assert database.rows("book") == ["(1, 'Kindred')", "(2, 'Dawn')"]
    assert len(database.rows()) == 4


@each
def test_a_column_is_away_for_a_while(database: Database) -> None:
    with database.renamed("book", "title", "once"):
        [*_, (_, name)] = [column for column in database.columns() if "books" in column[0]]
        assert name == "once"
    [table] = database.tables("book", "title")
    assert database.execute(f"SELECT title FROM {table} WHERE id = %s", 2) == [("Dawn",)]


@each
def test_an_address_is_another(database: Database) -> None:
    database.store_email("b@example.org", of="a@example.org")
    database.store_email("a@example.org", of="b@example.org")
    assert database.rows("user") == ["(1, 'a@example.org')"]


@each
def test_time_moves_for_tokens(database: Database) -> None:
    """Whatever the time zone of the server, and back to the same moment."""
    for by in (timedelta(days=7, minutes=5), timedelta(days=-7, minutes=-5)):
        before = expiry(database)
        database.age_tokens(by)
        assert expiry(database) == before - by
    assert expiry(database) == NOON


def expiry(database: Database) -> datetime:
    [table] = database.tables("token")
    [(value,)] = database.execute(f"SELECT expires_at FROM {table}")
    return in_utc(value)


@each_server
def test_who_reads_what_is_locked_waits(database: Database) -> None:
    """It is counted, and it can be ended."""
    with ThreadPoolExecutor(2) as pool:
        with database.locked("book"):
            reads = [pool.submit(database.rows, "book") for _ in range(2)]
            until(lambda: database.waiting() == 2, within=20, failing="nobody waits")
        assert [len(read.result()) for read in reads] == [2, 2]
        with database.locked("book"):
            read = pool.submit(database.rows, "book")
            until(database.waiting, within=20, failing="nobody waits")
            database.end_waiting()
            assert read.exception(timeout=5)
        assert database.waiting() == 0


@each_server
def test_nobody_makes_a_table_for_a_while(database: Database) -> None:
    url = database.create_database("later")
    with ThreadPoolExecutor(1) as pool:
        with database.without_new_tables(url):
            before = database.sessions(url)
            made = pool.submit(database.execute, "CREATE TABLE late (id int)", url=url)
            until(lambda: database.sessions(url) > before, within=20, failing="nobody connects")
            time.sleep(0.2)
            assert not made.done()
        made.result(timeout=5)


@each_server
@pytest.mark.parametrize("how", ["read_only_sessions", "read_only"])
def test_it_takes_no_writes_for_a_while(database: Database, how: str) -> None:
    write = "UPDATE books SET title = 'Dawn' WHERE id = 2"
    with getattr(database, how)():
        with pytest.raises(Exception, match=r"(?i)read.only"):
            database.execute(write, url=database.url)
        assert database.execute("SELECT count(*) FROM books", url=database.url) == [(2,)]
    database.execute(write, url=database.url)


@each_server
def test_nobody_sees_for_a_while_what_is_committed(database: Database) -> None:
    change, changed = "UPDATE books SET title = %s WHERE id = 2", "(2, 'Fledgling')"
    with ThreadPoolExecutor(1) as pool, database.slow_commits("book"):
        began = time.monotonic()
        write = pool.submit(database.execute, change, "Fledgling")
        until(lambda: changed in database.rows("book"), within=5, failing="nobody sees it")
        assert time.monotonic() - began >= 0.5
        write.result(timeout=5)
    database.execute(change, "Dawn")


@each
def test_every_change_of_a_table_is_refused_for_a_while(database: Database) -> None:
    before = database.rows("book")
    with database.refusing("book"):
        for change in (
            "INSERT INTO books VALUES (3, 'Fledgling')",
            "UPDATE books SET title = 'Fledgling' WHERE id = 1",
            "DELETE FROM books WHERE id = 2",
        ):
            with pytest.raises(Exception, match=r"at_commit|FOREIGN KEY|1644"):
                database.execute(change)
        assert database.rows("book") == before


@each_server
def test_a_server_is_lost_and_comes_back(database: Database, tmp_path: Path) -> None:
    """Killed, ended while a table is locked, and silent behind a proxy: its rows stay."""
    assert isinstance(database, Process)
    with database.locked("book"):
        database.kill()
    database.start()
    with database.locked("book") as holder:
        database.keep(holder)
        database.stop()
    database.start()
    with proxied(database, tmp_path) as proxy, ThreadPoolExecutor(1) as pool:
        with proxy.paused():
            read = pool.submit(database.execute, "SELECT count(*) FROM books", url=proxy.url)
            time.sleep(0.2)
            assert not read.done()
        assert read.result(timeout=5) == [(2,)]
