"""The code of a project, found by file and symbol in its syntax tree; YAML, by its keys.

In any other file it is found by how a line begins.
"""

from __future__ import annotations

import ast
import textwrap
from dataclasses import dataclass
from functools import lru_cache
from itertools import takewhile
from pathlib import Path

from stackyard.comparing import keys
from stackyard.comparing.concerns import Place


@dataclass(frozen=True)
class Excerpt:
    """A piece of a file: where it stands, from which line on (1 is the first), and its text."""

    path: str
    symbol: str
    line: int
    text: str


def find(project: Path, place: Place) -> Excerpt | None:
    """Return what stands at a place of the project, with the comment above it, if anything does."""
    try:
        text = (project / place.path).read_text(encoding="utf-8")
    except (OSError, ValueError):
        return None  # an owner changes what was generated as it pleases them
    return find_in(text, place)


def find_in(text: str, place: Place) -> Excerpt | None:
    """Return what stands at a place of a file of this text, if anything does."""
    try:
        first, last = span(text, place) if place.symbol else (1, len(text.splitlines()))
    except (ValueError, LookupError, SyntaxError):
        return None
    lines = text.splitlines()
    while first > 1 and place.symbol and lines[first - 2].lstrip().startswith("#"):
        first -= 1
    piece = textwrap.dedent("\n".join(lines[first - 1 : last]))
    return Excerpt(place.path, place.symbol, first, piece)


def span(text: str, place: Place) -> tuple[int, int]:
    """Return the first and the last line of what a file calls so; 1 is the first of all.

    Raises:
        LookupError: if it calls nothing so.
        SyntaxError: if it is a module that cannot be read.
    """
    if place.path.endswith(keys.SUFFIX):
        return keys.span(text.splitlines(), place.symbol)
    if not place.path.endswith(".py"):
        return _block(text.splitlines(), place.symbol)
    found = named(_parsed(text).body, place.symbol)
    decorators = getattr(found, "decorator_list", [])
    first = min([found.lineno, *(decorator.lineno for decorator in decorators)])
    return first, found.end_lineno or found.lineno


def _block(lines: list[str], beginning: str) -> tuple[int, int]:
    """Return where the line is that begins so, and where what is indented below it ends."""
    found = [number for number, line in enumerate(lines) if line.lstrip().startswith(beginning)]
    if not found:
        raise LookupError(beginning)
    first = found[0]
    level = keys.indent(lines[first])
    below = takewhile(lambda line: not line or keys.indent(line) > level, lines[first + 1 :])
    return first + 1, first + 1 + len("\n".join(below).rstrip().splitlines())


# A request passes the same few files again and again.
_parsed = lru_cache(maxsize=64)(ast.parse)


def named(body: list[ast.stmt], symbol: str) -> ast.stmt:
    """Return the statement that gives a name, of a method with its class and a dot, or that is so.

    Raises:
        LookupError: if there is none.
    """
    if "(" not in symbol:
        return _named(body, symbol.split("."))
    for node in ast.walk(ast.Module(body, [])):
        if isinstance(node, ast.stmt) and ast.unparse(node) == symbol:
            return node
    raise LookupError(symbol)


def _named(body: list[ast.stmt], names: list[str]) -> ast.stmt:
    """Return the statement that gives the last of the names, within what the others name."""
    name, *rest = names
    for node in body:
        if name in _names(node):
            if not rest:
                return node
            if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
                return _named(node.body, rest)
    raise LookupError(name)


def _names(node: ast.stmt) -> list[str]:
    """Return what a statement gives a name to."""
    match node:
        case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
            return [node.name]
        case ast.Assign():
            return [target.id for target in node.targets if isinstance(target, ast.Name)]
        case ast.AnnAssign(target=ast.Name(id=name)):
            return [name]
        case _:
            return []
