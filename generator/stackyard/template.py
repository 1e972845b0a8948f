"""The Copier template: where it is, what it asks, and which answers it takes."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from stackyard import repository
from stackyard.errors import (
    ConflictingAnswersError,
    HiddenOptionError,
    MalformedAnswerError,
    UnknownOptionError,
    UnknownValueError,
    UnreadableAnswersError,
    UnusableTemplateError,
)
from stackyard.project import ANSWERS_FILE, parse_yaml, read_answers

_BUNDLED = Path(__file__).parent / "_template"
_CHECKOUT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Choice:
    """One valid value of a question and what it means."""

    value: str
    explanation: str


@dataclass(frozen=True)
class Question:
    """One question of `copier.yml`; `computed` ones are worked out and never asked.

    `validator` is Jinja, which renders to what is wrong with an answer, or to nothing.
    """

    name: str
    text: str
    default: str
    choices: tuple[Choice, ...]
    computed: bool
    validator: str = ""

    @property
    def values(self) -> list[str]:
        """Return the valid values; none listed means that any text may do."""
        return [choice.value for choice in self.choices]

    @property
    def derived(self) -> bool:
        """Tell whether the default is made from other answers."""
        return "{{" in self.default


@dataclass(frozen=True)
class Template:
    """A Copier template on disk.

    `stamps` are written into the answers file as the template's address and version, where
    Copier would name this very copy of it.
    """

    root: Path
    questions: Mapping[str, Question]
    stamps: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def installed(cls) -> Template:
        """Return the template that came with this package: the wheel's, else the checkout's."""
        if _BUNDLED.is_dir():
            return cls.load(_BUNDLED, stamps=_release())
        return cls.load(_CHECKOUT, stamps=_commit())

    @classmethod
    def load(cls, root: Path, stamps: Mapping[str, str] | None = None) -> Template:
        """Read the questions from `copier.yml` in `root`.

        Raises:
            UnusableTemplateError: if they are not as those of this package are.
        """
        stamps = stamps or {}
        try:
            config = parse_yaml(_config(root))
            settings = {name for name in config if str(name).startswith("_")}
            if config.get("_answers_file") != ANSWERS_FILE:
                raise ValueError(f"_answers_file is not {ANSWERS_FILE}")  # noqa: TRY301
            questions = {
                name: _question(name, spec) for name, spec in config.items() if name not in settings
            }
        except (OSError, ValueError) as error:
            source = stamps.get("_src_path", str(root))
            raise UnusableTemplateError(source, error) from error
        return cls(root, questions, stamps)

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

    def parse(self, assignments: Iterable[str]) -> dict[str, str]:
        """Turn `KEY=VALUE` texts into checked answers.

        Raises:
            AnswerError: for a text without `=`, or as `check` and `merge` do.
        """
        answers: dict[str, str] = {}
        for assignment in assignments:
            key, equals, value = assignment.partition("=")
            if not equals:
                raise MalformedAnswerError(assignment, self.options)
            merge(answers, key, value)
        self.check(answers)
        return answers

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

    def slug(self, answers: Mapping[str, str]) -> str:
        """Return the short name that comes nearest to the project's in a-z, 0-9 and `-`."""
        from slugify import slugify

        name = answers.get("project_name", self.questions["project_name"].default)
        return slugify(name, entities=False, decimal=False, hexadecimal=False)

    def author(self) -> dict[str, str]:
        """Return the author's name and email, as far as git knows them and they can be taken."""
        found = repository.identity()
        return {
            name: value
            for name, value in found.items()
            if name in self.questions and not self.refusal(name, found)
        }

    def _render(self, text: str, answers: Mapping[str, str]) -> str:
        """Render what `copier.yml` says in Jinja, as Copier does."""
        from jinja2 import FileSystemLoader
        from jinja2.sandbox import SandboxedEnvironment

        extensions = ["jinja2_ansible_filters.AnsibleCoreFiltersExtension"]
        environment = SandboxedEnvironment(
            loader=FileSystemLoader(self.root), extensions=extensions
        )
        # What Copier tells of its run matters to updates alone.
        return environment.from_string(text).render(answers, _copier_conf={})

    def pins(self, framework: str) -> list[str]:
        """Return the versions tested together, as `name==version` each."""
        path = self.root / "templates" / "pins" / f"{framework}.txt"
        if not path.is_file():
            return []
        lines = (line.strip() for line in path.read_text(encoding="utf-8").splitlines())
        return [line for line in lines if line and not line.startswith("#")]


