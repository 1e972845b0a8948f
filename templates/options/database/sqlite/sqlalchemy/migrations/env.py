"""Runs the migrations against the database that the settings name."""

from typing import Any, Literal

from alembic import context
from sqlalchemy import NullPool, create_engine

from app.dialect import arguments, url
from app.logs import configure_logging
from app.models import Base, UtcDateTime
from app.settings import settings

TIMEOUT = 600  # seconds that a release waits for another one

configure_logging(settings.log_level, readable=settings.environment == "development")


def render_item(kind: str, item: Any, _: object) -> str | Literal[False]:
    """Have a new migration name SQLAlchemy's own type where models have one of theirs."""
    return "sa.DateTime()" if kind == "type" and isinstance(item, UtcDateTime) else False


if context.is_offline_mode():
    context.configure(dialect_name="sqlite", target_metadata=Base.metadata, literal_binds=True)
    with context.begin_transaction():
        context.run_migrations()
else:
    engine = create_engine(url("rwc"), connect_args=arguments(TIMEOUT), poolclass=NullPool)
    with engine.begin() as connection:
        # SQLite changes a table by making another: with the old one its references would go.
        connection.exec_driver_sql("PRAGMA foreign_keys = OFF")
        connection.exec_driver_sql("BEGIN IMMEDIATE")  # all of them, or none
        context.configure(
            connection=connection,
            target_metadata=Base.metadata,
            render_as_batch=True,
            render_item=render_item,
        )
        with context.begin_transaction():
            context.run_migrations()
        if broken := connection.exec_driver_sql("PRAGMA foreign_key_check").first():
            raise RuntimeError(f"a migration leaves a row of {broken[0]} with a broken reference")
