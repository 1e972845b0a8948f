"""A project that was generated: what its answers file tells of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from stackyard.documents import LARGEST, Loader, yaml_errors
from stackyard.errors import NotAProjectError, UnreadableAnswersError

ANSWERS_FILE = ".copier-answers.yml"


@dataclass(frozen=True)
class Record:
    """What a project was made from: the template's address, its release, the answers.

    `release` is a tag, a tag with the commits since then (`v0.1.0-5-gabc1234`), or a
    commit; it is empty if the template was no git repository.
    """

    path: Path
    source: str
    release: str
    answers: Mapping[str, str]

    @classmethod
    def of(cls, path: Path) -> Record:
        """Read the answers file of the project at `path`.

        Raises:
            NotAProjectError: if there is none, or it is another template's.
            UnreadableAnswersError: if it cannot be read.
        """
        file = path / ANSWERS_FILE
        if file.exists() and not file.is_file():  # a pipe would be waited for
            raise UnreadableAnswersError(file, "it is no file")
        try:
            told = read_answers(file)
        except FileNotFoundError:
            raise NotAProjectError(path, f"there is no {ANSWERS_FILE} in it") from None
        answers = {key: value for key, value in told.items() if not key.startswith("_")}
        source, release = told.get("_src_path", ""), told.get("_commit", "")
        for name, value in {"_src_path": source, "framework": answers.get("framework")}.items():
            if not value:
                raise NotAProjectError(path, f"its {ANSWERS_FILE} names no {name}")
        return cls(path, source, release, answers)


def read_answers(file: Path) -> dict[str, str]:
    """Return all that an answers file holds, Copier's own keys included, as text.

    Raises:
        FileNotFoundError: if there is none.
        UnreadableAnswersError: if it is no YAML mapping of names to plain values.
    """
    try:
        with file.open(encoding="utf-8") as opened:
            text = opened.read(LARGEST + 1)
        told = parse_yaml(text)
        return {_text(key, key): _text(key, value) for key, value in told.items()}
    except (FileNotFoundError, NotADirectoryError) as error:
        raise FileNotFoundError(*error.args) from error
    except OSError as error:
        raise UnreadableAnswersError(file, error.strerror or str(error)) from error
    except UnicodeDecodeError as error:
        raise UnreadableAnswersError(file, "it is not UTF-8") from error
    except ValueError as error:
        raise UnreadableAnswersError(file, str(error)) from error


def parse_yaml(text: str) -> dict[Any, Any]:
    """Return the mapping that a text is, of which nothing but its length is known.

    Raises:
        ValueError: for all else, telling what it is.
    """
    if len(text) > LARGEST:
        raise ValueError("it is too long")
    with yaml_errors():
        told: Any = Loader(text).get_single_data()
    if not isinstance(told, dict):
        raise ValueError("it holds no answers, a KEY: VALUE on each line")  # noqa: TRY004
    return told


def _text(key: object, value: object) -> str:
    if not isinstance(value, str | int | float | date | None):
        raise ValueError(f"{key} is not one value")  # noqa: TRY004 - nor is it of the caller
    return "" if value is None else str(value)
