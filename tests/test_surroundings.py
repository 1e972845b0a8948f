"""What a machine has set for other work, or cannot show, does no harm."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest
from uv import find_uv_bin

from conftest import ROOT, Command, run, tree

NAME = "Książki"


@pytest.mark.parametrize("encoding", ["cp1252", "latin-1", "ascii", "ascii:strict"])
def test_what_a_terminal_cannot_show_is_told_in_escapes(stackyard: Command, encoding: str) -> None:
    """By every command, for what is made and for what is wrong."""
    terminal = {"PYTHONIOENCODING": encoding}
    data = ("-d", f"description={NAME} ▶", "-d", f"author_name={NAME}")
    statuses = {
        ("new", "fastapi", NAME, *data, "--dry-run"): 0,
        ("new", "fastapi", NAME, *data, "--no-lock"): 0,
        ("new", "fastapi", NAME): 2,
        ("show", NAME): 0,
        ("update", NAME, "-d", f"{NAME}=1"): 2,
        ("show", f"{NAME}/▶"): 2,
        ("list",): 0,
    }
    for arguments, status in statuses.items():
        done = stackyard(*arguments, **terminal)
        assert done.returncode == status, done.stderr
        assert "Traceback" not in done.stderr
    readme = (stackyard.directory / NAME / "README.md").read_text("utf-8")
    assert f"{NAME} ▶" in readme


@pytest.mark.parametrize("variable", ["UV_FROZEN", "UV_LOCKED", "UV_PROJECT", "UV_WORKING_DIR"])
def test_a_project_is_locked_whatever_uv_is_told_for_others(
    stackyard: Command, tmp_path: Path, variable: str
) -> None:
    """On the tested versions, and no other project is touched."""
    other = tmp_path / "other"
    other.mkdir()
    (other / "pyproject.toml").write_text('[project]\nname = "other"\nversion = "0"\n')
    before = tree(other)
    value = "1" if variable in ("UV_FROZEN", "UV_LOCKED") else str(other)
    done = stackyard("new", "fastapi", "shop", "--defaults", **{variable: value})
    assert (done.returncode, done.stderr) == (0, "")
    packages = tomllib.loads((stackyard.directory / "shop" / "uv.lock").read_text())["package"]
    locked = {f"{p['name']}=={p['version']}" for p in packages if "registry" in p["source"]}
    assert locked <= set((ROOT / "templates/pins/fastapi.txt").read_text().splitlines())
    assert tree(other) == before


def test_what_only_the_user_tells_uv_is_said(stackyard: Command) -> None:
    """It holds, and the lock file says so; everybody else's uv would make another."""
    done = stackyard("new", "fastapi", "shop", "--defaults", UV_RESOLUTION="lowest")
    assert done.returncode == 0
    assert "warning: uv.lock was made by your UV_RESOLUTION: for whoever" in done.stderr


@pytest.mark.parametrize(
    ("settings", "is_member"),
    [
        ('members = ["services/*"]', True),
        ('members = ["./services/shop", "libraries/*"]', True),
        ('members = ["services/*"]\nexclude = ["services/shop"]', False),
        ('members = ["*"]', False),
    ],
)
def test_a_workspace_of_uv_around_a_project_is_said(
    stackyard: Command, *, settings: str, is_member: bool
) -> None:
    """Where it has the project as a member, its own lock file is not used."""
    around = stackyard.directory / "pyproject.toml"
    around.write_text(f"[tool.uv.workspace]\n{settings}\n")
    done = stackyard("new", "fastapi", "services/shop", "--defaults", "--no-git")
    assert done.returncode == 0
    warnings = [line.split(": ")[2] for line in done.stderr.splitlines()]
    assert warnings == (["uv.lock will not be used"] if is_member else [])
    # As uv sees it.
    shop = stackyard.directory / "services" / "shop"
    run(find_uv_bin(), "lock", "--quiet", cwd=shop, env=stackyard.environment)
    assert (stackyard.directory / "uv.lock").exists() == is_member


def test_a_path_that_looks_like_an_option_is_told_as_a_path(stackyard: Command) -> None:
    done = stackyard("new", "fastapi", "-d", "project_name=shop", "--no-lock", "--", "-shop")
    assert done.returncode == 0, done.stderr
    assert "\n  cd ./-shop\n" in done.stdout
    run("bash", "-c", "cd ./-shop && git log", cwd=stackyard.directory)


def test_a_closed_output_is_no_fault(stackyard: Command) -> None:
    """As where a supervisor or a hook has closed it."""
    shut = ["bash", "-c", 'exec "$0" "$@" >&-']
    done = stackyard("new", "fastapi", "shop", "--defaults", "--no-lock", prefix=shut)
    assert (done.returncode, done.stderr) == (0, "")
