"""`copier.yml`: its documents, and the files that they include, as one mapping."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from stackyard.documents import LARGEST, Loader, yaml_errors


def read(root: Path) -> dict[Any, Any]:
    """Return all that `copier.yml` in `root` says, as Copier does: what comes later counts.

    What it includes are files of the template, by their names; they include none themselves.

    Raises:
        OSError, ValueError: if it cannot be had, or is something else.
    """
    files = _Files(root)
    config: dict[Any, Any] = {}
    for document in _flat(_load(files.read("copier.yml"), _Including), files):
        if not isinstance(document, dict):
            raise ValueError("it holds no questions, a NAME: QUESTION each")  # noqa: TRY004
        config |= document
    return config


@dataclass(frozen=True)
class _Include:
    """Stands where the documents of a file belong."""

    name: str


class _Including(Loader):
    """Takes `!include NAME`."""

    def include(self, node: yaml.ScalarNode) -> _Include:
        return _Include(str(self.construct_scalar(node)))


_Including.add_constructor("!include", _Including.include)


class _Files:
    """The files of a directory, of all of which no more is read than of one."""

    def __init__(self, root: Path) -> None:
        self._root = root.resolve()
        self._left = LARGEST

    def read(self, name: str) -> str:
        file = (self._root / name).resolve()
        if not (file.is_relative_to(self._root) and file.is_file()):
            raise ValueError(f"{name!r} is no file of the template")
        with file.open(encoding="utf-8") as opened:
            text = opened.read(self._left + 1)
        self._left -= len(text)
        if self._left < 0:
            raise ValueError("it is too long")
        return text


def _load(text: str, loader: type[Loader]) -> list[Any]:
    with yaml_errors():
        return [*yaml.load_all(text, loader)]


def _flat(documents: list[Any], files: _Files) -> Iterator[Any]:
    """Give the documents in their order, those of a file where it is included; no empty ones."""
    for document in documents:
        if isinstance(document, list):
            yield from _flat(document, files)
        elif isinstance(document, _Include):
            yield from _flat(_load(files.read(document.name), Loader), files)
        elif document is not None:
            yield document
