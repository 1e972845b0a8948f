"""`AGENTS.md` is short, and what it names is there: whatever a project was made with."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from conftest import RENDERED

pytestmark = [
    pytest.mark.xdist_group("rendered"),
    pytest.mark.parametrize("name", RENDERED),
]


def words_of(project: Path) -> set[str]:
    """Return what stands between backticks."""
    return {*re.findall(r"`([^`]+)`", (project / "AGENTS.md").read_text("utf-8"))}


def test_it_is_short(rendered: dict[str, Path], name: str) -> None:
    """At most 60 lines: whoever reads it has other things to read."""
    text = (rendered[name] / "AGENTS.md").read_text("utf-8")
    assert len(text.splitlines()) <= 60
    assert "AGENTS.md" in (rendered[name] / "README.md").read_text("utf-8")


def test_its_commands_are_there(rendered: dict[str, Path], name: str) -> None:
    """`make` knows each target, and each file that a command is given exists."""
    project = rendered[name]
    makefile = (project / "Makefile").read_text("utf-8")
    targets = {*re.findall(r"^([a-z-]+): .*##", makefile, re.MULTILINE)}
    told = (re.sub(r'm=".*"', "", word) for word in words_of(project))
    commands = [command.split() for command in told if re.match(r"(make|uv run) ", command)]
    asked = [part for command in commands if command[0] == "make" for part in command[1:]]
    assert {"test", "lint", "format", "migration", "dev", "lock"} <= {*asked}
    assert {part for part in asked if re.fullmatch(r"[a-z-]+", part)} <= targets
    files = [part for command in commands for part in command if part.endswith(".py")]
    assert files
    assert [file for file in files if not (project / file).is_file()] == []


def test_its_paths_are_there(rendered: dict[str, Path], name: str) -> None:
    """All but `uv.lock`, which is not made here."""
    project = rendered[name]
    path = re.compile(r"[\w.-]+/([\w.-]+/)*([\w-]+\.\w+)?|[\w.-]*\.(py|md|toml|yaml|example)")
    paths = {word for word in words_of(project) if path.fullmatch(word)}
    assert len(paths) > 10
    assert [file for file in paths if not (project / file).exists()] == []


def test_what_it_names_is_in_the_code(rendered: dict[str, Path], name: str) -> None:
    """Each function or class."""
    project = rendered[name]
    code = "\n".join(path.read_text("utf-8") for path in project.rglob("*.py"))
    names = {word for word in words_of(project) if re.fullmatch(r"[A-Za-z_]+", word)} - {"ETag"}
    # Without the example there may be little that has to be named.
    assert names or RENDERED[name].get("example") == "none"
    assert [it for it in names if not re.search(rf"\b(def|class) {it}\b", code)] == []
