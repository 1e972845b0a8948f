"""A catalogue without an end, which keeps whoever counts it."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager

from app.sqlite import path

BEGIN = """
BEGIN IMMEDIATE;
ALTER TABLE books RENAME TO held;
CREATE VIEW books AS
    WITH RECURSIVE endless(id) AS (SELECT 1 UNION ALL SELECT id + 1 FROM endless)
    SELECT id, '' AS author, '' AS publication_date FROM endless;
COMMIT;
"""
END = """
BEGIN IMMEDIATE;
DROP VIEW books;
ALTER TABLE held RENAME TO books;
COMMIT;
"""


@contextmanager
def endless_catalogue() -> Iterator[None]:
    """Have whoever reads the books never come to their end."""
    with closing(sqlite3.connect(path(), timeout=30)) as database:
        database.executescript(BEGIN)
        yield
        database.executescript(END)
