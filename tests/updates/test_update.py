"""`stackyard update`: to a newer release, to other answers, with what the user did kept."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from uv import find_uv_bin

from combinations import FRAMEWORKS
from conftest import (
    UPSTREAM,
    VERSION,
    Command,
    commit,
    generated,
    replace,
    run,
    tree,
)

from .conftest import FIRST, without_history

ANSWERS = ".copier-answers.yml"


def origin_of(kind: str, user: Command, upstream: Path, framework: str) -> None:
    """Make a project `shop` of the first release in one of the ways there are."""
    if kind == "wheel":
        done = user("new", framework, "shop", "--defaults", "--no-lock")
    elif kind == "checkout":
        python = user.executable.with_name("python")
        checkout = Command(
            user.directory,
            user.temporary,
            user.environment | {"PYTHONPATH": str(upstream / "generator")},
            python,
        )
        done = checkout("-m", "stackyard", "new", framework, "shop", "--defaults", "--no-lock")
    else:
        copier = Command(
            user.directory, user.temporary, user.environment, user.executable.with_name("copier")
        )
        told = ["-d", f"framework={framework}", "-d", "project_name=shop"]
        release = ["--vcs-ref", FIRST]
        done = copier("copy", "--defaults", *release, *told, str(upstream), "shop")
        run("git", "init", "--quiet", cwd=user.directory / "shop")
        commit(user.directory / "shop", "Start", user.environment)
    assert done.returncode == 0, done.stderr
    answers = yaml.safe_load((user.directory / "shop" / ANSWERS).read_text())
    assert answers["_commit"] == FIRST
    assert answers["_src_path"] == (UPSTREAM if kind == "wheel" else str(upstream))


@pytest.mark.parametrize("by", ["stackyard", "copier"])
@pytest.mark.parametrize("kind", ["wheel", "checkout", "copier"])
def test_a_project_of_any_origin_becomes_what_the_newest_release_makes(
    user: Command, upstream: Path, kind: str, by: str
) -> None:
    """By this command and by plain `copier update`; the prerelease is nobody's newest."""
    framework = FRAMEWORKS[["wheel", "checkout", "copier"].index(kind)]
    origin_of(kind, user, upstream, framework)
    project = user.directory / "shop"
    copier = user.executable.with_name("copier")
    if by == "copier":
        update = [copier, "update", "--defaults", "--quiet"]
        run(*update, cwd=project, env=user.environment)
    else:
        trust = [] if kind == "wheel" else ["--trust-source"]
        done = user("update", "shop", *trust)
        assert (done.returncode, f"from {FIRST} to v999.0.0" in done.stdout) == (0, True), (
            done.stderr
        )
        # All of it is staged, none of it committed.
        assert run("git", "diff", "--name-only", cwd=project, env=user.environment) == ""
    told = ["-d", f"framework={framework}", "-d", "project_name=shop"]
    if kind != "copier":  # which does not ask git
        told += ["-d", "author_name=Example Author", "-d", "author_email=author@example.org"]
    release = ["--vcs-ref", "v999.0.0"]
    copy = [copier, "copy", "--defaults", "--quiet", *release, *told, upstream, "fresh"]
    run(*copy, cwd=user.directory, env=user.environment)
    fresh = generated(user.directory / "fresh")
    updated = generated(project)
    source = f"_src_path: {UPSTREAM}\n" if kind == "wheel" else f"_src_path: {upstream}\n"
    fresh[ANSWERS] = fresh[ANSWERS].replace(f"_src_path: {upstream}\n".encode(), source.encode())
    assert updated == fresh


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_an_update_to_the_release_that_made_it_changes_nothing(
    user: Command, framework: str
) -> None:
    user("new", framework, "shop", "--defaults", "--no-lock")
    before = tree(user.directory)
    for arguments in (["--to", FIRST], ["-d", "cache=redis", "--to", VERSION]):
        done = user("update", "shop", *arguments)
        assert done.stdout == f"shop is current: {FIRST}. Nothing was written.\n", done.stderr
        assert done.returncode == 0
    assert tree(user.directory) == before
    assert user.leftovers() == []


