"""Migrations of Django's in an update: the same as in `test_history.py`, and models with them."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from stackyard.updating.errors import ForkedHistoryError
from stackyard.updating.history import History, apps

from .conftest import Files, Kept

MODEL = 'migrations.CreateModel(name="Report", fields=[])'
DELETION = 'migrations.DeleteModel(name="Report")'


def migration(*parents: tuple[str, str], operations: str = "migrations.AddField()") -> str:
    """Return a migration of Django's."""
    return f"""\
from django.conf import settings
from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
        {"".join(f"{parent!r}, " for parent in parents)}
    ]

    operations = [{operations}]
"""


def django(app: str, **files: str) -> Files:
    return {f"{app}/migrations/{name}.py": text for name, text in files.items()}


BOOKS = django("books", **{"0001_initial": migration()})
APP = django("reports", **{"0001_initial": migration(operations=MODEL)})


def test_models_that_an_answer_takes_away_are_deleted(update: Callable[..., Kept]) -> None:
    more = django("reports", **{"0002_mine": migration(("reports", "0001_initial"))})
    told, new = update(BOOKS | APP | more, BOOKS | APP, BOOKS)
    [(path, text)] = new.items()
    assert path == "reports/migrations/0003_delete_report.py"
    assert '        ("reports", "0002_mine"),\n' in text
    assert DELETION in text
    assert told.dropping == {path: ["Report"]}


def test_a_byte_order_mark_is_none_of_the_text(update: Callable[..., Kept]) -> None:
    """Some editors of Windows write it, and Python reads over it."""
    theirs = {path: f"\ufeff{text}" for path, text in (BOOKS | APP).items()}
    assert update(theirs, BOOKS | APP, BOOKS) == update(BOOKS | APP, BOOKS | APP, BOOKS)


def test_a_migration_may_name_no_dependencies(update: Callable[..., Kept]) -> None:
    """To Django it has none; where it comes behind another it names that one."""
    bare = "class Migration(migrations.Migration):\n    initial = True\n"
    bare += f"    operations = [{MODEL}]\n"
    named = bare.replace(
        "    initial", '    dependencies = [\n        ("core", "0001_mine"),\n    ]\n\n    initial'
    )
    first, mine = (
        django("core", **{"0001_initial": bare}),
        django("core", **{"0001_mine": bare.replace("Report", "Mine")}),
    )
    assert update(BOOKS | first, BOOKS | first, BOOKS | first | APP)[1] == APP
    assert update(BOOKS, BOOKS, BOOKS | first)[1] == first
    assert update(BOOKS | mine, BOOKS, BOOKS | first)[1] == django(
        "core", **{"0002_initial": named}
    )


def test_models_come_and_go(update: Callable[..., Kept]) -> None:
    _, gone = update(BOOKS | APP, BOOKS | APP, BOOKS)
    _, back = update(BOOKS | APP | gone, BOOKS, BOOKS | APP)
    [(path, text)] = back.items()
    assert path == "reports/migrations/0003_initial.py"
    assert "swappable_dependency(settings.AUTH_USER_MODEL),\n" in text
    assert '("reports", "0002_delete_report"),\n' in text
    _, again = update(BOOKS | APP | gone | back, BOOKS | APP, BOOKS)
    assert [*again] == ["reports/migrations/0004_delete_report.py"]
    assert update(BOOKS | APP | gone | back | again, BOOKS | APP, BOOKS) == (History(), {})


def test_models_that_the_owner_deleted_are_gone_in_any_case(update: Callable[..., Kept]) -> None:
    """Django compares their names so."""
    deletion = migration(
        ("reports", "0001_initial"), operations=DELETION.replace("Report", "report")
    )
    mine = BOOKS | APP | django("reports", **{"0002_delete": deletion})
    assert update(mine, BOOKS | APP, BOOKS) == (History(), {})


