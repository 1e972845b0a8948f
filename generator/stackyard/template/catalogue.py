"""The catalogue: what the options mean to each other, as `templates/catalogue.yml` declares it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

_TEXT_BY_NAME = {str: str}
_TEXTS_BY_NAME = {str: [str]}
_SHAPES: Mapping[str, Any] = {
    "options": [str],
    "only_with": {str: _TEXTS_BY_NAME},
    "needs": _TEXTS_BY_NAME,
    "together": [{"answers": _TEXTS_BY_NAME, "needs": [str]}],
    "refused": [{"answers": _TEXTS_BY_NAME, "because": str, "instead": _TEXT_BY_NAME}],
    "presets": {str: {"explanation": str, "frameworks": [str], "answers": _TEXT_BY_NAME}},
    "words": _TEXTS_BY_NAME,
}
"""What is declared, each as an example; what else stands there is Jinja's alone."""


@dataclass(frozen=True)
class Rule:
    """Answers that do not go together: of each option here one of its values.

    `because` says why, `instead` what to choose.
    """

    answers: Mapping[str, tuple[str, ...]]
    because: str
    instead: Mapping[str, str]

    def forbids(self, answers: Mapping[str, str]) -> bool:
        """Tell whether all of it is among these answers; a text that is not told is empty."""
        return all(answers.get(option, "") in values for option, values in self.answers.items())

    def reason(self, option: str, answers: Mapping[str, str]) -> str:
        """Return why the answer to `option` cannot be what it is beside the others."""
        others = [
            f"{name}={answers[name]}"
            for name in self.answers
            if name != option and answers.get(name)
        ]
        return f"does not go with {' and '.join(others)}: {self.because}"


@dataclass(frozen=True)
class Preset:
    """Answers that take the place of the defaults, for some frameworks or, of none, for all."""

    name: str
    explanation: str
    frameworks: tuple[str, ...]
    answers: Mapping[str, str]

    def suits(self, framework: str) -> bool:
        """Tell whether it is for a framework."""
        return not self.frameworks or framework in self.frameworks


@dataclass(frozen=True)
class Catalogue:
    """What a template declares of its options; one that declares nothing has an empty catalogue.

    A part is the folder of an answer (`cache/redis`), or of what answers need: a server
    (`servers/redis`), or a seam that they hang on (`seams/changes`). By part, `needs` has what
    comes with it, and `words` the regular expressions of what tells of it; `together` has what
    comes with several answers. `only_with` has by option beside which answers it says something.
    `data` is all of it as `copier.yml` has it, for Jinja.
    """

    options: tuple[str, ...] = ()
    only_with: Mapping[str, Mapping[str, tuple[str, ...]]] = field(default_factory=dict)
    needs: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    together: tuple[tuple[Mapping[str, tuple[str, ...]], tuple[str, ...]], ...] = ()
    refused: tuple[Rule, ...] = ()
    presets: Mapping[str, Preset] = field(default_factory=dict)
    words: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    data: Mapping[str, Any] = field(default_factory=dict, repr=False)

    @classmethod
    def load(cls, data: Any) -> Catalogue:
        """Check and read what `copier.yml` declares.

        Raises:
            ValueError: if something else stands there.
        """
        if not isinstance(data, dict):
            raise ValueError("its catalogue is no mapping")  # noqa: TRY004
        for name, shape in _SHAPES.items():
            if name in data and not _fits(data[name], shape):
                raise ValueError(f"{name} of its catalogue is not as it should be")
        return cls(
            options=tuple(data.get("options", ())),
            only_with={option: _tuples(told) for option, told in data.get("only_with", {}).items()},
            needs=_tuples(data.get("needs", {})),
            together=tuple(
                (_tuples(told["answers"]), tuple(told["needs"]))
                for told in data.get("together", ())
            ),
            refused=tuple(
                Rule(_tuples(rule["answers"]), rule["because"], rule["instead"])
                for rule in data.get("refused", ())
            ),
            presets={
                name: Preset(name, told["explanation"], tuple(told["frameworks"]), told["answers"])
                for name, told in data.get("presets", {}).items()
            },
            words=_tuples(data.get("words", {})),
            data=data,
        )

    def refusal(self, answers: Mapping[str, str]) -> Rule | None:
        """Return the first rule that answers break, of which some may not be told yet."""
        return next((rule for rule in self.refused if rule.forbids(answers)), None)

    def parts(self, answers: Mapping[str, str]) -> set[str]:
        """Return the parts that answers choose, with what those need."""
        chosen = [
            f"{option}/{value}"
            for option, value in answers.items()
            if all(
                answers.get(other) in values
                for other, values in self.only_with.get(option, {}).items()
            )
        ]
        needed = [part for answer in chosen for part in self.needs.get(answer, ())]
        for told, parts in self.together:
            if all(answers.get(option) in values for option, values in told.items()):
                needed += [*parts, *(one for part in parts for one in self.needs.get(part, ()))]
        return {*chosen, *needed}


def _fits(data: Any, shape: Any) -> bool:
    """Tell whether data is of the shape of an example, where `str` stands for any text."""
    if isinstance(shape, list):
        return isinstance(data, list) and all(_fits(item, shape[0]) for item in data)
    if not isinstance(shape, dict):
        return isinstance(data, shape)
    if not isinstance(data, dict):
        return False
    if str in shape:
        return all(isinstance(key, str) and _fits(data[key], shape[str]) for key in data)
    return all(key in data and _fits(data[key], part) for key, part in shape.items())


def _tuples(data: Mapping[str, list[str]]) -> dict[str, tuple[str, ...]]:
    return {name: tuple(values) for name, values in data.items()}