def test_check_says_by_how_much_it_is_behind(user: Command, shop: Path) -> None:
    done = user("update", "shop", "--check")
    assert done.stdout == f"shop is made from {FIRST}: 2 releases behind: v998.0.0, v999.0.0\n"
    assert (done.returncode, done.stderr) == (1, "")
    done = user("update", "shop", "--check", "--json")
    assert (done.returncode, json.loads(done.stdout)["behind"]) == (1, ["v998.0.0", "v999.0.0"])
    replace(shop / ANSWERS, f"_commit: {FIRST}", "_commit: v999.0.0")
    done = user("update", "shop", "--check")
    assert (done.returncode, done.stdout) == (0, "shop is made from v999.0.0: current\n")
    replace(shop / ANSWERS, "_commit: v999.0.0", "_commit: v998.0.0-7-gabcdef0")
    done = user("update", "shop", "--check")
    assert done.stdout == "shop is made from v998.0.0-7-gabcdef0: 1 release behind: v999.0.0\n"


def test_edits_files_commits_and_branches_of_the_user_stay(
    user: Command, shop: Path, git: Callable[..., str]
) -> None:
    git(shop, "switch", "--quiet", "--create", "mine")
    replace(shop / "README.md", "# shop", "# The shop")
    replace(shop / "Procfile", "web:", "# Mine.\nweb:")
    (shop / "app" / "shelves.py").write_text("SHELVES = 3\n")
    (shop / "LICENSE").unlink()
    commit(shop, "Make it mine", user.environment)
    (shop / ".venv").mkdir()
    (shop / ".venv" / "notes").write_text("ignored\n")
    before, secret = git(shop, "log", "--all", "--format=%H %D"), (shop / ".env").read_bytes()
    done = user("update", "shop")
    assert (done.returncode, done.stderr.count("warning")) == (0, 0), done.stderr
    assert git(shop, "log", "--all", "--format=%H %D") == before
    assert (shop / "README.md").read_text().startswith("# The shop")
    assert "The uv of PATH" in (shop / "Makefile").read_text()
    assert (shop / "app" / "shelves.py").read_text() == "SHELVES = 3\n"
    assert not (shop / "LICENSE").exists()
    assert (shop / ".venv" / "notes").read_text() == "ignored\n"
    assert (shop / ".env").read_bytes() == secret
    # The release has another name for it, and the user's line has come along.
    assert "# Mine.\nweb:" in (shop / "Processes").read_text()
    assert not (shop / "Procfile").exists()
    git(shop, "commit", "--quiet", "-m", "Update")
    assert git(shop, "status", "--porcelain") == ""
    assert user("update", "shop", "--check").returncode == 0
    assert user.leftovers() == []


def test_a_question_that_is_new_is_answered_by_default_and_told(user: Command, shop: Path) -> None:
    done = user("update", "shop")
    assert "answered by default: mirror=hub" in done.stdout
    assert "mirror: hub" in (shop / ANSWERS).read_text()


def test_a_new_question_can_be_answered_at_once(user: Command, shop: Path) -> None:
    done = user("update", "shop", "-d", "mirror=own")
    assert done.returncode == 0, done.stderr
    assert "mirror: own" in (shop / ANSWERS).read_text()


def test_an_update_renames_no_project(user: Command) -> None:
    """One from before its short name was an answer keeps what the template's rule made of it."""
    named = ["-d", "project_name=Größe 1", "-d", "project_slug=gr-e-1"]
    user("new", "fastapi", "shop", "--no-lock", *named)
    shop = user.directory / "shop"
    replace(shop / ANSWERS, "project_slug: gr-e-1\n", "")
    commit(shop, "As it was", user.environment)
    done = user("update", "shop")
    assert done.returncode == 0, done.stderr
    assert "project_slug=gr-e-1" in done.stdout
    assert tomllib.loads((shop / "pyproject.toml").read_text())["project"]["name"] == "gr-e-1"
    assert "project_slug: gr-e-1\n" in (shop / ANSWERS).read_text()


def test_a_slug_that_was_made_or_told_stays(user: Command) -> None:
    user("new", "fastapi", "shop", "--no-lock", "-d", "project_name=Größe 1")
    shop = user.directory / "shop"
    user("update", "shop")
    assert tomllib.loads((shop / "pyproject.toml").read_text())["project"]["name"] == "grosse-1"
    assert "project_slug: grosse-1\n" in (shop / ANSWERS).read_text()


