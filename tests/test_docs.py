"""`docs/cli.md`, README and the help tell of the command as it is."""

from __future__ import annotations

import re

import pytest

from cli_docs import DOCS, PAGES, page
from conftest import ROOT, Command
from stackyard.cli import main
from stackyard.errors import flag
from stackyard.template import Template

TOLD = (DOCS / "cli.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", PAGES)
def test_the_page_is_current(name: str) -> None:
    assert page(name) == (DOCS / name).read_text(encoding="utf-8"), "say: make docs"


@pytest.mark.parametrize("width", ["40", "200"])
def test_the_page_is_the_same_on_every_terminal(
    monkeypatch: pytest.MonkeyPatch, width: str
) -> None:
    monkeypatch.setenv("COLUMNS", width)
    assert page("cli.md") == TOLD


@pytest.mark.parametrize(
    "arguments",
    [[], ["-h"], ["--help"], *([name, "--help"] for name in main.commands)],
    ids=" ".join,
)
def test_help_has_an_example_and_no_path_of_this_machine(
    stackyard: Command, arguments: list[str]
) -> None:
    done = stackyard(*arguments)
    assert (done.returncode, done.stderr) == (0, "")
    assert "\n  Example" in done.stdout
    assert re.findall(r"(?<![\w.~/])/\w+", done.stdout + TOLD) == []


@pytest.mark.parametrize("command", ["new", "update"])
def test_help_has_an_option_for_each_question(stackyard: Command, command: str) -> None:
    """Apart from the command's own, with what can be chosen and, for a new project, the default."""
    _, _, answers = stackyard(command, "--help").stdout.partition("\nAnswers")
    told = " ".join(answers.split())
    for question in Template.installed().questions.values():
        option = f"{flag(question.name)} "
        if question.computed or question.name == "framework":
            assert option not in told
        elif question.choices:
            default = f" [default: {question.default}]" if command == "new" else " -"
            assert f"{option}[{'|'.join(question.values)}] {question.text}{default}" in told
        elif question.name == "resources":  # which an update does not change
            assert (f"{option}'NAME " in told) == (command == "new")
        else:
            assert f"{option}TEXT {question.text}" in told


@pytest.mark.parametrize("name", main.commands)
def test_readme_tells_of_every_command(name: str) -> None:
    assert f"stackyard {name} " in (ROOT / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", Template.installed().options)
def test_the_page_tells_of_every_option(name: str) -> None:
    assert (name if name == "framework" else flag(name)) in TOLD


def test_the_threat_model_names_tests_that_there_are() -> None:
    text = (ROOT / "docs" / "threat-model.md").read_text(encoding="utf-8")
    named = re.findall(r"`([\w/]+\.py)::(test_\w+)`", text)
    assert len(named) == text.count("::")
    for path, name in named:
        source = (ROOT / "tests" / path).read_text(encoding="utf-8")
        assert f"def {name}(" in source, f"{path}::{name}"
