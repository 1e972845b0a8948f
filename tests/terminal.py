"""A terminal with somebody at it, who answers what a command asks."""

from __future__ import annotations

import os
import pty
import re
import select
import signal
import subprocess
import termios
import time
from pathlib import Path

import pytest
import yaml

from combinations import TEMPLATE
from conftest import Command, tree
from stackyard.errors import flag

ENTER, ESCAPE, UP, DOWN = b"\r", b"\x1b", b"\x1b[A", b"\x1b[B"
LEFT, HOME, END = b"\x1b[D", b"\x1b[H", b"\x1b[F"
CLEAR, CONTROL_C, CONTROL_D = b"\x15", b"\x03", b"\x04"
LEAVING = pytest.mark.parametrize(
    "how", [CONTROL_C, CONTROL_D, signal.SIGINT, signal.SIGTERM], ids=str
)


class Terminal:
    """A command that believes it talks to a person."""

    def __init__(self, command: Command, *arguments: str, height: int = 24) -> None:
        self.before = tree(command.directory)
        self.here, there = pty.openpty()
        termios.tcsetwinsize(there, (height, 200))
        environment = {
            k: v for k, v in command.environment.items() if k not in {"LINES", "COLUMNS"}
        }
        self.process = subprocess.Popen(
            [command.executable, *arguments],
            cwd=command.directory,
            env=environment | {"TERM": "xterm", "PROMPT_TOOLKIT_NO_CPR": "1"},
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

    def expect(self, text: str) -> str:
        """Wait for a text; return what came before it."""
        deadline = time.monotonic() + 20
        while text not in self.seen:
            assert time.monotonic() < deadline, self.seen
            assert self.read(), self.seen
        before, _, self.seen = self.seen.partition(text)
        return before

    def answer(self, *dialogue: tuple[str, bytes]) -> None:
        """Wait for each text, and then press keys."""
        for text, keys in dialogue:
            self.expect(text)
            self.send(keys)

    def send(self, keys: bytes | signal.Signals) -> None:
        if isinstance(keys, bytes):
            os.write(self.here, keys)
        else:
            self.process.send_signal(keys)

    def finish(self) -> int:
        while self.read():
            pass
        os.close(self.here)
        return self.process.wait(timeout=20)


def told(*but: str) -> list[str]:
    """Tell the preset, and the answer to every question but the framework, and but some."""
    texts = {"project_name": "shop", "project_slug": "shop", "description": "Books."}
    texts["resources"] = ""
    answers = {"preset": "standard", **texts, "author_name": "", "author_email": ""}
    answers["example"] = "books"  # which every framework has
    for question in TEMPLATE.questions.values():
        if question.choices and question.name not in {"framework", "example"}:
            answers[question.name] = "none" if "none" in question.values else question.default
    asked = {name: value for name, value in answers.items() if name not in but}
    return [word for name, value in asked.items() for word in (flag(name), value)]


def answers_of(project: Path) -> dict[str, str]:
    return yaml.safe_load((project / ".copier-answers.yml").read_text())


def assert_nothing_was_written(terminal: Terminal, command: Command) -> None:
    assert terminal.finish() == 2
    assert terminal.seen.endswith("stackyard: interrupted: nothing was written\n")
    assert "Traceback" not in terminal.seen
    assert tree(command.directory) == terminal.before
    assert command.leftovers() == []
