"""What can be chosen."""

from __future__ import annotations

import json
import re
import subprocess
from dataclasses import replace
from typing import Any

import pytest
import yaml

from cli_docs import options
from combinations import TEMPLATE
from conftest import ROOT, VERSION, Command
from stackyard.commands.list import catalogue, print_catalogue
from stackyard.errors import flag
from stackyard.template import Template
from stackyard.template.catalogue import Rule

# Copier's `!include` stands alone in a document.
TEXT = re.sub("^(?:---|!include .+)$", "", (ROOT / "copier.yml").read_text(), flags=re.MULTILINE)
OPTIONS = re.findall("^!include (templates/options/.+)$", (ROOT / "copier.yml").read_text(), re.M)
QUESTIONS = {
    name: question
    for text in [TEXT, *((ROOT / path).read_text() for path in OPTIONS)]
    for name, question in yaml.safe_load(text).items()
    if not name.startswith("_") and question.get("when", True)
}


def default_of(question: dict[str, Any]) -> str:
    """Return what a question takes by itself; some go by other answers."""
    if "{%" not in question["default"]:
        return question["default"]
    return next(iter(question.get("choices", {}).values()), question.get("placeholder"))


def test_list_explains_every_question_and_choice(stackyard: Command) -> None:
    done = stackyard("list")
    assert (done.returncode, done.stderr) == (0, "")
    for name, question in QUESTIONS.items():
        if name != "framework":
            assert f"  {flag(name)}: {question['help']}" in done.stdout
        assert "{{" not in done.stdout
        for label, value in question.get("choices", {}).items():
            explanation = label.partition(": ")[2]
            default = " (default)" if value == default_of(question) else ""
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
        made_from_another = option["name"] == "project_slug"
        assert option["default"] == (None if made_from_another else default_of(question))
        values = [choice["value"] for choice in option["choices"]]
        assert values == list(question.get("choices", {}).values())


def test_list_tells_what_each_preset_says(stackyard: Command) -> None:
    told = next(line for line in stackyard("list").stdout.splitlines() if "  startup " in line)
    assert told.endswith(" (fastapi or flask, --cache redis, --tasks none)")
    presets = json.loads(stackyard("list", "--json").stdout)["presets"]
    assert [preset["name"] for preset in presets] == ["standard", "startup", "enterprise"]
    assert presets[1]["frameworks"] == ["fastapi", "flask"]
    assert presets[1]["answers"] == {"cache": "redis", "tasks": "none"}


@pytest.fixture
def ruled() -> Template:
    """A template with answers that do not go together."""
    rules = (
        Rule({"cache": ("none",), "tasks": ("celery",)}, "they never met", {"cache": "redis"}),
        Rule({"framework": ("flask", "pyramid"), "ci": ("none",)}, "no", {"framework": "fastapi"}),
    )
    return replace(TEMPLATE, catalogue=replace(TEMPLATE.catalogue, refused=rules))


def test_list_tells_what_does_not_go_together(
    ruled: Template, capsys: pytest.CaptureFixture[str]
) -> None:
    """With the reason, and with what to choose."""
    print_catalogue(ruled)
    assert capsys.readouterr().out.partition("together:\n")[2].splitlines() == [
        "  --cache none with --tasks celery: they never met; choose --cache redis",
        "  flask or pyramid with --ci none: no; choose the framework fastapi",
    ]


def test_json_of_list_tells_what_does_not_go_together(ruled: Template) -> None:
    assert catalogue(ruled)["refused"] == [
        {
            "answers": {"cache": ["none"], "tasks": ["celery"]},
            "because": "they never met",
            "instead": {"cache": "redis"},
        },
        {
            "answers": {"framework": ["flask", "pyramid"], "ci": ["none"]},
            "because": "no",
            "instead": {"framework": "fastapi"},
        },
    ]


def test_the_table_tells_of_each_answer_what_it_does_not_go_with(ruled: Template) -> None:
    cells = dict(re.findall(r"^\| `(.*?)` \| .* \| (.*) \|$", options(ruled), re.MULTILINE))
    assert cells["--cache none"] == "`--tasks celery`: they never met; choose `--cache redis`"
    assert cells["--tasks celery"] == "`--cache none`: they never met; choose `--cache redis`"
    assert cells["flask"] == cells["pyramid"] == "`--ci none`: no; choose `fastapi`"
    assert cells["--ci none"] == "`flask` or `pyramid`: no; choose `fastapi`"
    assert cells["--cache redis"] == cells["fastapi"] == ""


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
    """Without reading the template, and waiting for what does."""
    done = stackyard("--version", PYTHONPROFILEIMPORTTIME="1")
    assert done.stdout == f"stackyard {VERSION}\n"
    assert " click" in done.stderr
    for module in ("copier", "yaml", "stackyard.template"):
        assert f" {module}" not in done.stderr
