"""The database: one engine a process, and a session for each request."""

from collections.abc import AsyncIterator
from typing import Any

import psycopg
from psycopg.pq import TransactionStatus
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine

from app.settings import settings

TIMEOUT = 5  # seconds

# Times come back in UTC whatever the server's own time zone.
CONNECT_ARGS = {"options": "-c timezone=utc", "connect_timeout": 3}


class Connection(psycopg.AsyncConnection[Any]):
    """A connection that gives a silent server up, which no timeout of the server's own does."""

    async def wait(self, *args: Any, **kwargs: Any) -> Any:
        """Wait for an answer; raise `psycopg.OperationalError` and close when none comes."""
        try:
            return await super().wait(*args, **{"timeout": TIMEOUT, **kwargs})
        except psycopg.OperationalError:
            if self.pgconn.transaction_status == TransactionStatus.ACTIVE:
                self.pgconn.finish()
            raise


engine = create_async_engine(
    settings.database_url,
    connect_args={**CONNECT_ARGS, "async_creator_fn": Connection.connect},
    pool_pre_ping=True,
    pool_timeout=TIMEOUT,
)
Session = async_sessionmaker(engine, expire_on_commit=False)


async def get_session() -> AsyncIterator[AsyncSession]:
    """Yield a session for the request; what is not committed is rolled back."""
    async with Session() as session:
        yield session
