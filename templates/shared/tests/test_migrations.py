"""The migrations: up, down, and in step with the models."""

from collections.abc import Iterator

import pytest
import structlog
from alembic import command
from alembic.config import Config
from sqlalchemy import NullPool, create_engine, inspect, text

from app.models import Base
from app.postgresql import connect


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


def test_addresses_of_before_are_found_again(config: Config) -> None:
    """Two spellings of one address were two accounts: one of them has it from now on."""
    command.downgrade(config, "0001")
    before = ["ada@bücher.example", "ada@bu\u0308cher.example", "zoé@example.org", "ada@shop.local"]
    rows = [{"email": email} for email in before]
    with engine.begin() as connection:
        connection.execute(
            text("INSERT INTO users (email, password_hash) VALUES (:email, '')"), rows
        )

    command.upgrade(config, "head")

    with engine.begin() as connection:
        found = connection.scalars(text("SELECT email FROM users ORDER BY id")).all()
        connection.execute(text("TRUNCATE users CASCADE"))
    assert found == ["ada@xn--bcher-kva.example", *before[1:]]
