"""Run by a course's own Python: asks its modules, and tells as JSON what came.

    python probe.py < QUESTIONS

The input is a JSON list of pieces of code, each of which calls `expect` and `refuses`. The output
is a list beside it: null, or what went wrong.
"""

from __future__ import annotations

import io
import json
import sys
import traceback
from collections.abc import Callable
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any


class Wrong(Exception):  # noqa: N818 - it is an answer, and no error
    """What came is not what the contract says."""

    def __init__(self, sent: str, came: str) -> None:
        super().__init__(sent)
        self.sent = sent
        self.came = came


def expect(sent: str, came: object, wanted: object) -> None:
    """Have something be what is wanted."""
    if came != wanted:
        raise Wrong(sent, f"{came!r}, where {wanted!r} was wanted")


def refuses(sent: str, call: Callable[[], object], error: type[Exception]) -> None:
    """Have a call raise an error."""
    try:
        came = call()
    except error:
        return
    raise Wrong(sent, f"{came!r}, where it was to be refused")


def answer(code: str) -> dict[str, Any] | None:
    """Run a piece of code; return what went wrong, if anything did."""
    try:
        with redirect_stdout(io.StringIO()):
            exec(compile(code, "<check>", "exec"), {"expect": expect, "refuses": refuses})  # noqa: S102
    except Wrong as wrong:
        return {"sent": wrong.sent, "came": wrong.came, "at": None}
    except BaseException as error:  # noqa: BLE001 - whatever a learner's module raises
        return {"sent": "", "came": said(error), "at": place(error)}
    return None


def said(error: BaseException) -> str:
    """Return an exception as one line."""
    told = "".join(traceback.format_exception_only(error))
    return " ".join(told.partition("For further information")[0].split())


def place(error: BaseException) -> list[Any] | None:
    """Return the file of the project, and the line, where an exception was raised."""
    if isinstance(error, SyntaxError) and error.filename:
        frames = [(error.filename, error.lineno or 1)]
    else:
        frames = [
            (one.filename, one.lineno or 1) for one in traceback.extract_tb(error.__traceback__)
        ]
    here = Path.cwd()
    for name, line in reversed(frames):
        path = Path(name)
        if path.is_relative_to(here) and not path.is_relative_to(here / ".venv"):
            return [path.relative_to(here).as_posix(), line]
    return None


def main() -> None:
    """Answer all the questions."""
    sys.path[0] = str(Path.cwd())
    answers = [answer(code) for code in json.load(sys.stdin)]
    json.dump(answers, sys.stdout)


if __name__ == "__main__":
    main()
