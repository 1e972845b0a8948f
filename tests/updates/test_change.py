"""Resources and fields that come later, and go: in projects whose owner has edited them."""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
import pytest

from conftest import Command, commit, generated, replace
from gate import by_turns
from stackyard.resources import canonical
from stackyard.updating.update import update

from .conftest import FIRST, save
from .databases import InFile, OnMySQL, Project

NOW = "CURRENT_TIMESTAMP"
TIMES = {"created_at": NOW, "updated_at": NOW, "creator_id": "owner.id"}
STEPS = [
    "product name:string{1..99}! sku:uniq",
    "category name!",
    "+product weight:integer{0..9}:uniq",
    "+category rank2:decimal",
    "-category",
]
DOCSTRING = '"""The products."""', '"""The products, as the owner tells of them."""'


@pytest.mark.slow
@pytest.mark.parametrize("framework", by_turns(2))
def test_a_database_goes_through_resources_that_come_and_go(
    framework: str, make: Callable[..., Project], stackyard: Command
) -> None:
    """No row and no edit is lost, from wherever it had stopped, and there is one head.

    In the end the project's own tests of its migrations and of what is left pass.
    """
    shop = make(resources=canonical(STEPS[:1]))
    told = [path for path in shop.path.rglob("*.py") if DOCSTRING[0] in path.read_text()]
    own = min(path for path in told if "migrations" not in path.parts)
    replace(own, *DOCSTRING)
    shop.create(framework)
    shop.migrate()
    shop.add_shelf("shelf")
    commit(shop.path, "Make it mine", stackyard.environment)
    shop.migrate()
    shop.add_users("writer@example.org")
    shop.add("products", TIMES | {"name": "'Lamp'", "sku": "'a'"}, "writer@example.org")
    stopped = [framework]
    products = shop.table("products")
    for step in range(2, len(STEPS) + 1):
        resources = canonical(STEPS[:step])
        done = update(shop.path, {"resources": resources}, FIRST, trusted=True)
        assert (done.conflicts, done.history.remaining) == ((), [])
        assert bool(done.history.dropping) == STEPS[step - 1].startswith("-")
        commit(shop.path, STEPS[step - 1], stackyard.environment)
        shop.migrate()
        if step == 2:
            shop.add("categories", TIMES | {"name": "'Light'"}, "writer@example.org")
        assert (shop.table("categories") in shop.tables()) == (step < len(STEPS))
        stopped.append(f"{framework}-{step}")
        shop.create(stopped[-1], shop.database)
    for shop.database in stopped:
        shop.migrate()
        assert shop.sql(f"SELECT name, sku, weight FROM {products}") == [("Lamp", "a", None)]
        assert shop.table("categories") not in shop.tables()
    with pytest.raises(psycopg.errors.CheckViolation):
        shop.sql(f"UPDATE {products} SET weight = 10")
    assert DOCSTRING[1] in own.read_text()
    if shop.is_django:
        shop.tool("makemigrations", "--check", "--dry-run")
    else:
        shop.tool("check")
        assert len(shop.tool("heads").splitlines()) == 1
    shop.run("python", "-m", "pytest", "-q", "tests/test_migrations.py", "tests/test_products.py")


