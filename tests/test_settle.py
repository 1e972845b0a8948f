"""What each option has, where that came from, and which answers do not go together."""

from __future__ import annotations

import shutil
from itertools import product
from pathlib import Path

import copier
import pytest
import yaml

from combinations import ROOT, TEMPLATE
from conftest import CHECKOUT_WARNINGS
from covering import groups
from stackyard.template import Template
from stackyard.template.catalogue import Rule
from stackyard.template.errors import (
    AnswerError,
    InvalidAnswerError,
    PresetFrameworkError,
    RefusedAnswersError,
    UnknownPresetError,
)
from stackyard.template.settle import Answer, Suggestions, refuse, settle

CATALOGUE = {
    "options": ["tasks", "broker", "errors"],
    "refused": [
        {
            "answers": {"broker": ["rabbitmq", "kafka"], "tasks": ["none"]},
            "because": "there is nothing to carry",
            "instead": {"tasks": "celery"},
        },
        {
            "answers": {"framework": ["flask"], "tasks": ["none"], "errors": ["sentry"]},
            "because": "three of them never met",
            "instead": {"errors": "none"},
        },
    ],
    "presets": {
        "standard": {"explanation": "as it is", "frameworks": [], "answers": {}},
        "small": {
            "explanation": "with little",
            "frameworks": ["flask", "pyramid"],
            "answers": {"tasks": "none"},
        },
    },
}
CHOICES = {
    "framework": ["fastapi", "flask", "pyramid"],
    "tasks": ["celery", "none"],
    "broker": ["redis", "rabbitmq", "kafka"],
    "errors": ["none", "sentry"],
}


@pytest.fixture
def template(tmp_path: Path) -> Template:
    """A template of four options, with a preset and with answers that do not go together."""
    root = tmp_path / "template"
    (root / "templates").mkdir(parents=True)
    shutil.copy(ROOT / "templates" / "refused.jinja", root / "templates")
    (root / "project").mkdir()
    (root / "project" / "made.txt.jinja").write_text("{{ tasks }} {{ broker }}")
    catalogue = {"type": "json", "when": False, "default": CATALOGUE}
    (root / "templates" / "catalogue.yml").write_text(
        yaml.safe_dump({"catalogue": catalogue}, sort_keys=False)
    )
    documents = ["_answers_file: .copier-answers.yml\n_subdirectory: project\n"]
    documents.append("!include templates/catalogue.yml\n")
    for name, values in CHOICES.items():
        validator = f"{{% set asked, answer = '{name}', {name} %}}"
        validator += "{% include 'templates/refused.jinja' %}"
        question = {"type": "str", "choices": {value: value for value in values}}
        question |= {"default": values[0], "validator": validator}
        (root / "templates" / f"{name}.yml").write_text(yaml.safe_dump({name: question}))
        documents.append(f"!include templates/{name}.yml\n")
    (root / "copier.yml").write_text("---\n".join(documents))
    return Template.load(root)


def remedy(rule: Rule) -> str:
    """Return what plain Copier says is to be chosen: it knows of no options of a command."""
    return " and ".join(f"{name}={value}" for name, value in rule.instead.items())


def values(settled: dict[str, Answer]) -> dict[str, str]:
    return {name: answer.value for name, answer in settled.items()}


# Where answers come from


def test_what_is_told_counts_most() -> None:
    """Then what the answers file has, the preset, what is suggested, and last the defaults."""
    told, recalled = {"license": "proprietary"}, {"license": "Apache-2.0", "description": "Mine."}
    suggestions = Suggestions(directory="Größe", author={"author_name": "Ada"})
    settled = settle(TEMPLATE, told, recalled=recalled, suggestions=suggestions)
    assert [*settled] == TEMPLATE.options
    assert (
        settled.items()
        >= {
            "license": Answer("proprietary"),
            "description": Answer("Mine.", ".copier-answers.yml"),
            "project_name": Answer("Größe", "PATH"),
            "project_slug": Answer("grosse", "project_name"),
            "author_name": Answer("Ada", "git"),
            "author_email": Answer("", "the defaults"),
            "framework": Answer("fastapi", "the defaults"),
        }.items()
    )


@pytest.mark.filterwarnings(CHECKOUT_WARNINGS)
@pytest.mark.parametrize(
    "told",
    [
        {},
        {"framework": "tornado-ws", "project_name": "Größe & Co"},
        {"project_name": "My  shop!", "license": "proprietary", "cache": "none", "tasks": "none"},
    ],
)
def test_defaults_are_those_of_copier(told: dict[str, str], tmp_path: Path) -> None:
    worker = copier.run_copy(
        str(ROOT), tmp_path / "shop", told, vcs_ref="HEAD", defaults=True, pretend=True, quiet=True
    )
    copiers = {name: worker.answers.combined[name] for name in TEMPLATE.options}
    assert values(settle(TEMPLATE, told)) == copiers


def test_no_question_waits_for_what_is_computed() -> None:
    """Settling knows of it no more than the catalogue: all else comes after the options."""
    names = [name for name in TEMPLATE.questions if name != "catalogue"]
    assert names[: len(TEMPLATE.options)] == TEMPLATE.options


def test_a_preset_stands_for_its_answers(template: Template) -> None:
    settled = settle(template, {}, suggestions=Suggestions(preset="small"))
    assert settled["framework"] == Answer("flask", "the defaults")  # the first that it is for
    assert settled["tasks"] == Answer("none", "the preset small")
    told = {"framework": "pyramid", "tasks": "celery"}
    assert values(settle(template, told, suggestions=Suggestions(preset="small"))) == {
        **told,
        "broker": "redis",
        "errors": "none",
    }


