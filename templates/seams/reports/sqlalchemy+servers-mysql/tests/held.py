"""What keeps a worker in mid-report."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

from sqlalchemy import text

from app.tasks import engine

CHANGE = text("ALTER TABLE books COMMENT = ''")  # is no change, but waits as one does
WAITING = text(
    "SELECT count(*) FROM information_schema.processlist"
    " WHERE info LIKE 'ALTER TABLE%' AND state LIKE 'Waiting for%lock%'"
)


@contextmanager
def books_held() -> Iterator[None]:
    """Have whoever reads books wait: for a change of the table, which waits for a reader.

    `LOCK TABLES` locks in MySQL what a table references as well.
    """
    with ThreadPoolExecutor(1) as pool, engine.connect() as reader:
        reader.execute(text("SELECT 1 FROM books"))
        pool.submit(change_books)
        while not reader.scalar(WAITING):
            time.sleep(0.01)
        yield


def change_books() -> None:
    with engine.begin() as connection:
        connection.execute(CHANGE)
