"""An update compares what git has: line ends, marks and encodings of a checkout are no edits."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from conftest import Command, run

from .conftest import ANSWERS, save

MARK = "\N{ZERO WIDTH NO-BREAK SPACE}".encode()


def check_out_anew(shop: Path) -> None:
    run("git", "rm", "-r", "--cached", "--quiet", ".", cwd=shop)
    run("git", "reset", "--hard", "--quiet", cwd=shop)


def by_autocrlf(shop: Path) -> None:
    run("git", "config", "core.autocrlf", "true", cwd=shop)
    check_out_anew(shop)


def by_attribute(shop: Path) -> None:
    (shop / ".gitattributes").write_text("* text=auto eol=crlf\n")
    save(shop, "Have the line ends of Windows")
    check_out_anew(shop)


def by_encoding(shop: Path) -> None:
    (shop / ".gitattributes").write_text("Makefile text working-tree-encoding=UTF-16LE\n")
    (shop / "Makefile").write_text((shop / "Makefile").read_text("utf-8"), "utf-16-le")
    save(shop, "Have it in UTF-16")


def in_every_commit(shop: Path, *names: str) -> None:
    for name in names or run("git", "ls-files", cwd=shop).split():
        (shop / name).write_bytes((shop / name).read_bytes().replace(b"\n", b"\r\n"))
    save(shop, "Write it with an editor of Windows")


def of_one_file(shop: Path) -> None:
    in_every_commit(shop, "Makefile")


def with_a_mark(shop: Path) -> None:
    (shop / "Makefile").write_bytes(MARK + (shop / "Makefile").read_bytes())
    save(shop, "Write it with another editor")


def how_it_is(file: Path) -> tuple[bool, bool]:
    """Tell whether all lines of a file end with CR LF, and a mark stands before them."""
    data = file.read_bytes()
    return data.count(b"\n") == data.count(b"\r\n"), data.startswith(MARK)


@pytest.mark.parametrize(
    "happens",
    [by_autocrlf, by_attribute, by_encoding, in_every_commit, of_one_file, with_a_mark],
)
def test_a_checkout_is_updated_and_stays_as_it_is_written(
    user: Command, shop: Path, happens: object
) -> None:
    """There is no conflict, no line differs that no release has changed, and no style does."""
    happens(shop)
    written = {name: how_it_is(shop / name) for name in ("Makefile", ANSWERS, "README.md")}
    told = user("update", "shop", "--check")
    assert (told.returncode, "2 releases behind" in told.stdout) == (1, True)
    diff = user("update", "shop", "--dry-run").stdout
    done = user("update", "shop")
    assert (done.returncode, done.stderr.count("\n")) == (0, 1), done.stdout + done.stderr
    assert yaml.safe_load((shop / ANSWERS).read_text("utf-8"))["_commit"] == "v999.0.0"
    assert {name: how_it_is(shop / name) for name in written} == written
    # The new file is written as the answers are.
    assert how_it_is(shop / "NEWS.md") == written[ANSWERS]
    counts = run("git", "diff", "--staged", "--numstat", cwd=shop).splitlines()
    assert "2\t2\tMakefile" in counts
    assert f"2\t1\t{ANSWERS}" in counts
    assert "0\t0\tProcfile => Processes" in counts
    assert run("git", "status", "--porcelain", cwd=shop).count("\n") == len(counts)
    assert "\\r" not in diff
    assert "+lint: $(OWN_UV) ## ruff, then mypy\n" in diff
