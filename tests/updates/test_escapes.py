"""What a project holds is printed as text that no terminal obeys."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from conftest import Command, replace

from .conftest import ANSWERS, save

ODD = "\x1b]0;x\x07\x1b[1A\x9b2K\u202e\u2066release v9 (current)"
CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]")


@pytest.mark.parametrize("command", [["show"], ["update", "--check"], ["update", "--dry-run"]])
def test_nothing_of_a_project_reaches_the_terminal_but_as_text(
    user: Command, shop: Path, command: list[str]
) -> None:
    """Answers, addresses, paths and what git says of them, lines of their own included."""
    odd = yaml.safe_dump(f"{ODD}\nrelease  v9 (current)", width=9999)
    for text in ("description: ", "odd: ", "_src_path: ", "_commit: "):
        file = shop / ANSWERS
        lines = [line for line in file.read_text().splitlines() if not line.startswith(text)]
        before = file.read_text()
        file.write_text("\n".join([*lines, f"{text}{odd}"]))
        for trust in ([], ["--trust-source"]):
            done = user(*command, "shop", *trust)
            assert CONTROLS.findall(done.stdout + done.stderr) == []
            assert "\nrelease  v9 (current)" not in done.stdout + done.stderr
            assert "Traceback" not in done.stderr
        file.write_text(before)


def test_no_path_reaches_the_terminal_but_as_text(user: Command, shop: Path) -> None:
    """Of the project itself, of what changes in it, of what is in conflict."""
    odd = shop.with_name(f"sh{ODD}op")
    shop.rename(odd)
    replace(odd / "Makefile", "# uv from PATH", f"# {ODD}")
    save(odd, "Mine")
    for arguments in (["--dry-run"], [], []):  # the last one finds it dirty
        done = user("update", odd.name, *arguments)
        assert done.returncode
        assert CONTROLS.findall(done.stdout + done.stderr) == []
    assert r"sh\x1b]0;x\x07" in done.stderr