def test_a_preset_is_for_its_frameworks(template: Template) -> None:
    with pytest.raises(PresetFrameworkError) as refused:
        settle(template, {"framework": "fastapi"}, suggestions=Suggestions(preset="small"))
    assert str(refused.value) == (
        "the preset small is not for fastapi: choose flask or pyramid, or another preset"
        " (there is standard)"
    )


def test_a_preset_that_there_is_not(template: Template) -> None:
    with pytest.raises(UnknownPresetError, match="did you mean 'standard'"):
        settle(template, {}, suggestions=Suggestions(preset="standart"))


def test_a_template_of_an_older_release_declares_nothing(tmp_path: Path) -> None:
    """Its questions are one document; what is told and the defaults are all there is."""
    (tmp_path / "copier.yml").write_text(
        "_answers_file: .copier-answers.yml\n"
        "name: {type: str, default: shop}\n"
        "slug: {type: str, default: 'the-{{ name }}'}\n"
    )
    older = Template.load(tmp_path)
    assert older.catalogue.presets == {}
    assert values(settle(older, {"name": "shelf"})) == {"name": "shelf", "slug": "the-shelf"}


# What does not go together


@pytest.mark.parametrize(
    ("told", "preset", "says"),
    [
        (
            {"tasks": "none", "broker": "kafka"},
            "",
            "broker=kafka does not go with tasks=none: there is nothing to carry;"
            " choose --tasks celery",
        ),
        (
            {"broker": "rabbitmq", "framework": "flask"},
            "small",
            "broker=rabbitmq does not go with tasks=none (from the preset small): there is nothing"
            " to carry; choose --tasks celery",
        ),
        (
            {"errors": "sentry", "tasks": "none", "framework": "flask"},
            "",
            "framework=flask does not go with tasks=none and errors=sentry: three of them never"
            " met; choose --errors none",
        ),
    ],
)
def test_refused_answers_are_told_with_the_reason_and_what_to_choose(
    template: Template, told: dict[str, str], preset: str, says: str
) -> None:
    """Whoever says so: a default or a preset that is refused beside what is told, too."""
    with pytest.raises(RefusedAnswersError) as refused:
        settle(template, told, suggestions=Suggestions(preset=preset))
    assert str(refused.value) == says


def test_what_may_still_go_together_is_not_refused(template: Template) -> None:
    """As a wizard begins: what is not told is still to be answered."""
    refuse(template, {"broker": "kafka", "errors": "sentry", "framework": "flask"})
    for told in ({"broker": "kafka", "tasks": "none"}, {"tasks": "no"}, {"brokr": "redis"}):
        with pytest.raises(AnswerError):
            refuse(template, told)


def test_copier_refuses_the_same(template: Template, tmp_path: Path) -> None:
    """Alone, by the rules in Jinja; with the same reason, and nothing written."""
    told = [dict(zip(CHOICES, chosen, strict=True)) for chosen in product(*CHOICES.values())]
    refused = [answers for answers in told if template.catalogue.refusal(answers)]
    assert 0 < len(refused) < len(told)
    for number, answers in enumerate(told):
        place = tmp_path / str(number)
        rules = [rule for rule in template.catalogue.refused if rule.forbids(answers)]
        if not rules:
            copier.run_copy(str(template.root), place, answers, defaults=True, quiet=True)
            assert values(settle(template, answers)) == answers
            continue
        with pytest.raises(ValueError, match="does not go with") as refusal:
            copier.run_copy(str(template.root), place, answers, defaults=True, quiet=True)
        reasons = tuple(f": {rule.because}; choose {remedy(rule)}" for rule in rules)
        assert str(refusal.value).endswith(reasons)
        assert not place.exists()


@pytest.mark.filterwarnings(CHECKOUT_WARNINGS)
def test_copier_refuses_what_the_real_template_s_rules_say(tmp_path: Path) -> None:
    for number, rule in enumerate(TEMPLATE.catalogue.refused):
        told = {name: answers[0] for name, answers in rule.answers.items()}
        place = tmp_path / str(number)
        with pytest.raises(ValueError, match=rule.because):
            copier.run_copy(
                str(ROOT), place, told, vcs_ref="HEAD", defaults=True, unsafe=False, quiet=True
            )
        assert not place.exists()


def test_python_and_jinja_say_the_same_of_each_two_answers(template: Template) -> None:
    """When the second of them is asked for: of this template's, and of the real one's."""
    for each in (template, TEMPLATE):
        questions = [question for question in each.questions.values() if question.values]
        choices = {question.name: question.values for question in questions}
        for pair in groups(choices, 2):
            _, asked = pair
            rule = each.catalogue.refusal(pair)
            says = f"{rule.reason(asked, pair)}; choose {remedy(rule)}" if rule else ""
            assert each.refusal(asked, pair) == says, pair


def test_every_option_is_asked_by_the_rules() -> None:
    """Or plain Copier would not know of those that come to it."""
    for name in TEMPLATE.catalogue.options:
        rule = (
            f"{{% set asked, answer = '{name}', {name} %}}{{% include 'templates/refused.jinja' %}}"
        )
        assert rule in TEMPLATE.questions[name].validator


def test_a_validator_names_where_the_answer_came_from() -> None:
    with pytest.raises(InvalidAnswerError, match="project_name, taken from PATH, cannot be 'json'"):
        settle(TEMPLATE, {}, suggestions=Suggestions(directory="json"))
    with pytest.raises(InvalidAnswerError, match=r"description, taken from \.copier-answers\.yml,"):
        settle(TEMPLATE, {}, recalled={"description": "a\nb"})
