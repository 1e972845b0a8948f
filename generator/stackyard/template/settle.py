"""Settles answers: what each option has, and who says so, before anything is rendered."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

from stackyard.git import GitError, git
from stackyard.project import ANSWERS_FILE
from stackyard.template.catalogue import Preset
from stackyard.template.errors import (
    InvalidAnswerError,
    PresetFrameworkError,
    RefusedAnswersError,
    UnknownPresetError,
)
from stackyard.template.template import Template

DEFAULTS = "the defaults"
"""The source of an answer that nothing else gives."""

_NOTHING: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True)
class Answer:
    """What an option has; `source` is where that was taken from if nobody told it as such."""

    value: str
    source: str = ""


@dataclass(frozen=True)
class Suggestions:
    """What a new project takes where nothing is told, before the template's own defaults.

    `preset` is the name of one, `directory` that of the place where the project will be, `author`
    the answers that git knows.
    """

    preset: str = ""
    directory: str = ""
    author: Mapping[str, str] = field(default_factory=dict)

    def answer(self, template: Template, name: str, answers: Mapping[str, str]) -> Answer:
        """Return what an option takes that nobody has told, beside the answers before it.

        Raises:
            UnknownPresetError: if the template has no such preset.
        """
        preset = chosen(template, self.preset)
        if preset and name in preset.answers:
            return Answer(preset.answers[name], f"the preset {preset.name}")
        if name == "project_name" and self.directory:
            return Answer(self.directory, "PATH")
        if name == "project_slug":
            return Answer(slug(answers["project_name"]), "project_name")
        if name in self.author:
            return Answer(self.author[name], "git")
        default = template.default(name, answers)
        if preset and name == "framework" and default not in preset.frameworks:
            default = next(iter(preset.frameworks), default)
        return Answer(default, DEFAULTS)


def settle(
    template: Template,
    told: Mapping[str, str],
    *,
    recalled: Mapping[str, str] = _NOTHING,
    suggestions: Suggestions | None = None,
) -> dict[str, Answer]:
    """Return the answer to every option, in their order.

    What is not `told` is what an answers file has (`recalled`), else what is suggested, else the
    template's default. They are in order, each and together.

    Raises:
        AnswerError: naming what is not, and what to choose.
        TemplateError: if the template's own rules fail.
    """
    known = {name: Answer(value, ANSWERS_FILE) for name, value in recalled.items()}
    known |= {name: Answer(value) for name, value in told.items()}
    template.check(_values(known))
    settled: dict[str, Answer] = {}
    for name in template.options:
        before = _values(known | settled)
        if name in known:
            settled[name] = known[name]
        elif suggestions:
            settled[name] = suggestions.answer(template, name, before)
        else:
            settled[name] = Answer(template.default(name, before, recalled), DEFAULTS)
    _judge(template, settled, suggestions.preset if suggestions else "")
    return settled


def refuse(template: Template, told: Mapping[str, str], preset: str = "") -> None:
    """Refuse answers, and a preset, of which nothing can be made, whatever the other ones will be.

    Raises:
        AnswerError: naming what is not in order, and what to choose.
    """
    template.check(told)
    _judge(template, {name: Answer(value) for name, value in told.items()}, preset)


def chosen(template: Template, name: str) -> Preset | None:
    """Return a preset by its name; none where it has none.

    Raises:
        UnknownPresetError: if the template has no such preset.
    """
    presets = template.catalogue.presets
    if name and name not in presets:
        raise UnknownPresetError(name, presets)
    return presets.get(name)


def slug(name: str) -> str:
    """Return the short name that comes nearest to a project's in a-z, 0-9 and `-`."""
    from slugify import slugify

    return slugify(name, entities=False, decimal=False, hexadecimal=False)


def author(template: Template) -> dict[str, str]:
    """Return the author's name and email, as far as git knows them and they can be taken."""
    try:
        question = ("config", "--null", "--get-regexp", r"^user\.(name|email)$")
        output = git(Path.cwd(), *question)
    except (OSError, GitError):
        return {}
    entries = dict(entry.split("\n", 1) for entry in output.split("\0") if "\n" in entry)
    found = {f"author_{key.removeprefix('user.')}": value for key, value in entries.items()}
    return {
        name: value
        for name, value in found.items()
        if name in template.questions and not template.refusal(name, found)
    }


def _judge(template: Template, answers: Mapping[str, Answer], preset: str) -> None:
    """Refuse answers that do not go together, and those that the template's validators refuse."""
    values = _values(answers)
    wanted, framework = chosen(template, preset), values.get("framework")
    if wanted and framework and not wanted.suits(framework):
        raise PresetFrameworkError(wanted, framework, template.catalogue.presets)
    if rule := template.catalogue.refusal(values):
        sources = {name: answers[name].source for name in rule.answers if name in answers}
        raise RefusedAnswersError(rule, values, sources)
    for name in answers:
        if reason := template.refusal(name, values):
            culprit = name
            while answers[culprit].source in answers:
                culprit = answers[culprit].source
            raise InvalidAnswerError(culprit, values[culprit], reason, answers[culprit].source)


def _values(answers: Mapping[str, Answer]) -> dict[str, str]:
    return {name: answer.value for name, answer in answers.items()}
