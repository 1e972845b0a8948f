"""On a terminal the command asks for what it was not told, and before it writes."""

from __future__ import annotations

import os
import pty
import re
import select
import shlex
import signal
import subprocess
import sys
import termios
import time
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from conftest import Command, generated, tree
from stackyard.making.generate import generate
from stackyard.template import Template
from stackyard.template.errors import InvalidAnswerError
from stackyard.template.settle import slug

ENTER, ESCAPE, UP, DOWN = b"\r", b"\x1b", b"\x1b[A", b"\x1b[B"
LEFT, HOME, END = b"\x1b[D", b"\x1b[H", b"\x1b[F"
CLEAR, CONTROL_C, CONTROL_D = b"\x15", b"\x03", b"\x04"
LEAVING = pytest.mark.parametrize(
    "how", [CONTROL_C, CONTROL_D, signal.SIGINT, signal.SIGTERM], ids=str
)
# The questions after that of background jobs, in their order.
QUESTIONS = [question for question in Template.installed().questions.values() if question.text]
LATER = QUESTIONS[[question.name for question in QUESTIONS].index("tasks") + 1 :]


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


@pytest.fixture
def occupied(stackyard: Command) -> Command:
    (stackyard.directory / "full").mkdir()
    (stackyard.directory / "full" / "kept.txt").write_text("mine\n")
    return stackyard


def answers_of(project: Path) -> dict[str, str]:
    return yaml.safe_load((project / ".copier-answers.yml").read_text())


def assert_nothing_was_written(terminal: Terminal, command: Command) -> None:
    assert terminal.finish() == 2
    assert terminal.seen.endswith("stackyard: interrupted: nothing was written\n")
    assert "Traceback" not in terminal.seen
    assert tree(command.directory) == terminal.before
    assert command.leftovers() == []


def test_a_walk_from_the_first_question_to_the_command_that_repeats_it(
    stackyard: Command, tmp_path: Path
) -> None:
    terminal = Terminal(stackyard, "new", "--no-lock", "-d", "description=Told.")
    terminal.expect("Arrow keys move")
    terminal.answer(
        ("Which framework", b""),
        ("» fastapi     async, typed", DOWN + DOWN + UP + ENTER),
        ("framework    django-drf", b""),
        ("What is the service called? bookshelf", b"shop" + ENTER),
        ("Its short name? (of the package, the image and, by default, the directory) shop", ENTER),
        ("Who writes it?", ENTER),
        ("Their email address?", ENTER),
        ("Under which license?", b""),
        ("Apache-2.0   permissive, with", DOWN + ENTER),
        ("Cache (for what is read often)", DOWN + ENTER),
        ("Background jobs", ENTER),
        *[(question.text, ENTER) for question in LATER],
    )
    terminal.expect("shop/")
    for line in (
        "framework     django-drf",
        "project_name  shop",
        "project_slug  shop",
        "description   Told.",
        "author_name   Example Author",
        "author_email  author@example.org",
        "license       Apache-2.0",
        "cache         none",
        "tasks         celery",
        *(f"{question.name:12}  {question.default}" for question in LATER),
    ):
        terminal.expect(f"  {line}\n")
    terminal.expect(f"Make it in {stackyard.directory}/shop?")
    terminal.expect("write nothing")
    assert list(stackyard.directory.iterdir()) == []
    terminal.send(ENTER)
    terminal.expect("shop is ready in shop")
    terminal.expect("The same again, elsewhere:\n")
    assert terminal.finish() == 0

    repeat = shlex.split(terminal.seen.split("\n\n")[0])
    again = replace(stackyard, directory=tmp_path / "again", executable=Path(repeat[0]))
    again.directory.mkdir()
    assert again(*repeat[1:]).returncode == 0
    made = generated(stackyard.directory / "shop")
    assert generated(again.directory / "shop") == made
    assert "description: Told." in made[".copier-answers.yml"].decode()


def test_escape_goes_back_and_keeps_what_was_answered(stackyard: Command) -> None:
    terminal = Terminal(stackyard, "new", "--dry-run")
    terminal.expect("Which framework")
    terminal.send(ESCAPE)  # nothing is before the first question
    terminal.answer(
        ("tornado-ws", DOWN + ENTER),
        ("called?", b"first" + ENTER),
        ("directory) first", ENTER),
        ("in one line?", b"Kept." + ENTER),
        ("Who writes it?", ESCAPE),
        ("in one line? Kept.", ESCAPE),
        ("directory) first", ESCAPE),
        ("called? first", ESCAPE),
        ("» django-drf", DOWN + ENTER),
        ("called? first", b"second" + ENTER),
        ("directory) second", ENTER),
        ("in one line? Kept.", ENTER),
        ("Who writes it?", ENTER),
        ("Their email address?", ENTER),
        ("Under which license?", ENTER),
        ("Cache (for what is read often)", ENTER),
        ("Background jobs", ENTER),
        *[(question.text, ENTER) for question in LATER],
        ("To make it:\n", b""),
    )
    assert terminal.finish() == 0
    for part in ("new flask second", "--description Kept."):
        assert part in terminal.seen
    assert list(stackyard.directory.iterdir()) == []


