"""A catalogue without an end, which keeps whoever counts it."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager

from django.db import connection

BEGIN = """
BEGIN IMMEDIATE;
ALTER TABLE books_book RENAME TO held;
CREATE VIEW books_book AS
    WITH RECURSIVE endless(id) AS (SELECT 1 UNION ALL SELECT id + 1 FROM endless)
    SELECT id, '' AS author, '' AS publication_date FROM endless;
COMMIT;
"""
END = """
BEGIN IMMEDIATE;
DROP VIEW books_book;
ALTER TABLE held RENAME TO books_book;
COMMIT;
"""


@contextmanager
def endless_catalogue() -> Iterator[None]:
    """Have whoever reads the books never come to their end."""
    with closing(sqlite3.connect(connection.settings_dict["NAME"], timeout=30)) as database:
        database.executescript(BEGIN)
        yield
        database.executescript(END)
