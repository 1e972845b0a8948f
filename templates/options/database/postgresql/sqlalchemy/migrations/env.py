"""Runs the migrations against the database that the settings name."""

from alembic import context
from sqlalchemy import NullPool, create_engine

from app.logs import configure_logging
from app.models import Base
from app.postgresql import TIMEOUT, connect, one_at_a_time
from app.settings import settings

configure_logging(settings.log_level, readable=settings.environment == "development")

if context.is_offline_mode():
    context.configure(dialect_name="postgresql", target_metadata=Base.metadata, literal_binds=True)
    with context.begin_transaction():
        context.run_migrations()
else:
    engine = create_engine("postgresql://", creator=connect, poolclass=NullPool)
    with one_at_a_time(connect(TIMEOUT)), engine.connect() as connection:
        context.configure(connection=connection, target_metadata=Base.metadata)
        with context.begin_transaction():
            context.run_migrations()
