"""The steps that `new` prints, run as they are printed, in a project of each combination.

The place is one that only its owner may enter, and its name has what means something to shells,
URLs, make and others. The locale that the user asks for is not there.
"""

from __future__ import annotations

import json
import os
import re
import secrets
import signal
import subprocess
import time
import urllib.error
import urllib.request
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from uv import find_uv_bin

from combinations import COMBINATIONS, DEFAULTS, LEAST, PAIRS, name_of
from conftest import BROUGHT, Command, replace, run
from contract.processes import free_port

pytestmark = pytest.mark.slow

WITHOUT_UV = [*LEAST.values()][-1]


def case(told: dict[str, str], *marks: pytest.MarkDecorator) -> object:
    """Give a combination a group of its own, as it takes long; the defaults are always tried."""
    name = name_of(told)
    if told not in PAIRS:
        marks += (pytest.mark.everything,)
    elif told not in DEFAULTS.values():
        marks += (pytest.mark.judges("suite", name, listed=True),)
    return pytest.param(told, id=name, marks=[pytest.mark.xdist_group(f"suite-{name}"), *marks])


# In the gate each default, and the other combinations of one framework.
ALL = [*map(case, DEFAULTS.values())]
ALL += [
    case(told, pytest.mark.one_of(2, told["framework"]))
    for told in COMBINATIONS
    if told not in DEFAULTS.values()
]
# Of the defaults a model is changed meanwhile.
MORE = [told for told in COMBINATIONS if told not in [*DEFAULTS.values(), *LEAST.values()]]
DEV = [*map(case, LEAST.values()), *(case(told, pytest.mark.everything) for told in MORE)]

PLACE = """-it's "b" & (c) 100% $HOME ;é?,[1]{a}#"""


@pytest.fixture
def tmp_path(tmp_path: Path) -> Path:
    place = tmp_path / PLACE
    place.mkdir(mode=0o700)
    return place


@pytest.fixture
def environment(
    told: dict[str, str],
    environment: dict[str, str],
    without_uv: dict[str, str],
    brought: Callable[[str], Any],
    tmp_path_factory: pytest.TempPathFactory,
) -> dict[str, str]:
    """One of them has no uv; whoever has to bring a server has a part of one to itself.

    What mypy has read of a framework's packages is kept, but for the defaults.
    """
    user = without_uv if told == WITHOUT_UV else environment
    if told not in DEFAULTS.values():
        kept = tmp_path_factory.getbasetemp() / "mypy" / told["framework"]
        user = user | {"MYPY_CACHE_DIR": str(kept)}
    name = f"shop_{secrets.token_hex(4)}"
    if told["database"] in BROUGHT:
        server = brought(told["database"])
        server.create_database(name)
        user = user | {"DATABASE_URL": server.maintenance.removesuffix("app") + name}
    if told["broker"] == "rabbitmq":
        user = user | {"CELERY_BROKER_URL": brought("rabbitmq").create_host(name)}
    return user | {"LC_ALL": "xx_XX.UTF-8"}


@pytest.fixture
def generated(stackyard: Command, told: dict[str, str]) -> tuple[Path, list[str]]:
    """A project and the commands that its summary said to run next."""
    data = [part for key, value in told.items() for part in ("-d", f"{key}={value}")]
    newest = ["--no-lock"] if os.environ.get("LATEST") else []
    done = stackyard("new", *data, "--json", *newest)
    assert done.returncode == 0, done.stderr
    made = json.loads(done.stdout)
    assert made["warnings"] == []
    return Path(made["path"]), made["next"]


