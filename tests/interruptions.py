"""Interrupts in process: a run that is interrupted at each place where one can come."""

from __future__ import annotations

import contextlib
import gc
import signal
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import cycle
from pathlib import Path
from types import FrameType
from typing import Any, NamedTuple, TypeVar

import pytest

from conftest import Command
from stackyard import interrupts
from stackyard.__main__ import main
from stackyard.git import FOREIGN_VARIABLES

Result = TypeVar("Result")

SIGNALS = [signal.SIGINT, signal.SIGTERM]
INTERRUPTED = (2, "stackyard: interrupted: nothing was written\n")
OURS = f"{Path(interrupts.__file__).parent}/"

# A template with which a run takes milliseconds.
TREE = "templates/tiny/"
TEMPLATE = {
    "copier.yml": """
_subdirectory: "templates/{{ framework }}"
_answers_file: .copier-answers.yml
framework: {type: str, choices: {"Tiny: a few files": tiny}, default: tiny}
project_name: {type: str, default: shop}
project_slug: {type: str, when: false, default: "{{ project_name }}"}
""",
    f"{TREE}{{{{ _copier_conf.answers_file }}}}.jinja": (
        "{{ dict(_copier_answers, _src_path=_src_path, _commit=_commit) | to_nice_yaml }}"
    ),
    f"{TREE}.env.example": "SECRET_KEY=\n",
    f"{TREE}.gitignore": ".env\n",
    f"{TREE}README.md.jinja": "{{ project_name }}\n",
    f"{TREE}app/main.py": "version = 1\n",
    f"{TREE}app/old.py": "old = True\n",
}


def by_the_clock(moments: list[float]) -> pytest.MarkDecorator:
    """Give a test moments, and the signals by turns."""
    cases = zip(moments, cycle(SIGNALS), strict=False)
    return pytest.mark.parametrize(
        ("moment", "number"),
        [pytest.param(*case, id=f"{case[0]}-{case[1].name}") for case in cases],
    )


def write(directory: Path, files: Mapping[str, str]) -> None:
    for name, text in files.items():
        (directory / name).parent.mkdir(parents=True, exist_ok=True)
        (directory / name).write_text(text)


class Place(NamedTuple):
    """Where an interrupt comes: before a line of ours, or after a call there of what is not ours.

    `where` is file, line and instruction. What goes on in `interrupts.py` is a place of each with
    statement that asks for it: its callers are told as well.
    """

    where: tuple[tuple[str, int, int], ...]
    after: bool
    allowed: bool
    visit: int

    @property
    def file(self) -> str:
        return self.where[-1][0]

    def __str__(self) -> str:
        when = "after a call at" if self.after else "before"
        lines = ", called at ".join(f"{Path(file).name}:{line}" for file, line, _ in self.where)
        allowed = "allowed" if self.allowed else "not allowed"
        return f"{when} {lines}, visit {self.visit}, where one is {allowed}"


@contextlib.contextmanager
def started(*, allowed: bool = False) -> Iterator[None]:
    """Have interrupts as a new process has them; afterwards this one is as it was."""
    handlers = {number: signal.getsignal(number) for number in (*SIGNALS, signal.SIGHUP)}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "unraisablehook", sys.unraisablehook)
        patch.setattr(interrupts, "_pending", False)
        patch.setattr(interrupts, "_allowed", allowed)
        interrupts.install()
        try:
            yield
        finally:
            for number, handler in handlers.items():
                signal.signal(number, handler)


