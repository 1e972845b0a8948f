"""Locking runs no code of a project that somebody else made, nor of what is around it."""

from __future__ import annotations

import shutil
import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from conftest import Command, replace, run
from stackyard.template import Template

from .conftest import save

BACKEND = """
[build-system]
requires = []
build-backend = "backend"
backend-path = ["."]
"""


def backend(place: Path, trap: Path, project: str = "") -> None:
    """Have whoever builds what is in a directory run the trap."""
    place.mkdir(exist_ok=True)
    (place / "backend.py").write_text(f"import os\nos.system({str(trap)!r})\n")
    if project:
        (place / "pyproject.toml").write_text(BACKEND + project)


def edit(shop: Path, before: str, after: str) -> None:
    replace(shop / "pyproject.toml", before, after)


def source(shop: Path, trap: Path) -> None:
    backend(shop / "evil", trap, '[project]\nname = "evil"\ndynamic = ["version"]\n')
    edit(shop, "dependencies = [", 'dependencies = [\n    "evil",')
    edit(shop, "[tool.uv]", '[tool.uv.sources]\nevil = { path = "./evil" }\n\n[tool.uv]')


def itself(shop: Path, trap: Path) -> None:
    """Of a package that has odd dependencies uv asks its build backend."""
    backend(shop, trap)
    edit(shop, "package = false", "package = true")
    edit(shop, "dependencies = [", 'dependencies = [\n    "evil @ {root:uri}/evil",')
    edit(shop, "[project]", f"{BACKEND}\n[project]")


def member(shop: Path, trap: Path) -> None:
    backend(shop / "evil", trap, '[project]\nname = "evil"\ndynamic = ["version"]\n')
    edit(shop, "[tool.uv]", f'[tool.uv.workspace]\nmembers = ["{shop}/evil"]\n\n[tool.uv]')


def interpreter(shop: Path, trap: Path) -> None:
    (shop / ".venv" / "bin").mkdir(parents=True)
    shutil.copy(trap, shop / ".venv" / "bin" / "python")
    (shop / ".venv" / "pyvenv.cfg").write_text("home = /usr/bin\nversion_info = 3.13.0\n")
    run("git", "add", "--force", ".venv", cwd=shop)


def version_file(shop: Path, trap: Path) -> None:
    shutil.copy(trap, shop / "python")
    (shop / ".python-version").write_text("./python\n")


LOCKS = {
    "path source": (source, "not locked: its settings of uv may name other addresses (sources)"),
    "package": (itself, "not locked: uv may have to run code of a project that is a package"),
    "workspace": (member, "not locked: uv may have to run code of a project that is a package"),
    "interpreter": (interpreter, ""),
    "version file": (version_file, ""),
}
LOCK = """\
version = 1
revision = 3
requires-python = ">=3.11"
"""


@pytest.mark.parametrize("case", LOCKS)
def test_locking_runs_nothing_of_the_project(
    user: Command, shop: Path, trap: Path, ran: Path, case: str
) -> None:
    """A dry run does not lock at all; an update builds nothing, and says how to lock."""
    prepare, says = LOCKS[case]
    (shop / "uv.lock").write_text(LOCK)
    prepare(shop, trap)
    save(shop, "Mine")
    done = user("update", "shop", "-d", "tasks=none", "--dry-run")
    assert not ran.exists(), ran.read_text()
    assert done.returncode == 0, done.stderr
    assert "uv.lock is left out of this" in done.stderr
    # Nobody answers: what it would download is not the matter.
    offline = {"UV_DEFAULT_INDEX": "http://127.0.0.1:9/simple", "UV_HTTP_RETRIES": "0"}
    done = user(
        "update", "shop", "-d", "tasks=none", UV_CACHE_DIR=str(trap.parent / "c"), **offline
    )
    assert not ran.exists(), ran.read_text()
    assert done.returncode == 0, done.stderr
    assert says in done.stderr
    assert done.stderr.endswith("run later: cd shop && make lock\n")
    assert "celery" not in (shop / "pyproject.toml").read_text()


def settings(shop: Path, url: str) -> None:
    edit(shop, "[tool.uv]", f'[[tool.uv.index]]\nname = "evil"\nurl = "{url}"\n\n[tool.uv]')


def directory(shop: Path, _: str) -> None:
    edit(shop, "package = false", 'package = false\ncache-dir = "../elsewhere"')


def file(shop: Path, url: str) -> None:
    (shop / "uv.toml").write_text(f'[[index]]\nurl = "{url}"\n')


def dependency(shop: Path, url: str) -> None:
    edit(shop, "dependencies = [", f'dependencies = [\n    "evil @ {url}/evil-1-py3-none-any.whl",')


def group(shop: Path, url: str) -> None:
    edit(shop, "[dependency-groups]", f'[dependency-groups]\nmore = ["evil @ {url}/evil-1.tar.gz"]')


@pytest.mark.parametrize("prepare", [settings, directory, file, dependency, group])
def test_locking_goes_to_no_place_that_the_project_names(
    user: Command, shop: Path, tmp_path: Path, prepare: Callable[[Path, str], None]
) -> None:
    """An index, a cache or a dependency may be anywhere: the owner is told how to lock."""
    (shop / "uv.lock").write_text(LOCK)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        prepare(shop, f"http://127.0.0.1:{listener.getsockname()[1]}")
        save(shop, "Mine")
        nowhere = {"UV_DEFAULT_INDEX": "http://127.0.0.1:9/simple", "UV_HTTP_RETRIES": "0"}
        done = user("update", "shop", "-d", "tasks=none", **nowhere)
        assert done.returncode == 0, done.stderr
        assert "names an address of its own" in done.stderr or "other addresses" in done.stderr
        assert done.stderr.endswith("run later: cd shop && make lock\n")
        listener.settimeout(0)
        with pytest.raises(BlockingIOError):
            listener.accept()
    assert not [*tmp_path.rglob("elsewhere")]


def test_a_lock_file_that_is_a_link_is_not_written_through(
    user: Command, shop: Path, tmp_path: Path
) -> None:
    """Its target reads as a lock file, of a package that the release moves, and leads elsewhere."""
    pins = dict(pin.split("==") for pin in Template.installed().pins("fastapi"))
    place = shop / f"package = [{{name='idna', version='{pins['idna']}'}}] #"
    place.mkdir()
    (place / "kept").write_text("")
    (shop / "uv.lock").symlink_to(f"{place.name}{'/..' * 30}{tmp_path}/elsewhere")
    (shop / "pyproject.toml").write_text(
        '[project]\nname = "shop"\nversion = "1"\n[tool.uv]\npackage = false\n'
    )
    save(shop, "Mine")
    done = user("update", "shop")
    assert done.returncode == 0, done.stderr
    assert not (tmp_path / "elsewhere").exists()


def test_a_new_project_is_locked_without_the_workspace_around_it(
    user: Command, trap: Path, ran: Path
) -> None:
    """The repository that it is made in may be anybody's: a workspace that has it as a member."""
    backend(user.directory, trap, '[project]\nname = "evil"\ndynamic = ["version"]\n')
    with (user.directory / "pyproject.toml").open("a") as file:
        file.write('[tool.uv.workspace]\nmembers = [".stackyard-*/project"]\n')
    offline = {"UV_DEFAULT_INDEX": "http://127.0.0.1:9/simple", "UV_HTTP_RETRIES": "0"}
    done = user("new", "flask", "shop", UV_CACHE_DIR=str(trap.parent / "cache"), **offline)
    assert not ran.exists(), ran.read_text()
    assert done.returncode == 0, done.stderr
    assert not (user.directory / "uv.lock").exists()
