"""What the README says of an owner's own resource: its commands, as they stand there, and files."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from combinations import BY_NAME, DEFAULTS, LEAST, name_of
from conftest import STACKYARD, Command, commit, run
from gate import by_turns

BOTH = [name_of(answers) for answers in (*DEFAULTS.values(), *LEAST.values())]

EACH = by_turns(3, "own-resource")


def section(project: Path) -> str:
    readme = (project / "README.md").read_text("utf-8")
    return re.search(r"^## Your own resource\n(.*?)^## ", readme, re.DOTALL | re.MULTILINE)[1]


def commands(project: Path) -> str:
    """Return those that make books films."""
    [block] = re.findall(r"^```sh\n(.*?)^```", section(project), re.DOTALL | re.MULTILINE)
    return block


def about_books(project: Path) -> set[str]:
    """Return the files that speak of books, but for the README and what an update asks."""
    found = run("git", "grep", "--cached", "-ilw", "-e", "books*", cwd=project)
    return {*found.split()} - {"README.md", ".copier-answers.yml"}


@pytest.mark.slow
@pytest.mark.parametrize("framework", EACH)
def test_books_become_films(
    stackyard: Command, environment: dict[str, str], framework: str
) -> None:
    """The project's own linters and tests are green, with the coverage that they ask for."""
    done = stackyard("new", framework, "shop", "--defaults")
    assert done.returncode == 0, done.stderr
    project = stackyard.directory / "shop"
    steps = commands(project)
    assert steps.endswith("\nmake format lint test\n")

    run("sh", "-ec", steps, cwd=project, env=environment)

    assert (project / "tests/test_films.py").is_file()
    assert not (project / "tests/test_books.py").exists()


@pytest.mark.xdist_group("rendered")
@pytest.mark.parametrize("name", BOTH)
def test_a_longer_name_needs_no_edit_either(
    rendered: dict[str, Path], stackyard: Command, name: str
) -> None:
    """No line becomes too long that `make format` cannot break, and no word of books is left."""
    project = shutil.copytree(rendered[name], stackyard.directory / "shop")
    run("git", "init", "--quiet", cwd=project)
    commit(project, "Begin", stackyard.environment)
    longer = commands(project).removesuffix("make format lint test\n")
    for films, products in (("film", "product"), ("Film", "Product"), ("FILM", "PRODUCT")):
        longer = longer.replace(films, products)

    run("sh", "-ec", longer, cwd=project, env=stackyard.environment)

    ruff = STACKYARD.parent / "ruff"
    run(ruff, "check", "--fix-only", "--quiet", cwd=project)
    run(ruff, "format", "--quiet", cwd=project)
    run(ruff, "check", cwd=project)
    run("git", "add", "--all", cwd=project)
    assert about_books(project) <= {".env.example", "compose.prod.yaml"}  # books.example.org


@pytest.mark.xdist_group("rendered")
@pytest.mark.parametrize("name", BY_NAME)
def test_every_file_that_is_named_is_there(rendered: dict[str, Path], name: str) -> None:
    """Those of orders are the owner's to write."""
    places = "app|books|config|core|films|reports|tests"
    named = re.findall(rf"`((?:{places})/[\w./]*)`", section(rendered[name]))
    files = {path for path in named if "orders" not in path}
    assert len(files) > 5
    there = {path for path in files if (rendered[name] / path.replace("films", "books")).exists()}
    assert files == there