def trace(
    run: Callable[[], Result], come: Callable[[Place], None], *, allowed: bool = False
) -> Result:
    """Run something, and come to each place in our package where an interrupt can be delivered.

    One that is not allowed is kept for the next check. So a line is one place then, and so is a
    whole function that makes no check.
    """
    visits: Counter[tuple[Any, ...]] = Counter()

    def arrive(frame: FrameType, *, after: bool) -> None:
        is_comprehension = frame.f_code.co_name.startswith("<")
        if is_comprehension or signal.getsignal(signal.SIGINT) is not interrupts._handle:  # noqa: SLF001
            return
        where: list[tuple[str, int, int]] = []
        while not where or where[-1][0] in {"interrupts.py", contextlib.__file__}:
            code = frame.f_code
            where.append((code.co_filename.removeprefix(OURS), frame.f_lineno, frame.f_lasti))
            frame = frame.f_back
        is_allowed = interrupts._allowed  # noqa: SLF001
        if not is_allowed:
            file, line, _ = where[-1]
            where = [(file, line if "check" in code.co_names else code.co_firstlineno, 0)]
        place = (tuple(where), after and is_allowed, is_allowed)
        visits[place] += 1
        come(Place(*place, visits[place]))

    def enter(frame: FrameType, event: str, _: object) -> Callable[..., Any] | None:
        if frame.f_code.co_filename.startswith(OURS):
            return step
        if frame.f_back and frame.f_back.f_code.co_filename.startswith(OURS):
            frame.f_trace_lines = False
            return leave
        return None

    def step(frame: FrameType, event: str, _: object) -> Callable[..., Any]:
        if event == "line":
            arrive(frame, after=False)
        return step

    def leave(frame: FrameType, event: str, _: object) -> Callable[..., Any]:
        if event == "return":
            arrive(frame.f_back, after=True)
        return leave

    before = sys.gettrace()
    with started(allowed=allowed):
        sys.settrace(enter)
        try:
            return run()
        finally:
            sys.settrace(before)


def walk(
    run: Callable[[], Result],
    was_stopped: Callable[[Result], bool],
    *,
    visits: int = 1,
    allowed: bool = False,
) -> dict[Place, bool]:
    """Interrupt a run at each place, once in each; map the places to whether that stopped it.

    `was_stopped` looks at what a run has left, and clears it away. `visits` is how often a place
    is another one, `allowed` whether whoever runs it allows interrupts.
    """
    places: list[Place] = []
    for _ in range(2):  # the first imports what the others find imported
        places.clear()
        was_stopped(trace(run, places.append, allowed=allowed))
    numbers = cycle(SIGNALS)

    def interrupted_at(wanted: Place) -> bool:
        came = []

        def come(place: Place) -> None:
            if place == wanted:
                came.append(place)
                sys.settrace(None)
                signal.raise_signal(next(numbers))

        stopped = was_stopped(trace(run, come, allowed=allowed))
        assert came, "it did not come there again"
        assert stopped or not wanted.allowed, "it went on"
        return stopped

    stopped = {}
    for place in places:
        if place.visit <= visits:
            try:
                stopped[place] = interrupted_at(place)
            except Exception as error:
                error.add_note(f"the interrupt came {place}")
                raise
    return stopped


def files_of(places: Iterable[Place], *, allowed: bool) -> set[str]:
    return {place.file for place in places if place.allowed is allowed}


def in_process(
    stackyard: Command, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., tuple[int, str]]:
    """Return what runs the command in this process, and tells its status and what it said."""
    # Hundreds of runs need not wait for the disk.
    with Path(stackyard.environment["GIT_CONFIG_GLOBAL"]).open("a") as settings:
        settings.write("[core]\n\tfsync = none\n")
    for name, value in stackyard.environment.items():
        monkeypatch.setenv(name, value)
    for name in FOREIGN_VARIABLES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(stackyard.directory)

    def command(*arguments: str) -> tuple[int, str]:
        monkeypatch.setattr(sys, "argv", ["stackyard", *arguments])
        monkeypatch.setattr(tempfile, "tempdir", str(stackyard.temporary))
        try:
            main()
        except SystemExit as end:
            return end.code, capsys.readouterr().err
        except KeyboardInterrupt:
            pytest.fail("it got out of the command")
        finally:
            gc.unfreeze()
            gc.enable()

    return command


# A file that an interrupt leaves open is closed by its destructor.
leaves_open = pytest.mark.filterwarnings("ignore::ResourceWarning")