@pytest.mark.parametrize("keys", [ESCAPE, DOWN + ENTER], ids=["Esc", "choice"])
def test_the_summary_leads_back_to_the_last_question(stackyard: Command, keys: bytes) -> None:
    terminal = Terminal(stackyard, "new", "fastapi", "shop", "--no-lock", *told("tasks"))
    terminal.answer(
        ("Background jobs", ENTER),
        ("tasks         celery", b""),
        ("write nothing", keys),
        ("» celery", DOWN + ENTER),
        ("tasks         none", b""),
        ("write nothing", ENTER),
        ("shop is ready in shop", b""),
    )
    assert terminal.finish() == 0
    assert answers_of(stackyard.directory / "shop")["tasks"] == "none"


def told(*but: str) -> list[str]:
    """Tell the answer to every question but the first, and but some."""
    answers = {
        "project_name": "shop",
        "project_slug": "shop",
        "description": "Books.",
        "author_name": "",
        "author_email": "",
        "license": "MIT",
        "cache": "none",
        "tasks": "none",
    } | {question.name: "none" for question in LATER}
    return [
        word
        for key, value in answers.items()
        if key not in but
        for word in ("-d", f"{key}={value}")
    ]


def test_where_all_is_told_the_summary_alone_is_left(stackyard: Command) -> None:
    terminal = Terminal(stackyard, "new", "fastapi", "--no-lock", *told())
    terminal.expect("shop/")
    terminal.expect("Make it in")
    terminal.send(ENTER)
    terminal.expect("shop is ready in shop")
    assert terminal.finish() == 0
    assert (stackyard.directory / "shop" / ".env").is_file()


def test_leaving_at_the_summary_writes_nothing(stackyard: Command) -> None:
    terminal = Terminal(stackyard, "new", "fastapi", "shop", *told("tasks"))
    terminal.answer(("Background jobs", ENTER), ("write nothing", UP + ENTER))
    assert_nothing_was_written(terminal, stackyard)


def test_y_makes_it_and_n_leaves(stackyard: Command) -> None:
    terminal = Terminal(stackyard, "new", "fastapi", "shop", "--no-lock", *told())
    terminal.answer(("write nothing (n)", b"n"))
    assert_nothing_was_written(terminal, stackyard)
    terminal = Terminal(stackyard, "new", "fastapi", "shop", "--no-lock", *told())
    terminal.answer(("write nothing (n)", b"y"))
    assert terminal.finish() == 0
    assert (stackyard.directory / "shop" / ".env").is_file()


@pytest.mark.parametrize("height", [24, 50, 400])
def test_the_summary_fits_on_the_screen(stackyard: Command, height: int) -> None:
    """What there is no room for is left out of the tree, never of the answers."""
    answers = told("project_slug")
    terminal = Terminal(stackyard, "new", "fastapi", "shop", *answers, height=height)
    terminal.answer(("directory) shop", ENTER))
    terminal.expect("Rendering the template ...\n")
    seen = terminal.expect("write nothing (n)")
    terminal.send(b"n")
    assert_nothing_was_written(terminal, stackyard)
    assert seen.count("\n") < height
    assert seen.startswith("shop/\n├── app/")
    assert ("tests/  " in seen) == (height < 400)
    assert ("├── conftest.py" in seen) == (height == 400)
    assert ("... and " in seen) == (height == 24)
    assert "  framework     fastapi\n" in seen


@LEAVING
def test_an_interrupt_at_the_summary_writes_nothing(
    stackyard: Command, how: bytes | signal.Signals
) -> None:
    terminal = Terminal(stackyard, "new", "fastapi", "shop", *told())
    terminal.answer(("write nothing", how))
    assert_nothing_was_written(terminal, stackyard)


