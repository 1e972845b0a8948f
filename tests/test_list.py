"""What can be chosen, and that README tells of every command and option."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import click
import pytest
import yaml

from conftest import ROOT, Command
from stackyard.cli import main

QUESTIONS = {
    name: question
    for name, question in yaml.safe_load((ROOT / "copier.yml").read_text()).items()
    if not name.startswith("_") and question.get("when", True)
}
COMMANDS = [
    (name, command) for name, command in main.commands.items() if isinstance(command, click.Command)
]


def test_list_explains_every_question_and_choice(stackyard: Command) -> None:
    done = stackyard("list")
    assert (done.returncode, done.stderr) == (0, "")
    for name, question in QUESTIONS.items():
        if name != "framework":
            assert f"  {name}: {question['help']}" in done.stdout
        for label, value in question.get("choices", {}).items():
            explanation = label.partition(": ")[2]
            default = " (default)" if value == question["default"] else ""
            line = next(line for line in done.stdout.splitlines() if explanation in line)
            assert line.split()[0] == value
            assert line.endswith(explanation + default)


def test_json_of_list_is_the_same_catalogue(stackyard: Command) -> None:
    catalogue = json.loads(stackyard("list", "--json").stdout)
    frameworks = QUESTIONS["framework"]["choices"].values()
    assert [framework["name"] for framework in catalogue["frameworks"]] == list(frameworks)
    assert [option["name"] for option in catalogue["options"]] == list(QUESTIONS)[1:]
    for option in catalogue["options"]:
        question = QUESTIONS[option["name"]]
        assert option["default"] == question["default"]
        values = [choice["value"] for choice in option["choices"]]
        assert values == list(question.get("choices", {}).values())


def test_a_reader_that_leaves_early_is_no_error(stackyard: Command) -> None:
    done = subprocess.run(
        f"for i in 1 2 3 4 5; do {stackyard.executable} list | true; done",
        shell=True,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_version_is_told(stackyard: Command) -> None:
    assert stackyard("--version").stdout == "stackyard 0.1.0\n"


@pytest.mark.parametrize("arguments", [[], ["--help"], ["new", "--help"], ["list", "-h"]])
def test_help_has_an_example(stackyard: Command, arguments: list[str]) -> None:
    done = stackyard(*arguments)
    assert (done.returncode, done.stderr) == (0, "")
    assert "Example" in done.stdout


@pytest.mark.parametrize(("name", "command"), COMMANDS)
def test_readme_tells_of_every_command_and_option(name: str, command: click.Command) -> None:
    readme = Path(ROOT / "README.md").read_text(encoding="utf-8")
    assert f"stackyard {name}" in readme
    options = [option for parameter in command.params for option in parameter.opts]
    told = [option for option in options if option.startswith("-")]
    assert [option for option in told if option not in readme] == []


@pytest.mark.parametrize("name", QUESTIONS)
def test_readme_tells_of_every_question(name: str) -> None:
    assert name in (ROOT / "README.md").read_text(encoding="utf-8")