@pytest.mark.slow
@pytest.mark.parametrize("database", ["sqlite", "mariadb", "mysql"])
@pytest.mark.parametrize("framework", by_turns(2))
def test_rows_stay_on_other_databases(
    framework: str,
    database: str,
    make: Callable[..., Project],
    stackyard: Command,
    brought: Callable[[str], Any],
) -> None:
    """SQLite makes a table anew for it; MySQL's family takes no change of a table back."""
    made = make(database=database, resources=canonical(STEPS[:1]))
    shop: InFile | OnMySQL
    if database == "sqlite":
        shop = InFile(made.path, framework, made.python, "")
    else:
        name = f"rows_{secrets.token_hex(4)}"
        url = brought(database).create_database(name)
        shop = OnMySQL(made.path, framework, made.python, url)
    shop.migrate()
    shop.add_users("writer@example.org")
    shop.add("products", TIMES | {"name": "'Lamp'", "sku": "'a'"}, "writer@example.org")
    for step in range(2, len(STEPS) + 1):
        update(shop.path, {"resources": canonical(STEPS[:step])}, FIRST, trusted=True)
        commit(shop.path, STEPS[step - 1], stackyard.environment)
        shop.migrate()
        if step == 2:
            shop.add("categories", TIMES | {"name": "'Light'"}, "writer@example.org")
        assert (shop.table("categories") in shop.tables()) == (step < len(STEPS))
    products = shop.table("products")
    assert shop.sql(f"SELECT name, sku, weight FROM {products}") == [("Lamp", "a", None)]
    shop.sql(f"UPDATE {products} SET weight = 9")
    for broken in ("weight = 10", "name = NULL", "weight = 'a'", "creator_id = 0"):
        with pytest.raises(shop.refusals):
            shop.sql(f"UPDATE {products} SET {broken}")
    assert shop.sql(f"SELECT name, weight FROM {products}") == [("Lamp", 9)]


@pytest.fixture
def with_product(shop: Path, user: Command) -> Path:
    """A project with a resource, as the command adds it."""
    done = user("add", "resource", "product name! sku:uniq", "shop", "--json")
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["to"] == told["from"] == FIRST
    assert told["migrations"]["added"] == ["migrations/versions/1001_products.py"]
    save(shop, "Add product")
    return shop


def test_the_command_adds_and_removes(with_product: Path, user: Command) -> None:
    field = user("add", "field", "product", "weight:integer note:text", "shop")
    assert (field.returncode, "Add weight to product" in field.stdout) == (0, True), field.stderr
    assert (with_product / "migrations/versions/1002_products_weight.py").is_file()
    save(with_product, "Add weight")

    removed = user("remove", "resource", "product", "shop")
    assert (removed.returncode, "drops products" in removed.stdout) == (0, True), removed.stderr
    assert not (with_product / "app/routers/products.py").exists()
    save(with_product, "Remove product")

    gone = user("remove", "cache", "shop")
    assert (gone.returncode, "Remove cache" in gone.stdout) == (0, True), gone.stderr
    save(with_product, "Remove cache")
    back = user("add", "cache", "redis", "shop", "--dry-run")
    assert (back.returncode, "nothing was written" in back.stdout) == (0, True), back.stderr


REFUSED = [
    (["add"], "Missing command. Try 'stackyard add --help'"),
    (["add", "cash", "redis"], "No such command 'cash'"),
    (["add", "cache", "none", "shop"], "'none' is not 'redis'"),
    (["add", "resource", "product", "shop"], "'product': it has no fields"),
    (["add", "resource", "product sku", "shop"], "it is told twice"),
    (["add", "field", "product", "weight:integer!", "shop"], "leave out the !"),
    (["add", "field", "product", "sku", "shop"], "product has it twice"),
    (["add", "field", "lamp", "sku", "shop"], "no resource is called so; there are product"),
    (["remove", "resource", "lamp", "shop"], "no resource is called so; there are product"),
    (["remove", "resource", "product", "elsewhere"], "there is no .copier-answers.yml in it"),
    (["update", "shop", "-d", "resources=lamp name"], "what there was comes first"),
    (["update", "shop", "--example", "none"], "example cannot change from 'books' to 'none'"),
]


def test_what_cannot_be_is_refused(with_product: Path, user: Command) -> None:
    before = generated(with_product)
    for arguments, reason in REFUSED:
        done = user(*arguments)
        assert done.returncode in (1, 2), arguments
        assert (done.stdout, reason in done.stderr) == ("", True), done.stderr
        assert done.stderr.count("\n") == 1
    assert generated(with_product) == before


def test_what_was_removed_does_not_come_back(with_product: Path, user: Command) -> None:
    """Its migrations are there: another of its name would have to follow them."""
    assert user("remove", "resource", "product", "shop").returncode == 0
    save(with_product, "Remove product")
    done = user("add", "resource", "product name", "shop")
    assert (done.returncode, "choose another name" in done.stderr) == (2, True)
