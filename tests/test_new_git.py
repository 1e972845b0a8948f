"""The repository of a new project, and its first commit."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from conftest import QUICK, ROOT, VERSION, Command, Git, generated
from stackyard.making.generate import generate
from stackyard.template import Template


def test_the_first_commit_holds_the_project(stackyard: Command, git: Git) -> None:
    stackyard("new", "fastapi", "shop", *QUICK)
    project = stackyard.directory / "shop"
    assert git(project, "log", "--format=%an <%ae> %s") == (
        f"Example Author <author@example.org> Start shop from stackyard {VERSION}"
    )
    assert git(project, "branch", "--show-current") == "main"
    assert git(project, "status", "--porcelain") == ""
    assert set(git(project, "ls-files").splitlines()) == set(generated(project))


def test_no_git_makes_no_repository(stackyard: Command) -> None:
    stackyard("new", "fastapi", "shop", *QUICK, "--no-git")
    assert not (stackyard.directory / "shop" / ".git").exists()


def test_a_work_tree_around_the_target_is_left_alone(stackyard: Command, git: Git) -> None:
    git(stackyard.directory, "init", "--quiet")
    stackyard("new", "fastapi", "services/shop", *QUICK)
    assert not (stackyard.directory / "services" / "shop" / ".git").exists()
    assert git(stackyard.directory, "status", "--porcelain") == "?? services/"


def test_where_the_work_tree_around_it_ignores_it_a_project_has_a_repository_of_its_own(
    stackyard: Command, git: Git
) -> None:
    """As those that `make new` makes here have, so that they can be updated."""
    git(stackyard.directory, "init", "--quiet")
    (stackyard.directory / ".gitignore").write_text("projects/\n")
    stackyard("new", "fastapi", "projects/shop", *QUICK)
    assert git(stackyard.directory / "projects" / "shop", "rev-list", "--count", "HEAD") == "1"
    assert git(stackyard.directory, "status", "--porcelain") == "?? .gitignore"


@pytest.mark.parametrize(
    ("answers", "author"),
    [
        (["-d", "author_name=Grace Example", "-d", "author_email=g@example.org"],
         "Grace Example <g@example.org>"),
        ([], "stackyard <stackyard@localhost>"),
    ],
)  # fmt: skip
def test_a_user_unknown_to_git_gets_a_commit(
    stackyard: Command, git: Git, answers: list[str], author: str
) -> None:
    done = stackyard("new", "fastapi", "shop", *answers, *QUICK, GIT_CONFIG_GLOBAL=os.devnull)
    assert done.stderr == ""
    assert git(stackyard.directory / "shop", "log", "--format=%an <%ae>") == author


def test_settings_of_the_user_cannot_break_the_commit(stackyard: Command, git: Git) -> None:
    hooks = stackyard.directory / "hooks"
    hooks.mkdir()
    for hook in ("pre-commit", "commit-msg", "post-commit"):
        (hooks / hook).write_text("#!/bin/sh\necho no >&2\nexit 1\n")
        (hooks / hook).chmod(0o755)
    (stackyard.directory / "ignored").write_text("*.toml\n.env.example\n")
    with Path(stackyard.environment["GIT_CONFIG_GLOBAL"]).open("a") as settings:
        settings.write(
            f"[core]\n\thooksPath = {hooks}\n\tautocrlf = true\n"
            f"\texcludesFile = {stackyard.directory}/ignored\n"
            "[commit]\n\tgpgSign = true\n\ttemplate = /nowhere\n[gpg]\n\tprogram = /bin/false\n"
            f"[init]\n\tdefaultBranch = trunk\n\ttemplateDir = {hooks}\n"
        )
    done = stackyard("new", "fastapi", "shop", *QUICK)
    assert done.stderr == ""
    project = stackyard.directory / "shop"
    assert git(project, "branch", "--show-current") == "main"
    assert set(git(project, "ls-files").splitlines()) == set(generated(project))


def test_a_git_hook_may_call_the_command(stackyard: Command, git: Git) -> None:
    other = stackyard.directory / "other"
    other.mkdir()
    git(other, "init", "--quiet")
    foreign = {"GIT_DIR": f"{other}/.git", "GIT_INDEX_FILE": f"{other}/.git/index"}
    done = stackyard("new", "fastapi", "shop", *QUICK, **foreign)
    assert (done.returncode, done.stderr) == (0, "")
    assert git(stackyard.directory / "shop", "log", "--format=%s").startswith("Start shop")
    assert not (other / ".git" / "index").exists()


def test_without_git_the_project_is_made_with_a_warning(
    stackyard: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From a plain directory: to read a checkout, Copier needs git."""
    plain = tmp_path / "plain"
    shutil.copytree(ROOT / "templates", plain / "templates")
    shutil.copy(ROOT / "copier.yml", plain)
    monkeypatch.setenv("PATH", "/nowhere")
    shop = stackyard.directory / "shop"
    made = generate(Template.load(plain), {}, shop, with_lock=False)
    assert made.warnings == (
        "no git repository was made: git is not installed; run 'git init' in the project later",
    )
    assert "pyproject.toml" in generated(shop)
    assert not (shop / ".git").exists()
