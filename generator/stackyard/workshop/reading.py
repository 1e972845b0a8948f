"""Reads files that say how a service is built and run, where nothing of that can be started."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from stackyard.documents import yaml_errors
from stackyard.workshop.asking import at
from stackyard.workshop.exercises import Check
from stackyard.workshop.findings import Finding


def read(course: Path, check: Check) -> Finding | None:
    """Read the files of a check, until one of them says something else than it should.

    A file of YAML `holds` values. `lines` are patterns of lines that stand in any file, in this
    order, and `never` those of lines that must not.
    """
    for asked in check.asked["files"]:
        name = asked["file"]
        try:
            text = (course / name).read_text(encoding="utf-8")
        except (OSError, ValueError) as error:
            return Finding(f"{name} was read", type(error).__name__, name)
        if wrong := next(_wrong(text, asked), None):
            return Finding(f"{name} was read", wrong, None)
    return None


def _wrong(text: str, asked: Mapping[str, Any]) -> Iterator[str]:
    instructions = _instructions(text)
    if "holds" in asked:
        try:
            with yaml_errors():
                told = yaml.safe_load(text)  # with aliases, which a compose file has
        except ValueError as error:
            yield str(error)
            return
        for where, wanted in asked["holds"].items():
            value = at(told, where)
            if value is None if wanted is True else value != wanted:
                shown = "something" if wanted is True else json.dumps(wanted)
                yield f"{where} is {json.dumps(value, default=str)}, where {shown} was wanted"
    rest = iter(instructions)
    for number, pattern in enumerate(asked.get("lines", ())):
        if not any(re.search(pattern, line) for line in rest):
            after = f", after {asked['lines'][number - 1]}" if number else ""
            yield f"nothing in it is like {pattern}{after}"
            return
    for pattern in asked.get("never", ()):
        for line in instructions:
            if re.search(pattern, line):
                yield f"{line} is in it"


def _instructions(text: str) -> list[str]:
    """Return the lines, each with those that a backslash joins to it, without comments."""
    kept = [line for line in text.splitlines() if not line.lstrip().startswith("#")]
    return [" ".join(line.split()) for line in "\n".join(kept).replace("\\\n", " ").splitlines()]
