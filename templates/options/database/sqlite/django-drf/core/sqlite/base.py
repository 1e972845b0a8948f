"""Django's backend for SQLite: strict tables, and errors that tell what they are."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from django.db import OperationalError, ProgrammingError, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.sqlite3 import base, features, schema
from django.db.utils import DatabaseErrorWrapper
from django.utils.functional import cached_property

from core.sqlite.connections import TIMEOUT, is_bug, is_of_no_use

RELEASE = 600  # seconds that a release waits for another one

# What Django's names of types begin with, and what those of a strict table are; all else is text.
TYPES = {
    "BLOB": "BLOB",
    "bigint": "INTEGER",
    "bool": "INTEGER",
    "decimal": "REAL",
    "integer": "INTEGER",
    "real": "REAL",
    "smallint": "INTEGER",
}

BROKEN_REFERENCE = "FOREIGN KEY constraint failed"

# Which reference is broken, while the check of it is put off.
BROKEN = """
SELECT broken."table" || '.' || reference."from"
FROM pragma_foreign_key_check AS broken
JOIN pragma_foreign_key_list(broken."table") AS reference ON reference.id = broken.fkid
"""


def _strict(name: object) -> str:
    """Return the type of a column for Django's name of it, which may be a function."""
    return next((to for start, to in TYPES.items() if str(name).startswith(start)), "TEXT")


class SchemaEditor(schema.DatabaseSchemaEditor):
    """Makes tables whose values have the type of their column."""

    # https://www.sqlite.org/stricttables.html
    sql_create_table = "CREATE TABLE %(table)s (%(definition)s) STRICT"


class Features(features.DatabaseFeatures):
    """What Django may rely on."""

    supports_json_field = True  # or it would ask the file, which `migrate` has yet to make


class ErrorWrapper(DatabaseErrorWrapper):
    """Has an error tell what it is: a bug, a file that is of no use, a broken reference."""

    wrapper: "DatabaseWrapper"

    def __exit__(self, kind: Any, error: Any, traceback: Any) -> None:
        """Raise Django's error for one of the driver's."""
        if is_bug(error):
            raise ProgrammingError(*error.args) from error
        if is_of_no_use(error):
            self.wrapper.errors_occurred = True
            raise OperationalError(*error.args) from error
        if str(error) == BROKEN_REFERENCE:
            name_reference(self.wrapper.connection, error)
        super().__exit__(kind, error, traceback)


def name_reference(connection: sqlite3.Connection, error: sqlite3.Error) -> None:
    """Have the error name the column, as SQLite does for what must be unique."""
    if broken := connection.execute(BROKEN).fetchone():
        error.args = (f"{BROKEN_REFERENCE}: {broken[0]}",)


class DatabaseWrapper(base.DatabaseWrapper):
    """Opens a file that is there, and writes to it as the only one."""

    SchemaEditorClass = SchemaEditor
    features_class = Features
    data_types = {name: _strict(kind) for name, kind in base.DatabaseWrapper.data_types.items()}

    def get_connection_params(self) -> dict[str, Any]:
        """Return how to connect: where there is no file, an empty one would be of no use."""
        file = Path(self.settings_dict["NAME"]).absolute()
        timeout = self.settings_dict.get("STATEMENT", TIMEOUT)
        parameters = super().get_connection_params()
        return {**parameters, "database": f"{file.as_uri()}?mode=rw", "timeout": timeout}

    def is_usable(self) -> bool:
        """Have a connection that had an error be replaced: the file may be another one by now."""
        return False

    @cached_property
    def wrap_database_errors(self) -> ErrorWrapper:
        """Raise Django's errors."""
        return ErrorWrapper(self)

    def _start_transaction_under_autocommit(self) -> None:
        super()._start_transaction_under_autocommit()  # type: ignore[misc]
        # So that it is known at the commit which reference is broken: see `name_reference`.
        self.cursor().execute("PRAGMA defer_foreign_keys = ON")


@contextmanager
def one_at_a_time(database: BaseDatabaseWrapper) -> Iterator[None]:
    """Have all migrations in one transaction, which nobody else is in: others wait for it."""
    database.close()
    Path(database.settings_dict["NAME"]).touch()
    database.settings_dict["STATEMENT"] = RELEASE
    try:
        # SQLite changes a table by making another: with the old one its references would go.
        with database.constraint_checks_disabled(), transaction.atomic(using=database.alias):
            yield
    finally:
        del database.settings_dict["STATEMENT"]
        database.close()