def _config(root: Path) -> str:
    """Return the text of `copier.yml`, what it includes in its place.

    Raises:
        OSError, ValueError: if it cannot be had.
    """

    def included(match: re.Match[str]) -> str:
        file = (root / match[1]).resolve()
        if not file.is_relative_to(root.resolve()):
            raise ValueError(f"it includes {match[1]}, which is not in the template")
        return file.read_text(encoding="utf-8")

    text = (root / "copier.yml").read_text(encoding="utf-8")
    return re.sub(r"^---\n", "", re.sub(r"^!include (.+)$", included, text, flags=re.M), flags=re.M)


def merge(answers: dict[str, str], key: str, value: str) -> None:
    """Add an answer that may be there already.

    Raises:
        ConflictingAnswersError: if it is there with another value.
    """
    if answers.setdefault(key, value) != value:
        raise ConflictingAnswersError(key, answers[key], value)


def version() -> str:
    """Return the version of this package."""
    from importlib import metadata

    return metadata.version("stackyard")


def own_sources() -> set[str]:
    """Return the addresses of this package's own template: its repository, or a checkout of it."""
    if _BUNDLED.is_dir():
        return {_repository()}
    checkout = {str(_CHECKOUT), _origin() or _repository()}
    return {_repository()} | {source.removesuffix("/").removesuffix(".git") for source in checkout}


def _question(name: Any, spec: Any) -> Question:
    """Check and read one question.

    Raises:
        ValueError: if it is none.
    """
    if not (isinstance(name, str) and isinstance(spec, dict)):
        raise ValueError(f"{name} is no question")  # noqa: TRY004 - nor is it of the caller
    computed = spec.get("when", True) is False
    if computed:
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
    choices = tuple(
        # A label reads "Name: explanation"; the value already stands for the name.
        Choice(str(value), label.partition(": ")[2] or label)
        for label, value in offered.items()
    )
    return Question(
        name=name,
        text=spec.get("help", ""),
        default=str(spec.get("default", "")),
        choices=choices,
        computed=False,
        validator=spec.get("validator", ""),
    )


def _commit() -> dict[str, str]:
    """Return the commit that is checked out, and the address where others find it, if they do.

    For edits on the commit Copier names one that it drops.
    """
    commit = repository.describe(_CHECKOUT)
    if not commit:
        return {}
    address = _origin() if repository.is_pushed(_CHECKOUT) else None
    return {"_commit": commit} | ({"_src_path": address} if address else {})


def _origin() -> str | None:
    """Return where the checkout came from; of our own repository, the public address."""
    address = repository.origin(_CHECKOUT)
    own = address and _place(address) == _place(_repository())
    return _repository() if own else address


def _place(address: str) -> str:
    """Return host and path of an address, however it is reached."""
    place = re.sub(r"^(\w+://)?([^@/]*@)?([^/:]+)[:/]", r"\3/", address)
    return place.removesuffix("/").removesuffix(".git")


def _release() -> dict[str, str]:
    """Return the address and version of a release, so that plain `copier update` works from it."""
    return {"_src_path": _repository(), "_commit": f"v{version()}"}


def _repository() -> str:
    from importlib import metadata

    urls = dict(
        entry.split(", ", 1) for entry in metadata.metadata("stackyard").get_all("Project-URL", [])
    )
    return str(urls["Repository"])
