"""A project whose databases go through updates: its commands, on one database or another."""

from __future__ import annotations

import os
import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pymysql

NOBODY = "redis://127.0.0.1:9/0"
DJANGO = "django-drf"
# What Django calls the tables.
MODELS = {
    "users": "accounts_user",
    "books": "books_book",
    "reports": "reports_report",
    "products": "products_product",
    "categories": "categories_category",
}
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
        self.app = next(one for one in ("books", "products", "app") if (path / one).is_dir())
        self.models = path / self.app / "models.py"
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
            self.tool("makemigrations", self.app)
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
        return MODELS.get(name, name) if self.is_django else name

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


class InFile(Project):
    """A project whose database is a file of SQLite."""

    refusals = (sqlite3.IntegrityError,)
    """What a row that breaks a rule is refused with."""

    def url(self) -> str:
        return f"sqlite:///{self.path.with_name('rows.db')}"

    def sql(self, query: str) -> list[tuple[object, ...]]:
        with closing(sqlite3.connect(self.url().removeprefix("sqlite:///"))) as connection:
            connection.execute("PRAGMA foreign_keys = ON")
            found = connection.execute(query).fetchall()
            connection.commit()
        return found

    def tables(self) -> set[object]:
        return {name for (name,) in self.sql("SELECT name FROM sqlite_schema WHERE type = 'table'")}


class OnMySQL(Project):
    """A project whose database is on a server of MySQL's family, of which `server` is the URL."""

    # The two servers have classes of their own for a CHECK: 4025, 3819.
    refusals = (pymysql.IntegrityError, pymysql.DataError, pymysql.OperationalError)

    def url(self) -> str:
        return self.server

    def sql(self, query: str) -> list[tuple[object, ...]]:
        told = urlsplit(self.server)
        connection = pymysql.connect(
            host=told.hostname,
            port=told.port or 3306,
            user=told.username,
            password=told.password or "",
            database=told.path[1:],
            sql_mode="STRICT_ALL_TABLES",
            autocommit=True,
        )
        with closing(connection), connection.cursor() as cursor:
            cursor.execute(query)
            return [*cursor.fetchall()] if cursor.description else []

    def tables(self) -> set[object]:
        return {name for (name,) in self.sql("SHOW TABLES")}
