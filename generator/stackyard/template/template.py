"""A template: which questions there are, and which answers they take."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

from stackyard.errors import UnreadableAnswersError
from stackyard.project import ANSWERS_FILE, read_answers
from stackyard.template import configuration, jinja
from stackyard.template.catalogue import Catalogue
from stackyard.template.errors import (
    ConflictingAnswersError,
    HiddenOptionError,
    UnknownOptionError,
    UnknownValueError,
    UnusableTemplateError,
)
from stackyard.template.questions import Question, question
from stackyard.template.source import BUNDLED, CHECKOUT, commit, release

_NOTHING: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True)
class Template:
    """A Copier template on disk.

    `stamps` are written into the answers file as the template's address and version, where
    Copier would name this very copy of it.
    """

    root: Path
    questions: Mapping[str, Question]
    stamps: Mapping[str, str] = field(default_factory=dict)
    catalogue: Catalogue = field(default_factory=Catalogue)

    @classmethod
    def installed(cls) -> Template:
        """Return the template that came with this package: the wheel's, else the checkout's."""
        if BUNDLED.is_dir():
            return cls.load(BUNDLED, stamps=release())
        return cls.load(CHECKOUT, stamps=commit())

    @classmethod
    def load(cls, root: Path, stamps: Mapping[str, str] | None = None) -> Template:
        """Read the questions from `copier.yml` in `root`.

        Raises:
            UnusableTemplateError: if they are not as those of this package are.
        """
        stamps = stamps or {}
        try:
            config = configuration.read(root)
            settings = {name for name in config if str(name).startswith("_")}
            if config.get("_answers_file") != ANSWERS_FILE:
                raise ValueError(f"_answers_file is not {ANSWERS_FILE}")  # noqa: TRY301
            if "_envops" in config:
                raise ValueError("_envops is set")  # noqa: TRY301
            questions = {
                name: question(name, spec) for name, spec in config.items() if name not in settings
            }
            catalogue = Catalogue.load(config.get("catalogue", {}).get("default", {}))
        except (OSError, ValueError) as error:
            source = stamps.get("_src_path", str(root))
            raise UnusableTemplateError(source, error) from error
        return cls(root, questions, stamps, catalogue)

    @property
    def source(self) -> str:
        """Return the address that projects are updated from."""
        return self.stamps.get("_src_path", str(self.root))

    @property
    def is_local(self) -> bool:
        """Tell whether it is this copy alone that projects can be updated from."""
        return "_src_path" not in self.stamps

    @property
    def options(self) -> list[str]:
        """Return the names of the questions that take an answer."""
        return [question.name for question in self.questions.values() if not question.computed]

    def recall(self, file: Path) -> dict[str, str]:
        """Return the answers that another project's answers file holds, checked.

        Raises:
            AnswerError: if it cannot be read, or as `check` does.
        """
        try:
            told = read_answers(file)
        except FileNotFoundError as error:
            raise UnreadableAnswersError(file, "there is no such file") from error
        answers = {name: value for name, value in told.items() if not name.startswith("_")}
        self.check(answers)
        return answers

    def check(self, answers: Mapping[str, str]) -> None:
        """Refuse keys that are no option and values that are no choice.

        Raises:
            AnswerError: naming the key or value, and the nearest valid one.
        """
        for key, value in answers.items():
            question = self.questions.get(key)
            if question is None:
                raise UnknownOptionError(key, self.options)
            if question.computed:
                raise HiddenOptionError(key)
            if question.choices and value not in question.values:
                raise UnknownValueError(key, value, question.values)

    def refusal(self, name: str, answers: Mapping[str, str]) -> str:
        """Return what the validator finds wrong with one answer among others, or nothing."""
        validator = self.questions[name].validator
        return self._render(validator, answers).strip() if validator else ""

    def default(
        self, name: str, answers: Mapping[str, str], recalled: Mapping[str, str] = _NOTHING
    ) -> str:
        """Return what Copier answers a question with, beside the answers before it.

        `recalled` is what the answers file of a project has that is there already.
        """
        question = self.questions[name]
        default = question.rule or question.default
        return self._render(default, answers, recalled) if "{" in default else default

    def _render(
        self, text: str, answers: Mapping[str, str], recalled: Mapping[str, str] = _NOTHING
    ) -> str:
        known = {
            "catalogue": self.catalogue.data,
            "_copier_answers": answers,
            "_copier_conf": {},  # what Copier tells of its run matters to updates alone
            "_external_data": {"before": recalled},
        }
        return jinja.render(self.root, text, {**known, **answers})

    def pins(self, framework: str) -> list[str]:
        """Return the versions tested together, as `name==version` each."""
        path = self.root / "templates" / "pins" / f"{framework}.txt"
        if not path.is_file():
            return []
        lines = (line.strip() for line in path.read_text(encoding="utf-8").splitlines())
        return [line for line in lines if line and not line.startswith("#")]


def collect(told: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Return answers by the names of their questions.

    Raises:
        ConflictingAnswersError: if two of one question differ.
    """
    answers: dict[str, str] = {}
    for name, value in told:
        if answers.setdefault(name, value) != value:
            raise ConflictingAnswersError(name, answers[name], value)
    return answers
