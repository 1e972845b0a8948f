"""The parts of a YAML document, found by the keys that lead to them, such as `info.version`.

By the indentation of its lines alone: a document that somebody is in the middle of writing has
places, too.
"""

from __future__ import annotations

from collections.abc import Sequence

SUFFIX = ".yaml"
"""Of the documents in which a place is its keys."""


def span(lines: Sequence[str], keys: str) -> tuple[int, int]:
    """Return the first and the last line of a key and all that it stands for; 1 is the first.

    Raises:
        LookupError: if the document has no such key.
    """
    first, last = 0, len(lines)
    for key in keys.split("."):
        first, last = _child(lines, range(first, last), key)
        first += 1  # what is within it begins below its own line
    return first, last


def indent(line: str) -> int:
    """Return how many blanks a line begins with."""
    return len(line) - len(line.lstrip(" "))


def _child(lines: Sequence[str], within: range, key: str) -> tuple[int, int]:
    """Return where a key of one mapping begins, and where what it stands for ends."""
    told = [number for number in within if _says(lines[number])]
    level = indent(lines[told[0]]) if told else 0
    for place, first in enumerate(told):
        if indent(lines[first]) == level and lines[first].lstrip().startswith(f"{key}:"):
            last = first
            for number in told[place + 1 :]:
                if indent(lines[number]) <= level:
                    break
                last = number
            return first, last + 1
    raise LookupError(key)


def _says(line: str) -> bool:
    return bool(line.strip()) and not line.lstrip().startswith("#")