@LEAVING
@pytest.mark.parametrize("question", ["framework", "project_name"])
def test_an_interrupt_at_a_prompt_writes_nothing(
    stackyard: Command, question: str, how: bytes | signal.Signals
) -> None:
    terminal = Terminal(stackyard, "new")
    terminal.expect("tornado-ws")
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
    terminal = Terminal(occupied, "new", "fastapi")
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
    terminal = Terminal(stackyard, "new", "fastapi")
    terminal.answer(
        ("What is the service called? bookshelf", keys + ENTER),
        (f"  project_name  {becomes}\n", CONTROL_C),
    )
    assert_nothing_was_written(terminal, stackyard)


def test_the_short_name_is_shown_before_the_directory_is_made(stackyard: Command) -> None:
    terminal = Terminal(stackyard, "new", "fastapi", *told("project_name", "project_slug"))
    terminal.answer(
        ("What is the service called?", "Größe 1".encode() + ENTER),
        ("directory) grosse-1", ESCAPE),
        ("called? Größe 1", b"Breite" + ENTER),
        ("directory) breite", ENTER),
        (f"Make it in {stackyard.directory}/breite?", b"n"),
    )
    assert_nothing_was_written(terminal, stackyard)


def test_the_first_question_waits_for_nothing_that_it_does_not_need(stackyard: Command) -> None:
    """Half of a run is importing Copier and Jinja."""
    python = replace(stackyard, executable=Path(sys.executable))
    terminal = Terminal(python, "-X", "importtime", "-m", "stackyard", "new")
    imported = terminal.expect("tornado-ws")
    assert "prompt_toolkit.application" in imported
    assert [name for name in ("copier", "jinja2", "slugify") if f"| {name}" in imported] == []
    terminal.send(CONTROL_C)
    terminal.finish()


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["fastapi", "full"], "'full' exists and is not empty"),
        (["-d", "project_slug=full"], "'full' exists and is not empty"),
        (["-d", "project_slug=class"], "it is a keyword of Python"),
        (["-d", "project_name=a/b"], "it must not contain a path separator"),
    ],
    ids=["PATH", "directory of the short name", "short name", "name"],
)
def test_what_was_told_is_judged_before_anything_is_asked(
    occupied: Command, arguments: list[str], says: str
) -> None:
    terminal = Terminal(occupied, "new", *arguments)
    assert terminal.finish() == 2
    assert terminal.seen.startswith("stackyard: ")
    assert says in terminal.seen


def test_the_path_suggests_the_name_and_git_the_author(stackyard: Command) -> None:
    terminal = Terminal(stackyard, "new", "fastapi", "deep/my-shop", "-d", "description=Told.")
    terminal.answer(
        ("What is the service called? my-shop", ENTER),
        ("directory) my-shop", ENTER),
        ("Who writes it? (for pyproject.toml and LICENSE; may be empty) Example Author", ENTER),
        ("Their email address? (may be empty) author@example.org", CONTROL_C),
    )
    assert_nothing_was_written(terminal, stackyard)


@pytest.mark.parametrize("arguments", [["--defaults"], ["--json"]])
def test_defaults_and_json_ask_nothing(stackyard: Command, arguments: list[str]) -> None:
    terminal = Terminal(stackyard, "new", "fastapi", "shop", "--no-lock", *arguments)
    assert terminal.finish() == 0
    assert answers_of(stackyard.directory / "shop")["author_name"] == "Example Author"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("project_name", ""),
        ("project_name", "_thread"),
        ("project_name", "a/b"),
        ("project_name", "a\tb"),
        ("project_slug", ""),
        ("project_slug", "none"),
        ("project_slug", "py-compile"),
        ("project_slug", "pydantic-core"),
        ("project_slug", "pydantic.core"),
        ("project_slug", "-a"),
        ("project_slug", "a\n"),
        ("description", "a\nb"),
        ("author_name", "\udcff"),
        ("author_email", "nobody"),
    ],
    ids=ascii,
)
def test_the_wizard_refuses_in_the_words_of_the_engine(
    tmp_path: Path, name: str, value: str
) -> None:
    template = Template.installed()
    answers = {"framework": "fastapi", name: value}
    with pytest.raises(InvalidAnswerError) as refused:
        generate(template, answers, tmp_path / "shop", dry_run=True)
    said = InvalidAnswerError(name, value, template.refusal(name, answers))
    assert str(refused.value) == str(said)


@pytest.mark.parametrize("name", ["bookshelf", "My  Shop!", "-2 Läden-"])
def test_the_wizard_suggests_the_directory_that_the_engine_makes(name: str) -> None:
    template = Template.installed()
    answers = {"framework": "flask", "project_name": name}
    assert generate(template, answers, dry_run=True).path == Path(slug(name))
