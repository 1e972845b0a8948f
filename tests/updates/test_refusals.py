"""What cannot be updated is refused in one line, with nothing written."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from conftest import UPSTREAM, Command, replace, run, tree
from test_bad_input import UNPRIVILEGED

from .conftest import FIRST, RULE, release
from .test_safety import files, is_clean


def nothing(shop: Path) -> None:
    """Prepare nothing."""


REFUSALS: dict[str, tuple[Callable[[Path], object], list[str], list[str]]] = {
    "changed": (
        lambda shop: replace(shop / "README.md", "# shop", "# Mine"),
        [],
        ["'README.md' is not committed", "commit or stash it first"],
    ),
    "untracked": (
        lambda shop: (shop / "mine.txt").write_text("mine"),
        [],
        ["'mine.txt' is not committed"],
    ),
    "staged": (
        lambda shop: run("git", "rm", "--quiet", "--cached", "README.md", cwd=shop),
        [],
        ["'README.md' is not committed"],
    ),
    "in the way": (
        lambda shop: (
            (shop / ".git" / "info").mkdir(),
            (shop / ".git" / "info" / "exclude").write_text("NEWS.md\n"),
            (shop / "NEWS.md").write_text("mine"),
        ),
        [],
        ["'NEWS.md' is in the way (git ignores it)", "move it away"],
    ),
    "another git": (
        lambda shop: (shop / ".git" / "index.lock").write_text(""),
        [],
        ["index.lock' is in the way (another git is at work)"],
    ),
    "no repository": (
        lambda shop: shutil.rmtree(shop / ".git"),
        [],
        ["it is in no git commit (not a git repository", "commit it first"],
    ),
    "no commit": (
        lambda shop: (shutil.rmtree(shop / ".git"), run("git", "init", "--quiet", cwd=shop)),
        [],
        ["it is in no git commit", "commit it first"],
    ),
    "no answers": (
        lambda shop: (shop / ".copier-answers.yml").unlink(),
        [],
        ["'shop' is no project of stackyard", "no .copier-answers.yml", "give the PATH of one"],
    ),
    "no YAML": (
        lambda shop: (shop / ".copier-answers.yml").write_text("a: [\n"),
        [],
        ["cannot read answers from 'shop/.copier-answers.yml'", "not YAML"],
    ),
    "another template": (
        lambda shop: (shop / ".copier-answers.yml").write_text("_src_path: x\n_commit: v1.0.0\n"),
        [],
        ["'shop' is no project of stackyard", "names no framework"],
    ),
    "no release": (
        lambda shop: replace(shop / ".copier-answers.yml", f"_commit: {FIRST}\n", ""),
        [],
        ["names no _commit"],
    ),
    "a release that never was": (
        lambda shop: (
            replace(shop / ".copier-answers.yml", f"_commit: {FIRST}", "_commit: v0.0.9"),
            run("git", "commit", "-qam", "x", cwd=shop),
        ),
        [],
        [f"there is no version 'v0.0.9' at '{UPSTREAM}'", f"{FIRST}, v998.0.0, v999.0.0"],
    ),
    "an unknown version": (
        nothing,
        ["--to", "v99.0.0"],
        ["there is no version 'v99.0.0'", "did you mean 'v999.0.0'?"],
    ),
    "an option as version": (
        nothing,
        ["--to=--upload-pack=x"],
        ["there is no version '--upload-pack=x'"],
    ),
    "back": (
        lambda shop: (
            replace(shop / ".copier-answers.yml", f"_commit: {FIRST}", "_commit: v999.0.0"),
            run("git", "commit", "-qam", "x", cwd=shop),
        ),
        ["--to", "v998.0.0"],
        ["cannot update from v999.0.0 back to v998.0.0", "--to"],
    ),
    "another framework": (
        nothing,
        ["-d", "framework=flask"],
        ["framework cannot change from 'fastapi' to 'flask'", "stackyard new --answers"],
    ),
    "an unknown value": (
        nothing,
        ["-d", "cache=memcached"],
        ["cache cannot be 'memcached'"],
    ),
    "an unknown option": (
        nothing,
        ["-d", "brokr=redis"],
        ["no option is called 'brokr': did you mean 'broker'?"],
    ),
    "a value that its release does not have": (
        nothing,
        ["--cache", "memcached"],
        ["cache cannot be 'memcached': choose from redis, none"],
    ),
    "a bad name": (
        nothing,
        ["-d", "project_slug=class"],
        ["project_slug cannot be 'class'"],
    ),
    "a value that is gone": (
        lambda shop: (
            replace(shop / ".copier-answers.yml", "cache: redis", "cache: memcached"),
            run("git", "commit", "-qam", "x", cwd=shop),
        ),
        [],
        ["v999.0.0 has no cache=memcached", "pass --cache with one of redis, none"],
    ),
    "a check of something else": (
        nothing,
        ["--check", "--to", "v998.0.0"],
        ["--check goes with --json only"],
    ),
}


@pytest.mark.parametrize("case", REFUSALS.values(), ids=REFUSALS.keys())
def test_what_cannot_be_updated_is_refused_in_one_line(
    user: Command,
    shop: Path,
    case: tuple[Callable[[Path], object], list[str], list[str]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    prepare, arguments, says = case
    for name in ("GIT_CONFIG_GLOBAL", "GIT_CONFIG_NOSYSTEM"):
        monkeypatch.setenv(name, user.environment[name])
    prepare(shop)
    before = tree(user.directory)
    done = user("update", "shop", *arguments)
    assert (done.returncode, done.stdout) == (2, ""), done.stderr
    assert done.stderr.count("\n") == 1
    for text in says:
        assert text in done.stderr
    assert tree(user.directory) == before
    assert user.leftovers() == []


def test_copier_itself_refuses_another_framework_too(user: Command, shop: Path) -> None:
    copier = Command(
        user.directory, user.temporary, user.environment, user.executable.with_name("copier")
    )
    before = files(shop)
    done = copier("update", "--defaults", "-d", "framework=flask", "shop")
    assert done.returncode
    assert "cannot change in an update: it was fastapi" in " ".join(done.stderr.split())
    assert files(shop) == before


def test_a_directory_that_cannot_be_written_is_refused(user: Command, shop: Path) -> None:
    """By a user who may read the project but not write it."""
    before = files(shop)
    shop.chmod(0o500)
    try:
        done = user("update", "shop", prefix=UNPRIVILEGED)
    finally:
        shop.chmod(0o755)
    assert done.returncode == 2
    assert "Permission denied" in done.stderr or "unable to unlink" in done.stderr
    assert files(shop) == before
    assert is_clean(shop)


def test_answers_that_the_newer_release_refuses(user: Command, shop: Path, other: Path) -> None:
    """None of them is dropped, as Copier would; another one is told, and all is well."""
    replace(other / "templates" / "catalogue.yml", "\n    refused:\n", RULE)
    release(other, {})
    before = tree(shop)
    done = user("update", "shop", "--trust-source")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        "stackyard: cache=redis (from .copier-answers.yml) does not go with"
        " tasks=celery (from .copier-answers.yml): they never met; choose --cache none\n"
    )
    assert tree(shop) == before
    done = user("update", "shop", "--trust-source", "-d", "cache=none")
    assert done.returncode == 0, done.stderr
    answers = yaml.safe_load((shop / ".copier-answers.yml").read_text())
    assert (answers["cache"], answers["tasks"]) == ("none", "celery")


def test_an_option_takes_what_the_newer_release_offers(
    user: Command, shop: Path, other: Path
) -> None:
    """Its values are those of the release that the project goes to, not of this one."""
    option = other / "templates" / "options" / "cache" / "option.yml"
    replace(
        option, "  default: redis\n", '    "Memcached: one more": memcached\n  default: redis\n'
    )
    release(other, {})
    done = user("update", "shop", "--trust-source", "--cache", "memcached")
    assert done.returncode == 0, done.stderr
    answers = yaml.safe_load((shop / ".copier-answers.yml").read_text())
    assert answers["cache"] == "memcached"
