"""Takes symbols out of a module, or blocks out of any file, and puts something in their place."""

from __future__ import annotations

import ast
import textwrap

from stackyard.comparing import keys
from stackyard.comparing.code import named, span
from stackyard.workshop.exercises import Hole

_DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)


def cut(text: str, hole: Hole) -> str:
    """Return a file with a hole in it.

    Raises:
        LookupError: if the file has no such symbol, or that no such part.
    """
    if not hole.place.path.endswith(".py"):
        return _cut_lines(text, hole)
    body = ast.parse(text).body
    node: ast.stmt
    lines = text.splitlines(keepends=True)
    if hole.part == "others":
        kept = named(body, hole.place.symbol)
        others = [node for node in body if isinstance(node, _DEFINITIONS) and node is not kept]
        for node in reversed(others):
            lines = _replaced(lines, _first(node), _last(node), "")
        return "".join(lines).rstrip("\n") + "\n" + (f"\n\n{hole.put}" if hole.put else "")
    node = named(body, hole.place.symbol)
    first, last = _part(node, hole.part)
    indented = textwrap.indent(hole.put, " " * _indent(node, hole.part))
    return "".join(_replaced(lines, first, last, indented))


def _cut_lines(text: str, hole: Hole) -> str:
    """Take lines out of a file that is not Python, as a `whole` or its `body`, below its line."""
    first, last = span(text, hole.place)
    if hole.part not in ("whole", "body") or (hole.part == "body" and first == last):
        raise LookupError(hole.part)
    first += hole.part == "body"
    lines = text.splitlines(keepends=True)
    put = textwrap.indent(hole.put, " " * keys.indent(lines[first - 1]))
    return "".join(_replaced(lines, first, last, put))


def _part(node: ast.stmt, part: str) -> tuple[int, int]:
    """Return the first and the last line of a part of a statement; 1 is the first of the file."""
    if part == "whole":
        return _first(node), _last(node)
    if not isinstance(node, _DEFINITIONS):
        raise LookupError(part)  # noqa: TRY004 - it has no such part
    if part == "decorators":
        return _first(node), node.lineno - 1
    if part != "body":
        raise LookupError(part)
    has_docstring = ast.get_docstring(node, clean=False) is not None
    last = node.body[0].end_lineno or node.body[0].lineno
    return (last + 1 if has_docstring else _first(node.body[0])), _last(node)


def _indent(node: ast.stmt, part: str) -> int:
    if part == "body" and isinstance(node, _DEFINITIONS):
        return node.body[0].col_offset
    return node.col_offset


def _first(node: ast.stmt) -> int:
    decorators: list[ast.expr] = getattr(node, "decorator_list", [])
    return min([node.lineno, *(decorator.lineno for decorator in decorators)])


def _last(node: ast.stmt) -> int:
    return node.end_lineno or node.lineno


def _replaced(lines: list[str], first: int, last: int, put: str) -> list[str]:
    """Replace lines; where nothing takes their place, the blank ones before them go too."""
    before, after = lines[: first - 1], lines[last:]
    if not put:
        while before and not before[-1].strip():
            before.pop()
    return [*before, *([put] if put else []), *after]
