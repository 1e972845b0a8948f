"""What migrations of every kind have in common: Python's source, and what comes of them."""

from __future__ import annotations

import ast
import re
import warnings
from collections.abc import Iterable
from dataclasses import dataclass, field
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import TypeVar

from stackyard.updating.errors import UnreadableMigrationError

Key = TypeVar("Key")


@dataclass
class History:
    """What an update does to the migrations of a project, by their paths in it.

    `added` are the new ones. `dropping` tells which of them take tables or columns away, and
    which. What those of `remaining` made has to go too, by a migration that the owner writes:
    nothing tells how, or others of the owner's build on it.
    """

    added: list[str] = field(default_factory=list)
    dropping: dict[str, list[str]] = field(default_factory=dict)
    remaining: list[str] = field(default_factory=list)

    @property
    def new(self) -> list[str]:
        """Return those that have to be applied."""
        return [*self.added, *self.dropping]


def plain(text: str) -> str:
    r"""Return a text without a byte order mark, and with `\n` where a line ends."""
    return text.removeprefix("\ufeff").replace("\r\n", "\n")


def parse(project: Path, path: str, text: str) -> ast.Module:
    """Return the syntax tree of a file of the project.

    Raises:
        UnreadableMigrationError: if it has none.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of what is odd in it, but right
            return ast.parse(text)
    except SyntaxError as error:
        reason = f"line {error.lineno}: {error.msg}"
        raise UnreadableMigrationError(project, path, reason) from error
    except (ValueError, RecursionError, MemoryError) as error:
        raise UnreadableMigrationError(project, path, str(error)) from error


def assigned(body: Iterable[ast.stmt]) -> dict[str, ast.Assign | ast.AnnAssign]:
    """Return the statements among others that give a name its value, by that name."""
    found: dict[str, ast.Assign | ast.AnnAssign] = {}
    for node in body:
        targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
        if isinstance(node, ast.Assign | ast.AnnAssign) and node.value is not None:
            found |= {target.id: node for target in targets if isinstance(target, ast.Name)}
    return found


def calls(node: ast.AST | None, names: Iterable[str]) -> list[tuple[str, list[str]]]:
    """Return the calls of methods of these names, each with the arguments that are plain texts."""
    found = []
    for call in ast.walk(node) if node else ():
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute):
            arguments = [*call.args, *(keyword.value for keyword in call.keywords)]
            texts = [
                one.value
                for one in arguments
                if isinstance(one, ast.Constant) and isinstance(one.value, str)
            ]
            if call.func.attr in names and texts:
                found.append((call.func.attr, texts))
    return found


def words(node: ast.AST | None) -> set[str]:
    """Return the words in the plain texts that are arguments of calls."""
    called = [one for one in ast.walk(node) if isinstance(one, ast.Call)] if node else []
    return {
        word
        for call in called
        for one in ast.walk(call)
        if isinstance(one, ast.Constant) and isinstance(one.value, str)
        for word in re.findall(r"\w+", one.value)
    }


def does_nothing(body: Iterable[ast.stmt]) -> bool:
    """Tell whether statements are none but `pass` and docstrings."""
    return all(
        isinstance(node, ast.Pass)
        or (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant))
        for node in body
    )


def replaced(text: str, edits: Iterable[tuple[int, int, list[str]]]) -> str:
    """Return a text with other lines in the place of some, from a first to a last, from 1 on."""
    lines = text.split("\n")
    for first, last, new in sorted(edits, reverse=True):
        lines[first - 1 : last] = new
    return "\n".join(lines)


def in_order(parents: dict[Key, Iterable[Key]]) -> list[Key]:
    """Return the keys, each after its parents as far as they are among them."""
    try:
        order = [*TopologicalSorter(parents).static_order()]
    except CycleError:  # which is for the framework to say
        order = [*parents]
    return [key for key in order if key in parents]
