"""The wizard: asks on the terminal for what was not told, and makes nothing itself."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import questionary

from stackyard.commands import prompts
from stackyard.commands.tree import print_plan
from stackyard.errors import shown
from stackyard.making.errors import TargetError
from stackyard.making.generate import generate
from stackyard.making.target import Target
from stackyard.resources import QUESTION, ResourceError, canonical
from stackyard.template import Choice, Question, Template
from stackyard.template.settle import Suggestions, author, refuse

_PRESET = "preset"
"""The name of the question that is the command's own, and no option of the template."""

_MAKE = Choice("make", "write these files (y)")
_CHANGE = Choice("change", "go back to the last question")
_LEAVE = Choice("leave", "write nothing (n)")


def plan(
    template: Template,
    told: Mapping[str, str],
    path: Path | None,
    *,
    preset: str,
    force: bool,
    confirm: bool,
    progress: Callable[[str], None],
) -> dict[str, str]:
    """Ask for the answers to a new project; with `confirm`, show it and ask whether to make it.

    `progress` gets a line before what is slow.

    Raises:
        StackyardError: before anything is asked, if nothing can be made of what was told.
        KeyboardInterrupt: if the user leaves.
    """
    refuse(template, told, preset=preset)
    target = Target.at(path, force=force) if path else None
    if target is None and "project_slug" in told:
        Target.at(Path(told["project_slug"]), force=force)
    known = {**({_PRESET: preset} if preset else {}), **told}
    wizard = _Wizard(template, known, target, force=force)

    def show(answers: Mapping[str, str]) -> Path:
        progress("Rendering the template ...")
        project = generate(template, answers, path, dry_run=True, force=force)
        print_plan(project)
        return project.path

    return wizard.ask(show if confirm else None)


@dataclass(frozen=True)
class _Wizard:
    """What is asked for a new project, be it the preset or an option, and what can be answered.

    `target` is where it was told to go.
    """

    template: Template
    told: Mapping[str, str]
    target: Target | None
    force: bool

    def ask(self, show: Callable[[Mapping[str, str]], Path] | None) -> dict[str, str]:
        """Ask for what was not told, back and forth; return the answer to every option.

        `show` shows all of them at the end and returns where the project will be, and they are
        taken once the user has said so.

        Raises:
            KeyboardInterrupt: if the user leaves.
        """
        questions = self._questions()
        asked = [name for name in questions if name not in self.told]
        values = dict(self.told)
        position = 0
        while position < len(asked) or show:
            ahead = asked[position:]
            known = {name: values[name] for name in questions if name not in ahead}
            if ahead:
                name = ahead[0]
                default = values[name] if name in values else self._suggest(name, known)
                reply = prompts.run(
                    self._prompt(questions[name], default, known), known, may_go_back=position > 0
                )
            elif show:
                reply = _confirm(show(self._options(known)), may_go_back=bool(asked))
                if reply:
                    break
            if reply is None:
                position -= 1
                continue
            if name == QUESTION:
                reply = canonical([reply])
            if reply != values.get(name):
                for other in self._suggested_by(name):
                    if other in ahead:
                        values.pop(other, None)
            values[name] = reply
            position += 1
        return self._options(values)

    def _questions(self) -> dict[str, Question]:
        """Return what a project is made of, in the order in which it is asked.

        The preset is the first if something is left for which it has an answer.
        """
        presets = self.template.catalogue.presets.values()
        first = {}
        if _PRESET in self.told or any(preset.answers.keys() - self.told for preset in presets):
            choices = tuple(Choice(preset.name, preset.explanation) for preset in presets)
            text = "Which preset should suggest the answers?"
            first[_PRESET] = Question(_PRESET, text, choices[0].value, choices, computed=False)
        return first | {name: self.template.questions[name] for name in self.template.options}

    def _options(self, values: Mapping[str, str]) -> dict[str, str]:
        return {name: values[name] for name in self.template.options}

    def _suggested_by(self, name: str) -> list[str]:
        """Return what is suggested anew once another answer is given to a question."""
        if name == _PRESET:
            presets = self.template.catalogue.presets.values()
            return ["framework", *(option for preset in presets for option in preset.answers)]
        return ["project_slug"] if name == "project_name" else []

    def _suggest(self, name: str, known: Mapping[str, str]) -> str:
        if name == _PRESET:
            return next(iter(self.template.catalogue.presets))
        directory = self.target.place.name if self.target else ""
        signed = author(self.template) if name.startswith("author_") else {}
        suggestions = Suggestions(known.get(_PRESET, ""), directory, signed)
        return suggestions.answer(self.template, name, known).value

    def _prompt(
        self, question: Question, default: str, known: Mapping[str, str]
    ) -> questionary.Question:
        def barred(value: str) -> str:
            return self._barred(question.name, {**known, question.name: value})

        def refusal(value: str) -> str:
            return self._refusal(question.name, {**known, question.name: value})

        if question.choices:
            return prompts.select(question.text, question.choices, default, barred)
        return prompts.text(question.text, default, refusal)

    def _barred(self, name: str, answers: Mapping[str, str]) -> str:
        """Return why a choice does not go together with the answers before it, or nothing."""
        preset = self.template.catalogue.presets.get(answers.get(_PRESET, ""))
        framework = answers.get("framework")
        if name in {_PRESET, "framework"} and preset and framework and not preset.suits(framework):
            return f"the preset {preset.name} is for {' and '.join(preset.frameworks)}"
        rule = self.template.catalogue.refusal(answers)
        return rule.reason(name, answers) if rule else ""

    def _refusal(self, name: str, answers: Mapping[str, str]) -> str:
        """Return what is wrong with a text, or nothing."""
        if name == QUESTION:
            try:
                answers = {**answers, name: canonical([answers[name]])}
            except ResourceError as error:
                return str(error)
        if reason := self.template.refusal(name, answers):
            return f"it {reason}"
        if name == "project_slug" and self.target is None:
            try:
                Target.at(Path(answers[name]), force=self.force)
            except TargetError as error:
                return str(error)
        return ""


def _confirm(place: Path, *, may_go_back: bool) -> str | None:
    """Ask whether to make it; return None for going back."""
    choices = [_MAKE, _CHANGE, _LEAVE] if may_go_back else [_MAKE, _LEAVE]
    prompt = prompts.select(f"Make it in {shown(place.absolute())}?", choices, _MAKE.value)
    keys = {"y": _MAKE.value, "n": _LEAVE.value}
    reply = prompts.run(prompt, {}, may_go_back=may_go_back, keys=keys)
    if reply == _LEAVE.value:
        raise KeyboardInterrupt
    return None if reply == _CHANGE.value else reply
