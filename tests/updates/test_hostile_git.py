"""A repository that somebody else made, its `.git` and all, runs no command of theirs."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from conftest import Command, replace, run, tree

from .conftest import move, save

COMMANDS = [
    ["show", "."],
    ["update", "--check"],
    ["update", "--dry-run"],
    ["new", "flask", "inner", "--defaults", "--no-lock"],
    ["update"],
]


def configure(shop: Path, text: str) -> None:
    with (shop / ".git" / "config").open("a") as file:
        file.write(text)


def monitor(shop: Path, trap: Path) -> None:
    configure(shop, f"[core]\n\tfsmonitor = {trap}\n")


def hooks(shop: Path, trap: Path) -> None:
    place = shop / ".git" / "hooks"
    place.mkdir(exist_ok=True)
    for name in ("post-index-change", "reference-transaction", "post-checkout", "post-merge"):
        shutil.copy(trap, place / name)
    configure(shop, f"[core]\n\thooksPath = {place}\n")


def filters(kind: str) -> Callable[[Path, Path], None]:
    def prepare(shop: Path, trap: Path) -> None:
        (shop / ".gitattributes").write_text("* filter=odd.name\n")
        save(shop, "Filter")
        configure(shop, f'[filter "odd.name"]\n\t{kind} = {trap}\n\trequired = true\n')
        for path in shop.rglob("*.*"):  # so that git has to look whether they have changed
            os.utime(path, (1, 1), follow_symlinks=False)

    return prepare


def included(shop: Path, trap: Path) -> None:
    (shop / ".gitconfig").write_text("")
    filters("clean")(shop, trap)
    text = (shop / ".git" / "config").read_text()
    (shop / ".git" / "more").write_text(text[text.index("[filter") :])
    (shop / ".git" / "config").write_text(
        text[: text.index("[filter")] + "[include]\n\tpath=more\n"
    )


def submodule(shop: Path, trap: Path) -> None:
    lib = shop / "lib"
    lib.mkdir()
    run("git", "init", "--quiet", cwd=lib)
    (lib / ".gitattributes").write_text("* filter=odd\n")
    save(lib, "Start")
    run("git", "-c", "advice.addEmbeddedRepo=false", "add", "lib", cwd=shop)
    save(shop, "Add a library")
    configure(lib, f'[core]\n\tfsmonitor = {trap}\n[filter "odd"]\n\tclean = {trap}\n')
    os.utime(lib / ".gitattributes", (1, 1))


def promisor(shop: Path, trap: Path) -> None:
    """Git asks for objects that are missing where the repository says that they are."""
    run("git", "repack", "-adq", cwd=shop)
    remote = f"promisor = true\n\turl = {shop}\n\tuploadpack = {trap}"
    configure(shop, f'[extensions]\n\tpartialClone = origin\n[remote "origin"]\n\t{remote}\n')
    replace(shop / ".git" / "config", "repositoryformatversion = 0", "repositoryformatversion = 1")
    shutil.rmtree(shop / ".git" / "objects" / "pack")


def alternates(shop: Path, trap: Path) -> None:
    other = shop / ".git" / "other"
    run("git", "init", "--quiet", "--bare", other)
    (shop / ".git" / "objects" / "info" / "alternates").write_text(f"{other}/objects\n")
    configure(shop, f"[core]\n\talternateRefsCommand = {trap}\n")


def rewritten(shop: Path, trap: Path) -> None:
    """Every path is an address that a command answers for."""
    configure(shop, f'[protocol]\n\tallow = always\n[url "ext::{trap} "]\n\tinsteadOf = /\n')


def by(source: str, settings: str) -> Callable[[Path, Path], None]:
    def prepare(shop: Path, trap: Path) -> None:
        move(shop, f"_src_path: '{source.format(trap=trap)}'\n")
        configure(shop, settings.format(trap=trap))

    return prepare


ATTACKS = {
    "fsmonitor": monitor,
    "hooks": hooks,
    "clean": filters("clean"),
    "smudge": filters("smudge"),
    "process": filters("process"),
    "included": included,
    "submodule": submodule,
    "promisor": promisor,
    "alternates": alternates,
    "rewritten": rewritten,
    "ssh": by("ssh://git@127.0.0.1:9/x", "[core]\n\tsshCommand = {trap}\n"),
    "proxy": by("git://127.0.0.1:9/x", "[core]\n\tgitProxy = {trap}\n"),
    "ext": by("ext::{trap}", "[protocol]\n\tallow = always\n"),
}
UNREACHABLE = {"promisor", "ssh", "proxy", "ext"}


def test_a_repository_has_nothing_written_elsewhere(
    user: Command, shop: Path, tmp_path: Path
) -> None:
    """Its work tree is where the project is, or the update would write to a place of its choice."""
    home = tmp_path / "home"
    shutil.copytree(shop, home, ignore=lambda *_: {".git"})
    configure(shop, f"[core]\n\tworktree = {home}\n")
    before = tree(home)
    done = user("update", "shop")
    assert (done.returncode, done.stderr.count("\n")) == (2, 1), done.stderr
    assert f"its repository has its files in '{home}'" in done.stderr
    assert tree(home) == before


def test_no_link_in_git_s_directory_is_written_through(
    user: Command, shop: Path, tmp_path: Path
) -> None:
    """The copy of the index that an update works on may be a link already."""
    mine = tmp_path / "mine"
    mine.write_text("mine")
    (shop / ".git" / "index.stackyard").symlink_to(mine)
    assert user("update", "shop").returncode == 0
    assert mine.read_text() == "mine"
    assert not (shop / ".git" / "index").is_symlink()


def test_edits_that_git_does_not_see_are_kept(user: Command, shop: Path) -> None:
    """Of a file that it was told to take for unchanged git does not say that it is edited."""
    run("git", "update-index", "--assume-unchanged", "LICENSE", "pyproject.toml", cwd=shop)
    for name in ("LICENSE", "pyproject.toml"):
        with (shop / name).open("a") as file:
            file.write("# mine\n")
    done = user("update", "shop", "-d", "tasks=none")
    assert (done.returncode, done.stderr.count("\n")) == (2, 1), done.stderr
    assert "'pyproject.toml' is in the way (git was told to take it for unchanged)" in done.stderr
    for name in ("LICENSE", "pyproject.toml"):
        assert (shop / name).read_text().endswith("# mine\n")


@pytest.mark.parametrize("attack", ATTACKS)
def test_a_repository_runs_nothing(
    user: Command, shop: Path, trap: Path, ran: Path, attack: str
) -> None:
    """Whatever its configuration says, from inside of it and from elsewhere."""
    (shop.parent / "elsewhere").mkdir()
    ATTACKS[attack](shop, trap)
    ran.unlink(missing_ok=True)  # by what prepared it
    inside = Command(shop, user.temporary, user.environment, user.executable)
    for command in COMMANDS:
        trust = [] if command[0] == "new" else ["--trust-source"]
        done = inside(*command, *trust)
        assert not ran.exists(), (command, ran.read_text())
        assert "Traceback" not in done.stderr
        shutil.rmtree(shop / "inner", ignore_errors=True)
    assert (shop / "NEWS.md").exists() is (attack not in UNREACHABLE), done.stderr
    assert user.leftovers() == []
