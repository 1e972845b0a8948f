"""The migrations: up, down, and in step with the models."""

from collections.abc import Iterator

import pytest
import structlog
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import NullPool, create_engine, inspect

from app.models import Base
from app.postgresql import connect

HISTORY = ScriptDirectory.from_config(Config("alembic.ini"))
REVISIONS = [script.revision for script in HISTORY.walk_revisions()]


@pytest.fixture
def config() -> Iterator[Config]:
    config, logs = Config("alembic.ini"), structlog.get_config()
    yield config
    command.upgrade(config, "head")  # for the tests to come, whatever happened
    structlog.configure(**logs)


engine = create_engine("postgresql://", creator=connect, poolclass=NullPool)


def tables() -> set[str]:
    return set(inspect(engine).get_table_names()) - {"alembic_version"}


def test_the_models_ask_for_no_further_migration(config: Config) -> None:
    command.check(config)


def test_every_migration_can_be_undone_and_redone(config: Config) -> None:
    command.downgrade(config, "base")
    assert tables() == set()

    command.upgrade(config, "head")
    assert tables() == set(Base.metadata.tables)


def test_migrations_can_be_written_as_sql(
    config: Config, capsys: pytest.CaptureFixture[str]
) -> None:
    command.upgrade(config, "head", sql=True)

    assert "CREATE TABLE users" in capsys.readouterr().out


@pytest.mark.parametrize("revision", REVISIONS)
def test_a_database_that_stopped_at_any_revision_is_brought_forward(
    config: Config, revision: str
) -> None:
    command.downgrade(config, "base")
    command.upgrade(config, revision)

    command.upgrade(config, "head")
    command.check(config)