def test_models_that_the_owner_references_are_left_to_the_owner(
    update: Callable[..., Kept],
) -> None:
    """Else they may go before what references them has come, in a database that is new."""
    field = 'migrations.AddField("shop", "report", models.ForeignKey(to="reports.Report"))'
    built = django("shops", **{"0001_initial": migration(("reports", "0001_initial"))}) | django(
        "shops", **{"0002_report": migration(("shops", "0001_initial"), operations=field)}
    )
    told, new = update(BOOKS | APP | built, BOOKS | APP, BOOKS)
    assert (told.remaining, new) == (["reports/migrations/0001_initial.py"], {})


def test_an_app_that_the_owner_removed_stays_away(update: Callable[..., Kept]) -> None:
    assert update(BOOKS, BOOKS | APP, BOOKS) == (History(), {})
    assert apps(BOOKS) == "books"
    assert apps(BOOKS | APP) == "books reports"


def test_numbers_go_on_after_the_owners(update: Callable[..., Kept]) -> None:
    """Whatever depends on one that has moved, or that the owner has squashed, does so still."""
    mine = django("books", **{"0002_mine": migration(("books", "0001_initial"))})
    release = django(
        "books",
        **{
            "0002_more": migration(("books", "0001_initial")),
            "0003_join": migration(("books", "0002_more"), operations=""),
        },
    )
    other = django("shops", **{"0001_initial": migration(("books", "0002_more"), ("auth", "0001"))})
    told, new = update(BOOKS | mine, BOOKS, BOOKS | release | other)
    assert told.added == ["books/migrations/0003_more.py", "shops/migrations/0001_initial.py"]
    more, shops = (new[path] for path in told.added)
    assert ('("books", "0002_mine"),' in more, "0001_initial" in more) == (True, False)
    assert ('("books", "0003_more"),' in shops, '("auth", "0001"),' in shops) == (True, True)


def test_what_fits_is_as_it_is(update: Callable[..., Kept]) -> None:
    release = django("books", **{"0002_more": migration(("books", "0001_initial"))})
    assert update(BOOKS, BOOKS, BOOKS | release | APP)[1] == release | APP


def test_an_app_that_the_owner_renamed_gets_none_of_another_number(
    update: Callable[..., Kept],
) -> None:
    """Nobody can tell for them which one it follows: they are told to read it."""
    films = {path.replace("books", "films"): text for path, text in BOOKS.items()}
    release = django("books", **{"0002_more": migration(("books", "0001_initial"))})
    told, new = update(films, BOOKS, BOOKS | release)
    assert (told.added, new) == ([*release], release)


def test_squashed_migrations_are_one(update: Callable[..., Kept]) -> None:
    squashed = migration(operations=MODEL).replace(
        "    dependencies", '    replaces = [("reports", "0001_initial")]\n\n    dependencies'
    )
    mine = django("reports", **{"0001_squashed_0002": squashed})
    _, new = update(BOOKS | APP | mine, BOOKS | APP, BOOKS)
    [text] = new.values()
    assert '("reports", "0001_squashed_0002")' in text


def test_other_operations_are_left_to_makemigrations(update: Callable[..., Kept]) -> None:
    field = django("books", **{"0002_field": migration(("books", "0001_initial"))})
    told, new = update(BOOKS | field, BOOKS | field, BOOKS)
    assert (told.remaining, new) == (["books/migrations/0002_field.py"], {})


def test_two_leaves_are_for_the_owner_to_join(update: Callable[..., Kept]) -> None:
    leaves = {name: migration(("books", "0001_initial")) for name in ("0002_a", "0002_b")}
    forked = BOOKS | django("books", **leaves)
    release = django("books", **{"0002_more": migration(("books", "0001_initial"))})
    with pytest.raises(
        ForkedHistoryError,
        match=r"books\.0002_a, books\.0002_b.* devservers \.venv/bin/python manage\.py .*--merge",
    ):
        update(forked, BOOKS, BOOKS | release)
    assert update(forked, BOOKS, BOOKS | APP)[1] == APP