@pytest.mark.parametrize("told", ALL)
def test_generated_suite_passes(
    stackyard: Command,
    told: dict[str, str],
    generated: tuple[Path, list[str]],
    environment: dict[str, str],
) -> None:
    """A default's as its owner runs it; the others' in one process, in an order that chance made.

    The order of a combination is the same each time: a run fails for what has changed.
    """
    enter, test, dev = generated[1]
    assert (test, dev) == ("make test", "make dev")
    if told not in [*DEFAULTS.values(), WITHOUT_UV]:
        seed = zlib.crc32(name_of(told).encode())
        test = f"uv run --with pytest-randomly pytest -p randomly --randomly-seed={seed}"
    for step in (f"{enter} && {test}", f"{enter} && make lint"):
        done = subprocess.run(
            step,
            shell=True,
            cwd=stackyard.directory,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout[-10_000:]


@contextmanager
def make_dev(project: Path, environment: dict[str, str]) -> Iterator[None]:
    """Run `make dev` until it is ready, and interrupt it at the end."""
    port = free_port()
    process = subprocess.Popen(
        ["make", "dev"],
        cwd=project,
        env=environment | {"PORT": str(port)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    ready = False
    try:
        deadline = time.monotonic() + 120
        while not ready and time.monotonic() < deadline and process.poll() is None:
            time.sleep(0.25)
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz") as answer:
                    ready = json.load(answer)["status"] == "ok"
            except (urllib.error.URLError, ConnectionError):
                continue
        if ready:
            yield
    finally:
        os.killpg(process.pid, signal.SIGINT)
        printed, _ = process.communicate(timeout=60)
    assert ready, printed
    assert "Traceback" not in printed


@pytest.mark.parametrize("told", DEV)
def test_make_dev_serves_until_it_is_interrupted(
    generated: tuple[Path, list[str]], environment: dict[str, str]
) -> None:
    with make_dev(generated[0], environment):
        pass


MODEL = {
    "django-drf": (
        "books/models.py",
        "    title = models.CharField(max_length=200)\n",
        '    title = models.CharField(max_length=200, help_text="the pages of a book, " * 8)\n'
        '    pages = models.IntegerField(default=0, db_comment="the pages of a book, " * 8)\n',
    ),
    "sqlalchemy": (
        "app/models.py",
        "    title: Mapped[str] = mapped_column(String(200))\n",
        "    title: Mapped[str] = mapped_column(String(200))\n"
        '    pages: Mapped[int | None] = mapped_column(comment="the pages of a book, " * 8)\n',
    ),
}


@pytest.mark.parametrize("told", [case(told) for told in DEFAULTS.values()])
def test_a_model_is_changed_while_make_dev_runs(
    told: dict[str, str], generated: tuple[Path, list[str]], environment: dict[str, str]
) -> None:
    """What `make migration` writes has any text for a message, and passes the linters as it is.

    `make migrate` applies it to the database that the service runs on, which `make shell-db` opens.
    """
    project, _ = generated

    def make(*words: str, **options: Any) -> str:
        return run("make", "--silent", *words, cwd=project, env=environment, **options)

    def migrations() -> set[Path]:
        return {*project.glob("*/migrations/*.py"), *project.glob("migrations/versions/*.py")}

    path, before, after = MODEL.get(told["framework"], MODEL["sqlalchemy"])
    written = migrations()
    with make_dev(project, environment):
        replace(project / path, before, after)
        told_next = make("migration", """m=an "author's" $$HOME, \\d""")
        [made] = migrations() - written
        assert "an_author_s_" in made.name
        assert told_next.endswith("make migrate applies it, also while make dev runs.\n")
        make("lint")

        table = "books_book" if told["framework"] == "django-drf" else "books"
        assert "pages" not in make("shell-db", input=f"\\d {table}").split()
        make("migrate")
        assert "pages" in make("shell-db", input=f"\\d {table}").split()


@pytest.mark.xdist_group("rendered")
def test_make_help_tells_of_every_target(rendered: dict[str, Path]) -> None:
    for name in map(name_of, DEFAULTS.values()):
        makefile = (rendered[name] / "Makefile").read_text("utf-8")
        targets = {*" ".join(re.findall(r"^\.PHONY: (.+)", makefile, re.MULTILINE)).split()}
        printed = run("make", "--no-print-directory", "help", cwd=rendered[name])
        assert {line.split()[1] for line in printed.splitlines()} == targets
        assert {"migrate", "shell-db", "help"} <= targets


@pytest.mark.xdist_group("rendered")
def test_a_migration_has_a_name(rendered: dict[str, Path]) -> None:
    """Alembic and Django would write one of no name, or of a time for a name."""
    project = rendered[name_of(DEFAULTS["flask"])]
    path = f"{Path(find_uv_bin()).parent}:{os.environ['PATH']}"  # or `make` fetches one
    done = subprocess.run(
        ["make", "migration"],
        cwd=project,
        env=os.environ | {"PATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert 'say what it does: make migration m="add a table"' in done.stderr
    assert not (project / ".dev/postgres").exists()


@pytest.mark.parametrize("told", [case(WITHOUT_UV)])
def test_readme_s_commands_find_uv(
    generated: tuple[Path, list[str]], environment: dict[str, str]
) -> None:
    """Where `make` has fetched it, after one line that the README has."""
    project, _ = generated
    readme = (project / "README.md").read_text("utf-8")
    [path] = re.findall(r"^export PATH=.+$", readme, re.MULTILINE)
    (project / "uv.lock").unlink()
    run("make", "lock", cwd=project, env=environment)
    assert (project / "uv.lock").is_file()
    run("sh", "-c", f"{path}\nuv --version && uvx --version", cwd=project, env=environment)
