"""The migrations: up, down, and in step with the models."""

from pathlib import Path

import pytest
from django.apps import apps
from django.conf import settings
from django.core.management import call_command
from django.db import connection
from django.db.migrations.loader import MigrationLoader

pytestmark = pytest.mark.django_db  # PostgreSQL rolls back changes of tables as well

OURS = [app for app in apps.get_app_configs() if Path(app.path).parent == settings.BASE_DIR]
LABELS = {app.label for app in OURS}
MIGRATIONS = sorted(key for key in MigrationLoader(None).disk_migrations if key[0] in LABELS)


def tables() -> set[str]:
    return set(connection.introspection.table_names())


def test_the_models_ask_for_no_further_migration() -> None:
    call_command("makemigrations", check=True, dry_run=True)


def test_every_migration_can_be_undone_and_redone() -> None:
    ours = {
        model._meta.db_table for app in OURS for model in app.get_models(include_auto_created=True)
    }

    call_command("migrate", "accounts", "zero", verbosity=0)  # and what is built upon it
    assert tables() & ours == set()

    call_command("migrate", verbosity=0)
    assert tables() >= ours


def test_migrations_can_be_written_as_sql(capsys: pytest.CaptureFixture[str]) -> None:
    call_command("sqlmigrate", "books", "0001")

    assert 'CREATE TABLE "books_book"' in capsys.readouterr().out


@pytest.mark.parametrize(("app", "migration"), MIGRATIONS)
def test_a_database_that_stopped_at_any_migration_is_brought_forward(
    app: str, migration: str
) -> None:
    call_command("migrate", "accounts", "zero", verbosity=0)
    call_command("migrate", app, migration, verbosity=0)

    call_command("migrate", verbosity=0)
    call_command("makemigrations", check=True, dry_run=True)
