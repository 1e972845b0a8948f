"""`stackyard show`, and `stackyard new --answers`: what a project was made from, once more."""

from __future__ import annotations

import json
import shlex
from pathlib import Path

import pytest

from conftest import UPSTREAM, Command, commit, generated, replace, run, tree

from .conftest import FIRST

TOLD = ["-d", "cache=none", "-d", "description=It's a shop.", "-d", "license=proprietary"]
ANSWERS = ".copier-answers.yml"


def test_show_tells_what_a_project_was_made_from(user: Command, shop: Path) -> None:
    done = user("show", "shop")
    assert (done.returncode, done.stderr) == (0, "")
    assert f"release       {FIRST} (2 releases behind: v998.0.0, v999.0.0)\n" in done.stdout
    assert f"source        {UPSTREAM}\n" in done.stdout
    assert "framework     fastapi\n" in done.stdout
    assert "cache         redis\n" in done.stdout
    told = json.loads(user("show", "shop", "--json").stdout)
    assert told["path"] == str(shop)
    assert (told["framework"], told["release"], told["source"]) == ("fastapi", FIRST, UPSTREAM)
    assert told["behind"] == ["v998.0.0", "v999.0.0"]
    assert told["answers"]["tasks"] == "celery"


def test_what_it_says_repeats_the_project(user: Command) -> None:
    user("new", "flask", "shop", "--no-lock", *TOLD)
    repeat = json.loads(user("show", "shop", "--json").stdout)["repeat"]
    first = generated(user.directory / "shop")
    program, *words = shlex.split(repeat)
    assert program == str(user.executable)
    assert user(*words, "--no-lock").returncode == 0
    assert generated(user.directory / "shop-again") == first
    assert user(*words, "--no-lock").returncode == 2


@pytest.mark.parametrize(
    ("here", "path", "beside"),
    [
        ("shop", ".", "../shop-again"),
        ("shop/app", "..", "../../shop-again"),
        (".", "shop", "shop-again"),
    ],
)
def test_what_it_says_repeats_the_project_where_it_was_said(
    user: Command, shop: Path, here: str, path: str, beside: str
) -> None:
    """Beside the project, never into it."""
    before = tree(shop)
    inside = Command(user.directory / here, user.temporary, user.environment, user.executable)
    repeat = json.loads(inside("show", path, "--json").stdout)["repeat"]
    assert f"new fastapi {beside} " in repeat
    done = inside(*shlex.split(repeat)[1:], "--no-lock")
    assert (done.returncode, done.stderr) == (0, "")
    assert (user.directory / "shop-again" / "app").is_dir()
    assert tree(shop) == before


def test_nothing_advises_to_overwrite_a_project(user: Command, shop: Path) -> None:
    done = user("new", "fastapi", "shop", "--no-lock")
    assert (done.returncode, done.stdout) == (2, "")
    assert "'shop' is a project already: choose another PATH" in done.stderr
    assert "'stackyard update'" in done.stderr
    assert "--force" not in done.stderr


def test_without_a_network_all_but_the_releases_is_shown(user: Command, shop: Path) -> None:
    replace(shop / ANSWERS, UPSTREAM, "https://127.0.0.1:9/stackyard")
    done = user("show", "shop", "--trust-source")
    assert done.returncode == 0
    assert f"release       {FIRST} (unknown)\n" in done.stdout
    assert done.stderr.startswith("stackyard: warning: cannot reach the template at")
    assert done.stderr.count("\n") == 1
    done = user("show", "shop", "--json")
    assert json.loads(done.stdout)["behind"] is None


