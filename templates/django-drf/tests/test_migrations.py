"""The migrations: up, down, and in step with the models."""

from pathlib import Path

import pytest
from django.apps import apps
from django.conf import settings
from django.core.management import call_command
from django.db import connection

from accounts.models import User

pytestmark = pytest.mark.django_db  # PostgreSQL rolls back changes of tables as well


def tables() -> set[str]:
    return set(connection.introspection.table_names())


def test_the_models_ask_for_no_further_migration() -> None:
    call_command("makemigrations", check=True, dry_run=True)


def test_every_migration_can_be_undone_and_redone() -> None:
    ours = {
        model._meta.db_table
        for app in apps.get_app_configs()
        if Path(app.path).parent == settings.BASE_DIR
        for model in app.get_models(include_auto_created=True)
    }

    call_command("migrate", "accounts", "zero", verbosity=0)  # and what is built upon it
    assert tables() & ours == set()

    call_command("migrate", verbosity=0)
    assert tables() >= ours


def test_migrations_can_be_written_as_sql(capsys: pytest.CaptureFixture[str]) -> None:
    call_command("sqlmigrate", "books", "0001")

    assert 'CREATE TABLE "books_book"' in capsys.readouterr().out


def test_addresses_of_before_are_found_again() -> None:
    """Two spellings of one address were two accounts: one of them has it from now on."""
    call_command("migrate", "accounts", "0001", verbosity=0)
    before = ["ada@bücher.example", "ada@bu\u0308cher.example", "zoé@example.org", "ada@shop.local"]
    User.objects.bulk_create(User(email=email) for email in before)

    call_command("migrate", verbosity=0)

    found = User.objects.order_by("pk").values_list("email", flat=True)
    assert [*found] == ["ada@xn--bcher-kva.example", *before[1:]]
