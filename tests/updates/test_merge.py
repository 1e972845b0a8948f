"""The merge itself, on small trees: what becomes of each kind of difference."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

import pytest

from conftest import Command, commit, run
from stackyard.updating.errors import ObstructedUpdateError
from stackyard.updating.merge import Merge, WorkTree

LINES = [f"{number}\n" for number in range(20)]


def write(directory: Path, files: Mapping[str, str | bytes]) -> None:
    for name, held in files.items():
        path = directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(held.encode() if isinstance(held, str) else held)


@pytest.fixture
def merged(stackyard: Command, monkeypatch: pytest.MonkeyPatch):
    """Give a function that publishes what differs between two trees in a repository."""
    for name in ("GIT_CONFIG_GLOBAL", "GIT_CONFIG_NOSYSTEM"):
        monkeypatch.setenv(name, stackyard.environment[name])
    monkeypatch.chdir(stackyard.directory)

    def merge(
        base: Mapping[str, str | bytes],
        mine: Mapping[str, str | bytes],
        theirs: Mapping[str, str | bytes],
        prepare: Callable[[Path], None] = lambda _: None,
        programs: Iterable[str] = (),
    ) -> Merge:
        for name, files in {"base": base, "theirs": theirs, "shop": mine}.items():
            (stackyard.directory / name).mkdir()
            write(stackyard.directory / name, files)
        shop = stackyard.directory / "shop"
        run("git", "init", "--quiet", cwd=shop)
        commit(shop, "Start", stackyard.environment)
        for program in programs:
            (stackyard.directory / "theirs" / program).chmod(0o755)
        prepare(shop)
        merge = Merge(WorkTree.of(Path("shop")), stackyard.directory / "merge")
        merge.run(stackyard.directory / "base", stackyard.directory / "theirs", "v2.0.0")
        merge.publish(lambda _: None)
        return merge

    return merge


def held() -> dict[str, bytes]:
    """Map what is in the project now to its bytes."""
    return {
        os.fspath(path.relative_to("shop")): path.read_bytes()
        for path in Path("shop").rglob("*")
        if path.is_file() and ".git" not in path.parts
    }


def unmerged() -> list[str]:
    return run("git", "diff", "--name-only", "--diff-filter=U", "-z", cwd="shop").split("\0")[:-1]


def test_both_sides_of_one_file_are_kept(merged) -> None:
    lines = "".join(LINES)
    merged({"a": lines}, {"a": "mine\n" + lines}, {"a": lines + "theirs\n"})
    assert held() == {"a": f"mine\n{lines}theirs\n".encode()}


def test_an_edit_follows_a_file_that_either_side_renames(merged) -> None:
    lines = "".join(LINES)
    result = merged(
        {"a": lines, "x": lines.upper() + "x"},
        {"b": lines, "x": "mine\n" + lines.upper() + "x"},
        {"a": lines + "theirs\n", "y": lines.upper() + "x"},
    )
    assert held() == {"b": f"{lines}theirs\n".encode(), "y": f"mine\n{lines}x".encode()}
    assert result.conflicts == []


def test_a_file_may_become_a_directory_and_a_directory_a_file(merged) -> None:
    merged({"a": "1", "b/c": "2"}, {"a": "1", "b/c": "2"}, {"a/d": "3", "b": "4"})
    assert held() == {"a/d": b"3", "b": b"4"}


def test_what_both_added_differently_is_a_conflict(merged) -> None:
    result = merged({"x": ""}, {"x": "", "a": "mine\n"}, {"x": "", "a": "theirs\n"})
    assert [conflict.reason for conflict in result.conflicts] == ["added by you and by v2.0.0"]
    assert held()["a"] == b"<<<<<<< yours\nmine\n=======\ntheirs\n>>>>>>> v2.0.0\n"
    assert unmerged() == ["a"]


def test_what_both_added_alike_is_none(merged) -> None:
    result = merged({"x": ""}, {"x": "", "a": "same\n"}, {"x": "", "a": "same\n"})
    assert (result.conflicts, result.changes()) == ([], [])


def test_a_binary_file_that_both_changed_stays_the_users_as_a_conflict(merged) -> None:
    result = merged({"a": b"\0base"}, {"a": b"\0mine"}, {"a": b"\0theirs"})
    assert [conflict.path for conflict in result.conflicts] == ["a"]
    assert held() == {"a": b"\0mine"}
    assert unmerged() == ["a"]


@pytest.mark.parametrize("name", ["with space", "ünïcode", "tab\there", 'quo"te', "line\nbreak"])
def test_any_name_will_do(merged, name: str) -> None:
    base = {name: "1\n", f"{name}-gone": "1\n", f"{name}-off": "1\n"}
    mine = {name: "mine\n", f"{name}-gone": "1\n"}
    theirs = {name: "theirs\n", f"{name}-new": "1\n", f"{name}-off": "2\n"}
    result = merged(base, mine, theirs)
    assert held().keys() == {name, f"{name}-new"}
    assert unmerged() == [name]
    assert result.left_out == [f"{name}-off"]


def test_a_program_stays_one(merged) -> None:
    merged({"x": ""}, {"x": ""}, {"x": "", "program": "#!/bin/sh\n"}, programs=["program"])
    assert os.access("shop/program", os.X_OK)


def hide(shop: Path, path: str, held: str | None) -> None:
    """Put something where git ignores it: a file, or a link to an empty directory."""
    (shop / ".git" / "info").mkdir(exist_ok=True)
    (shop / ".git" / "info" / "exclude").write_text(f"/{path}\n")
    if held is None:
        (shop.parent / "elsewhere").mkdir()
        (shop / path).symlink_to(shop.parent / "elsewhere")
    else:
        write(shop, {path: held})


@pytest.mark.parametrize(
    ("obstacle", "what"), [("docs", "mine"), ("docs/guide.md", "mine"), ("docs", None)]
)
def test_nothing_that_git_ignores_is_overwritten(merged, obstacle: str, what: str | None) -> None:
    theirs = {"x": "1", "docs/guide.md": "new"}
    with pytest.raises(ObstructedUpdateError, match=f"'{obstacle}' is in the way"):
        merged({"x": ""}, {"x": ""}, theirs, prepare=lambda shop: hide(shop, obstacle, what))
    assert held() == {"x": b""} | ({obstacle: b"mine"} if what else {})
    assert what or not any(Path("elsewhere").iterdir())
