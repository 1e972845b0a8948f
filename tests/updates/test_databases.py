"""Databases with rows in them, through each change of answers and back, in every framework.

Each project has migrations of its owner before and after, and is committed as an owner would.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest

from combinations import FRAMEWORKS
from conftest import Command, commit
from stackyard.updating.update import update

from .conftest import FIRST
from .databases import Project

pytestmark = pytest.mark.slow


def case(*told: str, marks: Sequence[pytest.MarkDecorator] = ()) -> object:
    """Give a framework's tests a group of their own."""
    return pytest.param(*told, marks=[pytest.mark.xdist_group(f"databases-{told[0]}"), *marks])


# From either answer to the other and back.
CHANGES = [
    case(framework, first, second, marks=[pytest.mark.one_of(turn, framework)])
    for turn, first, second in ((1, "celery", "none"), (4, "none", "celery"))
    for framework in FRAMEWORKS
]
ADDRESSES = ["ada@bücher.example", "ada@bu\u0308cher.example", "zoé@example.org", "ada@shop.local"]
TIMES = {"created_at": "now()"}
BOOK = TIMES | {
    "title": "'Dune'",
    "author": "'Frank Herbert'",
    "publication_date": "date '1965-08-01'",
    "updated_at": "now()",
    "creator_id": "owner.id",
}
REPORT = TIMES | {"status": "'pending'", "owner_id": "owner.id"}


@pytest.mark.parametrize(("framework", "first", "second"), CHANGES)
def test_a_database_goes_through_each_change_of_answers(
    framework: str, first: str, second: str, make: Callable[..., Project], stackyard: Command
) -> None:
    """No row is lost but the reports, from wherever it had stopped, and there is one head.

    In the end the project's own tests of its migrations pass.
    """
    shop = make(tasks=first)
    name = f"{framework}-{first}"
    shop.create(name)
    shop.migrate()
    shop.add_users("reporter@example.org", "writer@example.org")
    shop.add("books", BOOK, "writer@example.org")
    rows, stopped = shop.rows(), [name]
    assert rows == [("reporter@example.org", None), ("writer@example.org", "Dune")]
    for number, tasks in enumerate((first, second, first)):
        if number:
            done = update(shop.path, {"tasks": tasks}, FIRST, trusted=True)
            assert (done.conflicts, done.history.remaining) == ((), [])
            assert bool(done.history.dropping) == (tasks == "none")
            commit(shop.path, f"With tasks={tasks}", stackyard.environment)
            shop.migrate()
        assert shop.rows() == rows
        assert (shop.table("reports") in shop.tables()) == (tasks == "celery")
        if tasks == "celery":
            shop.add("reports", REPORT, "reporter@example.org")
        shop.add_shelf(f"shelf{number}")
        commit(shop.path, "Add a shelf", stackyard.environment)
        shop.migrate()
        stopped.append(f"{name}-{number}")
        shop.create(stopped[-1], shop.database)
    for shop.database in stopped:
        shop.migrate()
        assert shop.rows() == rows
    if shop.is_django:
        orm = "from accounts.models import User; User.objects.get(email='{}').delete()"
        shop.tool("shell", "--no-imports", "-c", orm.format("reporter@example.org"))
        shop.tool("makemigrations", "--check", "--dry-run")
    else:
        shop.sql("DELETE FROM users WHERE email = 'reporter@example.org'")
        shop.tool("check")
        assert len(shop.tool("heads").splitlines()) == 1
    assert shop.rows() == rows[1:]
    shop.run("python", "-m", "pytest", "-q", "tests/test_migrations.py")


@pytest.mark.parametrize("framework", [case(framework) for framework in FRAMEWORKS])
def test_addresses_of_before_are_found_again(framework: str, make: Callable[..., Project]) -> None:
    """Two spellings of one address were two accounts: one of them has it from now on."""
    shop = make(tasks="celery")
    shop.create(f"{framework}-addresses")
    shop.migrate("0001")
    shop.add_users(*ADDRESSES)
    shop.migrate()
    found = shop.sql(f"SELECT email FROM {shop.table('users')} ORDER BY id")
    assert [email for (email,) in found] == ["ada@xn--bcher-kva.example", *ADDRESSES[1:]]
