"""On a terminal the command asks for what it was not told."""

from __future__ import annotations

import os
import pty
import re
import select
import signal
import subprocess
import time
from pathlib import Path

import pytest
import yaml

from conftest import Command

ENTER, DOWN, CONTROL_C, CONTROL_D = b"\r", b"\x1b[B", b"\x03", b"\x04"
CLEAR = b"\x15"


class Terminal:
    """A command that believes it talks to a person."""

    def __init__(self, command: Command, *arguments: str) -> None:
        self.here, there = pty.openpty()
        self.process = subprocess.Popen(
            [command.executable, *arguments],
            cwd=command.directory,
            env=command.environment | {"TERM": "xterm", "PROMPT_TOOLKIT_NO_CPR": "1"},
            stdin=there,
            stdout=there,
            stderr=there,
            start_new_session=True,
        )
        os.close(there)
        self.seen = ""

    def read(self) -> bool:
        """Take in what was printed; tell whether more may come."""
        ready, _, _ = select.select([self.here], [], [], 0.1)
        if ready:
            try:
                raw = os.read(self.here, 65536).decode(errors="replace")
            except OSError:  # the other side is closed
                return False
            self.seen += re.sub(r"\x1b\[[0-9;?]*[A-Za-z]|\r", "", raw)
        return True

    def expect(self, text: str) -> None:
        deadline = time.monotonic() + 20
        while text not in self.seen:
            assert time.monotonic() < deadline, self.seen
            assert self.read(), self.seen
        self.seen = self.seen.partition(text)[2]

    def send(self, keys: bytes) -> None:
        os.write(self.here, keys)

    def finish(self) -> int:
        while self.read():
            pass
        os.close(self.here)
        return self.process.wait(timeout=20)


def answers_of(project: Path) -> dict[str, str]:
    return yaml.safe_load((project / ".copier-answers.yml").read_text())


def test_what_was_not_told_is_asked(stackyard: Command) -> None:
    terminal = Terminal(stackyard, "new", "--no-lock", "-d", "description=Told.")
    terminal.expect("Which framework")
    terminal.expect("FastAPI: async")
    terminal.send(ENTER)
    terminal.expect("What is the service called?")
    terminal.send(CLEAR + b"shop" + ENTER)
    terminal.expect("Who writes it?")
    terminal.send(ENTER)
    terminal.expect("email address?")
    terminal.send(ENTER)
    terminal.expect("which license?")
    terminal.expect("Apache-2.0: permissive")
    terminal.send(DOWN + ENTER)
    terminal.expect("hold what is read often?")
    terminal.send(DOWN + ENTER)
    terminal.expect("background work")
    terminal.send(ENTER)
    terminal.expect("shop is ready in shop")
    assert terminal.finish() == 0
    told = answers_of(stackyard.directory / "shop")
    assert told["description"] == "Told."
    assert (told["license"], told["cache"], told["tasks"]) == ("Apache-2.0", "none", "celery")
    assert (told["author_name"], told["author_email"]) == ("Example Author", "author@example.org")


def test_a_bad_name_is_asked_for_again(stackyard: Command) -> None:
    terminal = Terminal(stackyard, "new", "fastapi", "--no-lock", "--dry-run")
    terminal.expect("What is the service called?")
    terminal.send(CLEAR + b"class" + ENTER)
    terminal.expect("is a keyword of Python")
    terminal.send(CONTROL_C)
    assert terminal.finish() == 2


def test_the_path_suggests_the_name(stackyard: Command) -> None:
    terminal = Terminal(stackyard, "new", "fastapi", "my-shop", "--no-lock", "--dry-run")
    terminal.expect("What is the service called?")
    terminal.expect("my-shop")
    terminal.send(CONTROL_C)
    assert terminal.finish() == 2


@pytest.mark.parametrize("arguments", [["--defaults"], ["--json"]])
def test_defaults_and_json_ask_nothing(stackyard: Command, arguments: list[str]) -> None:
    terminal = Terminal(stackyard, "new", "fastapi", "shop", "--no-lock", *arguments)
    assert terminal.finish() == 0
    assert answers_of(stackyard.directory / "shop")["author_name"] == ""


@pytest.mark.parametrize("key", [CONTROL_C, CONTROL_D, signal.SIGTERM], ids=str)
def test_leaving_a_prompt_writes_nothing(stackyard: Command, key: bytes | signal.Signals) -> None:
    terminal = Terminal(stackyard, "new", "--no-lock")
    terminal.expect("Which framework")
    terminal.send(ENTER)
    terminal.expect("What is the service called?")
    terminal.send(CLEAR)
    time.sleep(0.2)
    if isinstance(key, bytes):
        terminal.send(key)
    else:
        terminal.process.send_signal(key)
    assert terminal.finish() == 2
    assert "interrupted: nothing was written" in terminal.seen
    assert "Traceback" not in terminal.seen
    assert list(stackyard.directory.iterdir()) == []
    assert stackyard.leftovers() == []
