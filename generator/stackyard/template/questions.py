"""The questions of `copier.yml`, as this package takes them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Choice:
    """One valid value of a question and what it means."""

    value: str
    explanation: str


@dataclass(frozen=True)
class Question:
    """One question of `copier.yml`; `computed` ones are worked out and never asked.

    `validator` is Jinja, which renders to what is wrong with an answer, or to nothing. So is
    `rule`, which renders to the default where beside some answers that is another than `default`.
    """

    name: str
    text: str
    default: str
    choices: tuple[Choice, ...]
    computed: bool
    validator: str = ""
    rule: str = ""

    @property
    def values(self) -> list[str]:
        """Return the valid values; none listed means that any text may do."""
        return [choice.value for choice in self.choices]

    @property
    def derived(self) -> bool:
        """Tell whether the default is made from other answers."""
        return "{{" in self.default


def question(name: Any, spec: Any) -> Question:
    """Check and read one question.

    Raises:
        ValueError: if it is none.
    """
    if not (isinstance(name, str) and isinstance(spec, dict)):
        raise ValueError(f"{name} is no question")  # noqa: TRY004 - nor is it of the caller
    if spec.get("when", True) is False:
        return Question(name, text="", default="", choices=(), computed=True)
    offered = spec.get("choices", {})
    if not isinstance(offered, dict):
        raise ValueError(f"the choices of {name} are no mapping")  # noqa: TRY004
    texts = [spec.get("help", ""), spec.get("validator", ""), *offered]
    values = [spec.get("default", ""), *offered.values()]
    if not all(isinstance(text, str) for text in texts):
        raise ValueError(f"{name} asks with something else than text")
    if not all(isinstance(value, str | int | float) for value in values):
        raise ValueError(f"{name} offers something else than plain values")
    if any(isinstance(value, bool) for value in offered.values()):
        raise ValueError(f"{name} offers what YAML reads as true or false: it wants quotes")
    choices = tuple(
        # A label reads "Name: explanation"; the value already stands for the name.
        Choice(str(value), label.partition(": ")[2] or label)
        for label, value in offered.items()
    )
    default = str(spec.get("default", ""))
    rule = default if "{%" in default else ""
    if rule:
        default = choices[0].value if choices else str(spec.get("placeholder", ""))
    return Question(
        name=name,
        text=spec.get("help", ""),
        default=default,
        choices=choices,
        computed=False,
        validator=spec.get("validator", ""),
        rule=rule,
    )
