"""What is printed on a terminal, with colours and without."""

from __future__ import annotations

import os
import pty
import subprocess

import pytest

from conftest import Command

ESCAPE = "\x1b"


def on_a_terminal(command: Command, *arguments: str, **environment: str) -> str:
    """Return what a command prints, on stdout and stderr, where both are a terminal."""
    here, there = pty.openpty()
    process = subprocess.Popen(
        [command.executable, *arguments],
        cwd=command.directory,
        env={k: v for k, v in command.environment.items() if k != "NO_COLOR"} | environment,
        stdin=subprocess.DEVNULL,
        stdout=there,
        stderr=there,
    )
    os.close(there)
    printed = b""
    try:
        while chunk := os.read(here, 65536):
            printed += chunk
    except OSError:  # the other side is closed
        pass
    os.close(here)
    assert process.wait() == 0, printed
    return printed.decode()


@pytest.mark.parametrize(
    "arguments",
    [["list"], ["new", "fastapi", "shop", "--no-git", "-d", "cache=none"]],
    ids=["list", "new"],
)
def test_no_color_leaves_no_escape_sequence(stackyard: Command, arguments: list[str]) -> None:
    assert ESCAPE not in on_a_terminal(stackyard, *arguments, NO_COLOR="1")


@pytest.mark.parametrize("environment", [{}, {"NO_COLOR": ""}], ids=["absent", "empty"])
def test_no_color_that_is_not_set_changes_nothing(
    stackyard: Command, environment: dict[str, str]
) -> None:
    assert ESCAPE in on_a_terminal(stackyard, "list", **environment)