def test_a_conflict_is_marked_and_listed_and_can_be_resolved(
    user: Command, shop: Path, git: Callable[..., str]
) -> None:
    replace(shop / "Makefile", "# uv from PATH, or else", "# My uv, or else")
    commit(shop, "Mine", user.environment)
    before = tree(shop)
    done = user("update", "shop")
    assert done.returncode == 1
    assert "Makefile: changed by you and by v999.0.0" in done.stdout
    assert "git -C shop reset --hard" in done.stdout
    text = (shop / "Makefile").read_text()
    assert "<<<<<<< yours\n# My uv, or else" in text
    assert "# The uv of PATH, or else fetched from PyPI into .dev/.\n>>>>>>> v999.0.0\n" in text
    assert git(shop, "diff", "--name-only", "--diff-filter=U") == "Makefile"
    assert (shop / "NEWS.md").exists()
    again = user("update", "shop")
    assert (again.returncode, "is not committed" in again.stderr) == (2, True)
    # The command that was printed undoes all of it.
    git(shop, "reset", "--hard", "--quiet")
    after = tree(shop)
    assert {path: held for path, held in after.items() if not path.startswith(".git/")} == {
        path: held for path, held in before.items() if not path.startswith(".git/")
    }
    done = user("update", "shop", "--json")
    told = json.loads(done.stdout)
    assert done.returncode == 1
    assert told["conflicts"] == [{"path": "Makefile", "reason": "changed by you and by v999.0.0"}]
    (shop / "Makefile").write_text("all:\n")
    git(shop, "add", "Makefile")
    git(shop, "commit", "--quiet", "-m", "Update")
    assert git(shop, "status", "--porcelain") == ""


def test_what_the_release_drops_and_the_user_edited_is_kept_as_a_conflict(
    user: Command, shop: Path, git: Callable[..., str]
) -> None:
    (shop / ".dockerignore").write_text("# Mine.\n")
    commit(shop, "Mine", user.environment)
    done = user("update", "shop")
    assert done.returncode == 1
    says = "gone from v999.0.0: 'git rm' it, or 'git add' it to keep it\n"
    assert f".dockerignore: changed by you, {says}" in done.stdout
    assert (shop / ".dockerignore").read_text() == "# Mine.\n"
    assert git(shop, "status", "--porcelain", ".dockerignore") == "UD .dockerignore"


def test_what_the_user_deleted_and_the_release_changes_stays_deleted(
    user: Command, shop: Path, git: Callable[..., str]
) -> None:
    (shop / "Makefile").unlink()
    commit(shop, "Without make", user.environment)
    done = user("update", "shop")
    assert done.returncode == 0
    assert "you have deleted them: they stay so\n  Makefile\n" in done.stdout
    assert not (shop / "Makefile").exists()
    assert git(shop, "status", "--porcelain", "Makefile") == ""


def test_dry_run_shows_the_difference_and_writes_nothing(user: Command, shop: Path) -> None:
    before = tree(user.directory)
    done = user("update", "shop", "--dry-run")
    assert "-# uv from PATH, or else" in done.stdout
    assert "+# The uv of PATH, or else" in done.stdout
    assert f"from {FIRST} to v999.0.0: " in done.stdout
    assert done.stdout.endswith("would change; nothing was written.\n")
    assert (done.returncode, done.stderr) == (0, "")
    told = json.loads(user("update", "shop", "--dry-run", "--json").stdout)
    assert (told["from"], told["to"], told["written"]) == (FIRST, "v999.0.0", False)
    assert {"path": "NEWS.md", "status": "A"} in told["changes"]
    assert "+# The uv of PATH, or else" in told["diff"]
    assert tree(user.directory) == before
    assert user.leftovers() == []


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_answers_change_both_ways(user: Command, framework: str, git: Callable[..., str]) -> None:
    """Each time it is byte for byte what a project with these answers is from the start.

    But for its history, which goes on: `test_history.py`.
    """
    user("new", framework, "shop", "--defaults", "--no-lock")
    shop = user.directory / "shop"
    first = without_history(generated(shop))
    others = {
        "tasks": ("none", "celery"),
        "cache": ("none", "redis"),
        "broker": ("rabbitmq", "redis"),
    }
    for option, (other, before) in others.items():
        told = ["-d", f"{option}={other}"]
        user("new", framework, f"{option}/shop", "--no-lock", "--defaults", *told)
        done = user("update", "shop", "--to", FIRST, f"--{option}={other}")
        assert (done.returncode, f"other answers, still {FIRST}" in done.stdout) == (0, True)
        made = without_history(generated(user.directory / option / "shop"))
        assert without_history(generated(shop)) == made
        git(shop, "commit", "--quiet", "-m", f"With another {option}")
        done = user("update", "shop", "--to", FIRST, "-d", f"{option}={before}")
        assert done.returncode == 0, done.stderr
        assert without_history(generated(shop)) == first
        git(shop, "commit", "--quiet", "-m", f"With the {option} of before")


