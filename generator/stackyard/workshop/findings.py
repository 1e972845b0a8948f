"""What a check finds, and whom the output of a process blames."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_FRAME = re.compile(r'File "([^"\n]+)", line (\d+)')
_ERROR = re.compile(r"^[A-Za-z_][\w.]*(?:Error|Exception|Exit|Warning|Detected)\b.*", re.MULTILINE)


@dataclass(frozen=True)
class Finding:
    """What was sent, what came, and where to look, as far as that is known."""

    sent: str
    came: str
    place: str | None


def blamed(course: Path, output: str) -> tuple[str, str | None]:
    """Return what a process said of its end, and the line of the course that raised it."""
    texts = [*_exceptions(output), output]
    for text in texts:
        if errors := _ERROR.findall(text):
            return errors[-1].strip(), _line(course, text)
    lines = [line for line in output.splitlines() if line.strip()]
    return (lines[-1].strip() if lines else "it printed nothing"), _line(course, output)


def exception(course: Path, output: str) -> tuple[str, str | None] | None:
    """Return the last exception that a service has logged, and the line that raised it."""
    texts = [*_exceptions(output)] or ([output] if "Traceback (most recent" in output else [])
    if not texts:
        return None
    return blamed(course, texts[-1])


def _exceptions(output: str) -> Iterator[str]:
    """Yield the tracebacks in a log that has an object of JSON on each line, the last first."""
    for line in reversed(output.splitlines()):
        if not line.startswith("{"):
            continue
        try:
            told = json.loads(line)
        except ValueError:
            continue
        for value in told.values() if isinstance(told, dict) else ():
            if isinstance(value, str) and "Traceback (most recent call last)" in value:
                yield value


def _line(course: Path, text: str) -> str | None:
    """Return the last line of the course's own code that a traceback goes through."""
    own = course.resolve()
    for name, number in reversed(_FRAME.findall(text)):
        path = Path(name) if Path(name).is_absolute() else own / name
        is_own = path.is_relative_to(own) and not path.is_relative_to(own / ".venv")
        if is_own and path.is_file():  # compiled modules name sources that are nowhere
            return f"{path.relative_to(own).as_posix()}:{number}"
    return None
