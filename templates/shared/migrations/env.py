"""Runs the migrations against the database that the settings name."""

from alembic import context
from sqlalchemy import NullPool, create_engine

from app.logs import configure_logging
from app.models import Base
from app.settings import settings

configure_logging(settings.log_level, readable=settings.environment == "development")

if context.is_offline_mode():
    context.configure(url=settings.database_url, target_metadata=Base.metadata, literal_binds=True)
    with context.begin_transaction():
        context.run_migrations()
else:
    with create_engine(settings.database_url, poolclass=NullPool).connect() as connection:
        context.configure(connection=connection, target_metadata=Base.metadata)
        with context.begin_transaction():
            context.run_migrations()