def test_a_project_may_be_part_of_a_repository(user: Command, git: Callable[..., str]) -> None:
    mono = user.directory / "mono"
    mono.mkdir()
    git(mono, "init", "--quiet")
    (mono / "Makefile").write_text("# uv from PATH, or else\n")
    done = user("new", "fastapi", "mono/services/shop", "--defaults", "--no-lock")
    assert done.returncode == 0, done.stderr
    replace(mono / "services" / "shop" / "README.md", "# shop", "# The shop")
    replace(mono / "services" / "shop" / "Makefile", "# uv from PATH, or else", "# My uv")
    commit(mono, "Start", user.environment)
    done = user("update", "mono/services/shop")
    assert done.returncode == 1
    assert (mono / "Makefile").read_text() == "# uv from PATH, or else\n"
    changed = git(mono, "diff", "--name-only", "HEAD").splitlines()
    assert changed
    assert all(path.startswith("services/shop/") for path in changed)
    assert git(mono, "diff", "--name-only", "--diff-filter=U") == "services/shop/Makefile"
    assert (mono / "services" / "shop" / "NEWS.md").exists()
    assert (mono / "services" / "shop" / "README.md").read_text().startswith("# The shop")


@pytest.mark.slow
def test_versions_move_with_the_release_but_for_those_that_the_user_chose(
    user: Command, git: Callable[..., str]
) -> None:
    """v999.0.0 pins other versions of two packages; one of them the user has moved before."""

    def locked() -> dict[str, str]:
        packages = tomllib.loads((shop / "uv.lock").read_text())["package"]
        return {package["name"]: package.get("version", "") for package in packages}

    user("new", "fastapi", "shop", "--defaults")
    shop = user.directory / "shop"
    first = locked()
    run(find_uv_bin(), "lock", "--quiet", "-P", "iniconfig==2.0.0", cwd=shop)
    commit(shop, "Choose", user.environment)
    dry = user("update", "shop", "--dry-run")
    assert "uv.lock is left out of this" in dry.stderr
    assert "1 package in it would get another version" in dry.stderr
    assert "uv.lock b/uv.lock" not in dry.stdout
    done = user("update", "shop")
    assert (done.returncode, "warning" in done.stderr) == (0, False), done.stderr
    assert locked() == first | {"idna": "3.10", "iniconfig": "2.0.0"}
    assert "M uv.lock (1 package changed)\n" in done.stdout
    assert "git diff --staged -- . ':!uv.lock'\n" in done.stdout
    run(find_uv_bin(), "lock", "--check", "--quiet", cwd=shop)
    git(shop, "commit", "--quiet", "-m", "Update")
    done = user("update", "shop", "-d", "tasks=none")
    assert done.returncode == 0, done.stderr
    assert "celery" not in locked()
    assert locked()["iniconfig"] == "2.0.0"
    run(find_uv_bin(), "lock", "--check", "--quiet", cwd=shop)


def test_without_a_registry_the_update_is_made_and_the_lock_file_left(
    user: Command, shop: Path
) -> None:
    (shop / "uv.lock").write_text("version = 1\n")
    commit(shop, "Lock", user.environment)
    nobody = {"UV_DEFAULT_INDEX": "http://127.0.0.1:9/simple", "UV_HTTP_RETRIES": "0"}
    done = user("update", "shop", "-d", "tasks=none", UV_CACHE_DIR=str(user.temporary), **nobody)
    assert done.returncode == 0
    assert "the dependencies are not locked" in done.stderr
    assert done.stderr.endswith("run later: cd shop && make lock\n")
    assert "celery" not in (shop / "pyproject.toml").read_text()
    assert (shop / "uv.lock").read_text() == "version = 1\n"
