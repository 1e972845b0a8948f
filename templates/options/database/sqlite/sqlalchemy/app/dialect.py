"""What SQLAlchemy has to be told of SQLite: types, transactions, and what errors mean."""

import sqlite3
from typing import Any

from sqlalchemy import (
    JSON,
    URL,
    BigInteger,
    Boolean,
    Connection,
    Date,
    DateTime,
    Double,
    Engine,
    Enum,
    String,
    Table,
    Uuid,
    event,
    exc,
)
from sqlalchemy.engine import ExceptionContext
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.expression import GenerativeSelect
from sqlalchemy.sql.functions import now

from app import sqlite

# For each table: values have the type of their column, and no id is ever used again.
STRICT = {"sqlite_strict": True, "sqlite_autoincrement": True}

# Of which types those columns are (https://www.sqlite.org/stricttables.html).
for _text in (Date, DateTime, Enum, JSON, String, Uuid):
    compiles(_text, "sqlite")(lambda *_, **__: "TEXT")
for _integer in (BigInteger, Boolean):
    compiles(_integer, "sqlite")(lambda *_, **__: "INTEGER")
compiles(Double, "sqlite")(lambda *_, **__: "REAL")

# Which reference is broken: that which is so once the check of it is put off.
BROKEN = """
SELECT broken."table" || '.' || reference."from"
FROM pragma_foreign_key_check AS broken
JOIN pragma_foreign_key_list(broken."table") AS reference ON reference.id = broken.fkid
"""


def url(mode: str = "rw", driver: str = "pysqlite") -> URL:
    """Return where an engine connects to: a file that is there, or with `rwc` a new one."""
    query = {"mode": mode, "uri": "true"}
    return URL.create(f"sqlite+{driver}", database=sqlite.path().as_uri(), query=query)


def arguments(timeout: int = sqlite.TIMEOUT) -> dict[str, Any]:
    """Return how an engine connects; a statement waits so many seconds for others that write."""
    # Without a level of its own, the driver leaves it to `_begin` when a transaction begins.
    return {"factory": sqlite.Connection, "isolation_level": None, "timeout": timeout}


@compiles(now, "sqlite")
def _now(*_: Any, **__: Any) -> str:
    """Return the time as SQLAlchemy stores it; SQLite's clock has milliseconds."""
    return "strftime('%Y-%m-%d %H:%M:%f000', 'now')"


@event.listens_for(Table, "before_create")
def _keep_ids(table: Table, *_: Any, **__: Any) -> None:
    """Have no id used again in a table that a migration makes anew either."""
    table.dialect_options["sqlite"]["autoincrement"] = True


@event.listens_for(Engine, "before_execute")
def _begin(connection: Connection, statement: Any, *_: Any) -> None:
    """Begin a transaction, and lock the file, before what writes or locks a row.

    Who only reads is in no transaction, and waits for nobody. Begun with a read, one could not go
    on to write after somebody else has: hence IMMEDIATE.
    """
    reads = isinstance(statement, GenerativeSelect) and statement._for_update_arg is None
    driver: Any = connection.connection.driver_connection
    if not reads and not driver.in_transaction:
        connection.exec_driver_sql("BEGIN IMMEDIATE")


@event.listens_for(Engine, "handle_error")
def _classify(context: ExceptionContext) -> Exception | None:
    """Have an error tell what it is: a bug, a file that is of no use, a broken reference."""
    error = context.original_exception
    told = context.statement, context.parameters, error
    if sqlite.is_bug(error):
        return exc.ProgrammingError(*told)
    if sqlite.is_of_no_use(error):
        context.is_disconnect = True  # another connection may find the file mended
        return exc.OperationalError(*told)
    if str(error) == "FOREIGN KEY constraint failed":
        _name_reference(context)
    return None


def _name_reference(context: ExceptionContext) -> None:
    """Have the error name the column, as SQLite does for what must be unique."""
    error: Any = context.original_exception
    connection: Any = context.connection
    cursor = connection.connection.cursor()
    if context.statement is None:  # COMMIT, which leaves the transaction as it is
        cursor.execute(BROKEN)
        error.args = (f"{error}: {cursor.fetchone()[0]}",)
        cursor.close()
        connection.connection.rollback()
        return
    try:
        cursor.execute("SAVEPOINT reference")
        cursor.execute("PRAGMA defer_foreign_keys = ON")
        cursor.execute(context.statement, context.parameters)
        cursor.execute(BROKEN)
        error.args = (f"{error}: {cursor.fetchone()[0]}",)
    except sqlite3.Error:  # which cannot be put off, such as RESTRICT: it stays without a name
        pass
    finally:
        cursor.execute("ROLLBACK TO reference")
        cursor.execute("RELEASE reference")
        cursor.execute("PRAGMA defer_foreign_keys = OFF")
        cursor.close()
