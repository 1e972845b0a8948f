"""The database: one engine a process, and sessions on its connections."""

from collections.abc import AsyncIterator

from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine

from app.settings import settings

# Times come back in UTC whatever the server's own time zone; an unreachable server is
# given up on before a client would give up on us.
CONNECT_ARGS = {"options": "-c timezone=utc", "connect_timeout": 3}

engine = create_async_engine(
    settings.database_url,
    connect_args=CONNECT_ARGS,
    pool_pre_ping=True,
    pool_timeout=5,
)
Session = async_sessionmaker(engine, expire_on_commit=False)


async def get_session() -> AsyncIterator[AsyncSession]:
    """Yield a session for the request; what is not committed is rolled back."""
    async with Session() as session:
        yield session
