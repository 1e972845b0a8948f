"""What can be wrong with answers, and with the template that asks for them.

StackyardError
├── AnswerError
│   ├── ConflictingAnswersError
│   ├── HiddenOptionError
│   ├── InvalidAnswerError
│   ├── MalformedAnswerError
│   ├── PresetFrameworkError
│   ├── RefusedAnswersError
│   ├── UnknownOptionError
│   ├── UnknownPresetError
│   └── UnknownValueError
├── TemplateError
└── UnusableTemplateError
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from stackyard.errors import StackyardError, flag, flags, nearest, suggest, unknown

if TYPE_CHECKING:
    from stackyard.template.catalogue import Preset, Rule


class AnswerError(StackyardError):
    """An answer that cannot be taken."""


class ConflictingAnswersError(AnswerError):
    """One key with two values."""

    def __init__(self, key: str, first: str, second: str) -> None:
        super().__init__(f"{key} is given twice, as {first!r} and as {second!r}: keep one of them")


class HiddenOptionError(AnswerError):
    """A key that the template works out for itself."""

    def __init__(self, key: str) -> None:
        super().__init__(
            f"{key} cannot be given: it is worked out from the other answers, so leave it out"
        )


class InvalidAnswerError(AnswerError):
    """An answer that the template's own validator refuses."""

    def __init__(self, key: str, value: str, reason: str, source: str = "") -> None:
        taken = f", taken from {source}," if source else ""
        super().__init__(
            f"{key}{taken} cannot be {value!r}: it {reason}; pass another with {flag(key)}"
        )


class MalformedAnswerError(AnswerError):
    """`-d` without `=`."""

    def __init__(self, text: str, options: Iterable[str]) -> None:
        key = nearest(text.strip(), options) or "KEY"
        super().__init__(f"-d {text!r} has no '=': write -d {key}=VALUE")


class PresetFrameworkError(AnswerError):
    """A preset of other frameworks than the chosen one."""

    def __init__(self, preset: Preset, framework: str, presets: Iterable[str]) -> None:
        others = ", ".join(name for name in presets if name != preset.name)
        super().__init__(
            f"the preset {preset.name} is not for {framework}: choose"
            f" {' or '.join(preset.frameworks)}, or another preset (there is {others or 'none'})"
        )


class RefusedAnswersError(AnswerError):
    """Answers that do not go together; `sources` tells of each where it was taken from, if so."""

    def __init__(self, rule: Rule, answers: Mapping[str, str], sources: Mapping[str, str]) -> None:
        told = sorted(rule.answers, key=lambda name: bool(sources.get(name)))
        said = [
            f"{name}={answers[name]}" + (f" (from {sources[name]})" if sources[name] else "")
            for name in told
            if answers.get(name)
        ]
        super().__init__(
            f"{said[0]} does not go with {' and '.join(said[1:])}:"
            f" {rule.because}; choose {flags(rule.instead)}"
        )


class UnknownOptionError(AnswerError):
    """A key that is no question of the template."""

    def __init__(self, key: str, options: Iterable[str]) -> None:
        super().__init__(unknown("option", key, options))


class UnknownPresetError(AnswerError):
    """A preset that the template does not have."""

    def __init__(self, name: str, presets: Iterable[str]) -> None:
        super().__init__(unknown("preset", name, presets))


class UnknownValueError(AnswerError):
    """A value that is not among an option's choices."""

    def __init__(self, key: str, value: str, choices: Iterable[str]) -> None:
        super().__init__(f"{key} cannot be {value!r}: {suggest(value, choices)}")


class TemplateError(StackyardError):
    """The template or Copier failed on answers that are in order: a fault of stackyard's own."""

    exit_status = 1

    def __init__(self, error: Exception) -> None:
        reason = " ".join(str(error).split())
        super().__init__(f"the template could not be rendered: {type(error).__name__}: {reason}")


class UnusableTemplateError(StackyardError):
    """A template that asks in a way which stackyard's own does not."""

    def __init__(self, source: str, reason: object) -> None:
        super().__init__(
            f"cannot use the template of {source!r}: its copier.yml is none of stackyard's"
            f" ({reason}); check _src_path in .copier-answers.yml, or choose another with --to"
        )