def test_where_nothing_is_released_the_newest_commit_counts(
    user: Command, upstream: Path, shop: Path, tmp_path: Path
) -> None:
    unreleased = tmp_path / "unreleased"
    run("git", "clone", "--quiet", "--no-tags", upstream, unreleased)
    first = run("git", "rev-parse", "--short", "HEAD", cwd=unreleased).strip()
    replace(
        unreleased / "templates" / "shared" / "all" / "Makefile.jinja", "# uv from", "# The uv from"
    )
    commit(unreleased, "Go on", user.environment)
    newest = run("git", "rev-parse", "--short", "HEAD", cwd=unreleased).strip()
    replace(shop / ANSWERS, f"_src_path: {UPSTREAM}", f"_src_path: {unreleased}")
    replace(shop / ANSWERS, f"_commit: {FIRST}", f"_commit: {first}")
    commit(shop, "Move", user.environment)
    done = user("update", "shop", "--check", "--trust-source")
    assert (done.returncode, "behind HEAD, nothing is released yet" in done.stdout) == (1, True)
    assert user("update", "shop", "--trust-source").returncode == 0
    assert f"_commit: {newest}\n" in (shop / ANSWERS).read_text()
    commit(shop, "Update", user.environment)
    assert user("update", "shop", "--check", "--trust-source").returncode == 0
    assert "Nothing was written" in user("update", "shop", "--trust-source").stdout


def test_show_of_the_directory_that_one_is_in(user: Command, shop: Path) -> None:
    inside = Command(shop, user.temporary, user.environment, user.executable)
    assert f"release       {FIRST}" in inside("show").stdout
    assert inside("update", "--check").stdout.startswith(f". is made from {FIRST}: 2 releases")


def test_show_of_what_is_no_project_is_refused(user: Command) -> None:
    for path in ("nowhere", "."):
        done = user("show", path)
        assert (done.returncode, done.stdout) == (2, "")
        assert f"'{path}' is no project of stackyard" in done.stderr


def test_answers_of_another_project_are_repeated(user: Command) -> None:
    user("new", "flask", "shop", "--no-lock", *TOLD)
    first = generated(user.directory / "shop")
    done = user("new", "--no-lock", "--answers", f"shop/{ANSWERS}", "-d", "project_name=shop")
    assert (done.returncode, "'shop' is a project already" in done.stderr) == (2, True)
    (user.directory / "other").mkdir()
    other = Command(user.directory / "other", user.temporary, user.environment, user.executable)
    done = other("new", "--no-lock", "--answers", f"../shop/{ANSWERS}")
    assert done.returncode == 0, done.stderr
    assert generated(user.directory / "other" / "shop") == first


def test_what_is_told_beside_them_goes_before_them(user: Command) -> None:
    user("new", "flask", "shop", "--no-lock", *TOLD)
    file = f"shop/{ANSWERS}"
    done = user("new", "pyramid", "twin", "--no-lock", "--answers", file, "-d", "cache=redis")
    assert done.returncode == 0, done.stderr
    user("new", "pyramid", "a/shop", "--no-lock", *TOLD[2:])
    assert generated(user.directory / "twin") == generated(user.directory / "a" / "shop")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (None, "there is no such file"),
        ("just text\n", "it holds no answers"),
        ("a: [\n", "it is not YAML"),
        ("cache: [redis]\n", "cache is not one value"),
        ("cach: redis\n", "no option is called 'cach': did you mean 'cache'?"),
        ("cache: memcached\n", "cache cannot be 'memcached'"),
        ("project_name: class\n", "project_name cannot be 'class'"),
    ],
)
def test_answers_that_cannot_be_taken_are_refused(
    user: Command, text: str | None, says: str
) -> None:
    if text is not None:
        (user.directory / "answers.yml").write_text(text)
    done = user("new", "fastapi", "shop", "--answers", "answers.yml", "--no-lock")
    assert (done.returncode, done.stdout) == (2, "")
    assert says in done.stderr
    assert done.stderr.count("\n") == 1
    assert not (user.directory / "shop").exists()


def test_a_directory_is_no_file_of_answers(user: Command) -> None:
    done = user("new", "fastapi", "shop", "--answers", ".", "--no-lock")
    assert done.returncode == 2
    assert "cannot read answers from '.': Is a directory; give a file such as" in done.stderr
