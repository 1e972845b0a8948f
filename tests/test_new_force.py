"""`stackyard new --force`, into a directory that is not empty."""

from __future__ import annotations

from pathlib import Path

import pytest

from conftest import QUICK, Command, Git, tree


@pytest.fixture
def occupied(stackyard: Command) -> Path:
    """A project directory with files of its owner's, some of them where ours go."""
    project = stackyard.directory / "shop"
    (project / "app").mkdir(parents=True)
    (project / "notes.txt").write_text("mine\n")
    (project / "app" / "own.py").write_text("mine\n")
    (project / "README.md").write_text("mine\n")
    (project / ".env").write_text("SECRET_KEY=mine\n")
    return project


def test_force_overwrites_only_what_the_template_makes(stackyard: Command, occupied: Path) -> None:
    done = stackyard("new", "fastapi", "shop", *QUICK, "--force")
    assert (done.returncode, done.stderr) == (0, "")
    assert (occupied / "README.md").read_text().startswith("# shop")
    kept = [occupied / "notes.txt", occupied / "app" / "own.py"]
    assert [path.read_text() for path in kept] == ["mine\n", "mine\n"]
    assert (occupied / ".env").read_text() == "SECRET_KEY=mine\n"
    assert stackyard.leftovers() == []


def test_force_commits_nothing_to_a_repository_that_is_there(
    stackyard: Command, git: Git, occupied: Path
) -> None:
    git(occupied, "init", "--quiet")
    stackyard("new", "fastapi", "shop", *QUICK, "--force")
    assert git(occupied, "rev-list", "--all", "--count") == "0"


def test_force_commits_only_what_was_generated(
    stackyard: Command, git: Git, occupied: Path
) -> None:
    stackyard("new", "fastapi", "shop", *QUICK, "--force")
    assert git(occupied, "status", "--porcelain").splitlines() == ["?? app/own.py", "?? notes.txt"]


@pytest.mark.parametrize("obstacle", ["directory for a file", "link for a directory", "file"])
def test_force_refuses_what_it_cannot_replace(
    stackyard: Command, occupied: Path, obstacle: str
) -> None:
    if obstacle == "directory for a file":
        (occupied / "pyproject.toml").mkdir()
    else:
        (occupied / "app").rename(stackyard.directory / "elsewhere")
        if obstacle == "link for a directory":
            (occupied / "app").symlink_to("../elsewhere")
        else:
            (occupied / "app").write_text("mine\n")
    before = tree(stackyard.directory)
    done = stackyard("new", "fastapi", "shop", *QUICK, "--force")
    assert (done.returncode, done.stderr.count("\n")) == (2, 1), done.stderr
    assert "cannot overwrite in 'shop'" in done.stderr
    assert tree(stackyard.directory) == before


def test_force_replaces_a_link_and_not_what_it_leads_to(stackyard: Command, occupied: Path) -> None:
    (stackyard.directory / "theirs.md").write_text("theirs\n")
    (occupied / "README.md").unlink()
    (occupied / "README.md").symlink_to("../theirs.md")
    stackyard("new", "fastapi", "shop", *QUICK, "--force")
    assert not (occupied / "README.md").is_symlink()
    assert (stackyard.directory / "theirs.md").read_text() == "theirs\n"
