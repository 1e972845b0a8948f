"""Each prompt of the wizard: what keys do there, what is refused, and how it is left."""

from __future__ import annotations

import signal
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from conftest import Command
from terminal import (
    CLEAR,
    CONTROL_C,
    END,
    ENTER,
    HOME,
    LEAVING,
    LEFT,
    Terminal,
    assert_nothing_was_written,
    told,
)


@LEAVING
def test_an_interrupt_at_the_summary_writes_nothing(
    stackyard: Command, how: bytes | signal.Signals
) -> None:
    terminal = Terminal(stackyard, "new", "fastapi", "shop", *told())
    terminal.answer(("write nothing", how))
    assert_nothing_was_written(terminal, stackyard)


@LEAVING
@pytest.mark.parametrize("question", ["preset", "project_name"])
def test_an_interrupt_at_a_prompt_writes_nothing(
    stackyard: Command, question: str, how: bytes | signal.Signals
) -> None:
    terminal = Terminal(stackyard, "new", "fastapi")
    terminal.expect("startup")
    if question == "project_name":
        terminal.send(ENTER)
        terminal.expect("What is the service called?")
    terminal.send(how)
    assert_nothing_was_written(terminal, stackyard)


INTERRUPTED_IN_THE_LOOP = """
import signal, sys
from prompt_toolkit.history import History
load = History.load
async def interrupted(self):
    signal.raise_signal(signal.SIGINT)
    async for item in load(self):
        yield item
History.load = interrupted
sys.argv = ["stackyard", "new"]
from stackyard.__main__ import main
main()
"""


def test_an_interrupt_while_a_prompt_appears_leaves_no_traceback(stackyard: Command) -> None:
    """The event loop has tasks of its own, whose exceptions it reports itself."""
    python = replace(stackyard, executable=Path(sys.executable))
    terminal = Terminal(python, "-c", INTERRUPTED_IN_THE_LOOP)
    assert_nothing_was_written(terminal, stackyard)


@pytest.mark.parametrize(
    ("name", "slug", "says"),
    [
        ("Class", "class", "it is a keyword of Python"),
        ("FastAPI", "fastapi", "it is one of the project's own dependencies"),
        ("Full", "full", "'full' exists and is not empty (it holds 'kept.txt')"),
    ],
)
def test_a_bad_name_is_refused_in_the_prompt(
    occupied: Command, name: str, slug: str, says: str
) -> None:
    terminal = Terminal(occupied, "new", "fastapi", "--preset", "startup")
    terminal.answer(
        ("What is the service called?", b"a/b" + ENTER),
        ("it must not contain a path separator", CLEAR + name.encode() + ENTER),
        (f"directory) {slug}", ENTER),
        (says, CLEAR + b"shop" + ENTER),
        (f"project_name  {name}", b""),
        ("project_slug  shop", CONTROL_C),
    )
    assert_nothing_was_written(terminal, occupied)


@pytest.mark.parametrize(
    ("keys", "becomes"),
    [
        (b"My Shop!", "My Shop!"),
        (b"\x1b[200~My Shop!\x1b[201~", "My Shop!"),
        (b"\x7f" + b"s", "s"),
        (LEFT + b"s", "bookshelsf"),
        (b"\t" + b"s", "bookshelfs"),
        (END + b"s", "bookshelfs"),
        (HOME + b"s", "sbookshelf"),
        (CLEAR + b"s", "s"),
        (b"", "bookshelf"),
    ],
    ids=["typed", "pasted", "Backspace", "Left", "Tab", "End", "Home", "Ctrl-U", "Enter"],
)
def test_what_is_typed_replaces_what_is_suggested_and_keys_that_move_edit_it(
    stackyard: Command, keys: bytes, becomes: str
) -> None:
    terminal = Terminal(stackyard, "new", "fastapi", "--preset", "startup")
    terminal.answer(
        ("What is the service called? bookshelf", keys + ENTER),
        (f"  project_name  {becomes}\n", CONTROL_C),
    )
    assert_nothing_was_written(terminal, stackyard)


def test_the_first_question_waits_for_nothing_that_it_does_not_need(stackyard: Command) -> None:
    """Half of a run is importing Copier and Jinja."""
    python = replace(stackyard, executable=Path(sys.executable))
    terminal = Terminal(python, "-X", "importtime", "-m", "stackyard", "new")
    imported = terminal.expect("startup")
    assert "prompt_toolkit.application" in imported
    assert [name for name in ("copier", "jinja2", "slugify") if f"| {name}" in imported] == []
    terminal.send(CONTROL_C)
    terminal.finish()
