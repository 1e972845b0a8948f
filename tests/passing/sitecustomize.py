"""Records the calls of one request; Python imports this first, where it is on PYTHONPATH.

A request is recorded while the file `RECORDED` is not there, which is then written. What belongs to
it is told by its context, which its tasks, its threads and SQLAlchemy's greenlets have from it: a
process does other things meanwhile, such as listening to the feed.
"""

import contextvars
import dis
import inspect
import json
import os
import sys
import threading
from collections import Counter
from pathlib import Path
from types import FrameType
from typing import Any

PROJECT = os.getcwd() + os.sep  # noqa: PTH109 - of each call's file, which is a string
PACKAGES = {path.name for path in Path(PROJECT).iterdir() if path.is_dir()}
RECORDED = Path(os.environ["RECORDED"])
# Where the servers hand over a request whose head they have read, and what ends with its answer.
BEGINS = {
    "Task.service": "waitress.task",
    "RequestResponseCycle.run_asgi": "uvicorn.protocols.http.httptools_impl",
    "_RoutingDelegate.headers_received": "tornado.routing",
}
ENDS = {
    "Task.service": "waitress.task",
    "RequestResponseCycle.run_asgi": "uvicorn.protocols.http.httptools_impl",
    "RequestHandler._execute": "tornado.web",
}
RESUMABLE = inspect.CO_GENERATOR | inspect.CO_COROUTINE | inspect.CO_ASYNC_GENERATOR
YIELD = dis.opmap["YIELD_VALUE"]
# The argument of RESUME, as `dis` documents it.
START, AFTER_YIELD = 0, 1


class Recording:
    """The project's functions that were called, and what was called of others before each."""

    def __init__(self) -> None:
        self.steps: list[dict[str, Any]] = []
        self.running: list[FrameType] = []
        self.others: Counter[str] = Counter()

    def called(self, frame: FrameType) -> None:
        code = frame.f_code
        if not code.co_filename.startswith(PROJECT):
            if name := package_of(frame):
                self.others[name] += 1
        elif not code.co_name.startswith(
            "<"
        ):  # a lambda or comprehension is a part of its function
            path = code.co_filename.removeprefix(PROJECT)
            symbol = code.co_qualname.replace(".<locals>", "")
            step = {"at": f"{path} {symbol}", "depth": len(self.running)}
            self.steps.append({**step, "before": self.taken()})
            self.running.append(frame)

    def resumed(self, frame: FrameType) -> None:
        code = frame.f_code
        if code.co_filename.startswith(PROJECT) and not code.co_name.startswith("<"):
            self.running.append(frame)

    def left(self, frame: FrameType) -> None:
        if frame in self.running:
            self.running.remove(frame)

    def taken(self) -> dict[str, int]:
        found, self.others = dict(self.others), Counter()
        return found

    def write(self) -> None:
        beside = RECORDED.with_suffix(".new")
        beside.write_text(json.dumps({"steps": self.steps, "after": self.taken()}), "utf-8")
        beside.rename(RECORDED)


current: contextvars.ContextVar[Recording | None] = contextvars.ContextVar("current", default=None)


def package_of(frame: FrameType) -> str:
    """Name the package that a function is of, with `python` for all of the standard library.

    There is none for what a decorator, such as a dataclass's, has written for the project.
    """
    name = str(frame.f_globals.get("__name__", "")).partition(".")[0]
    if not name or name in sys.stdlib_module_names or name.startswith("namedtuple_"):
        return "python"
    return "" if name in PACKAGES else name


def profile(frame: FrameType, event: str, _: Any) -> None:
    if event == "call":
        # What waits is called again to go on.
        how = resumption(frame, frame.f_lasti) if frame.f_code.co_flags & RESUMABLE else START
        recording = current.get()
        if how == START:
            if is_one_of(BEGINS, frame) and not RECORDED.exists():
                current.set(recording := Recording())
            if recording:
                recording.called(frame)
        elif how == AFTER_YIELD and recording:
            recording.resumed(frame)
    elif event == "return" and (recording := current.get()):
        code = frame.f_code
        if code.co_flags & RESUMABLE and code.co_code[frame.f_lasti] == YIELD:
            # What has yielded is done for now; what waits still runs.
            if resumption(frame, frame.f_lasti + 2) == AFTER_YIELD:
                recording.left(frame)
            return
        recording.left(frame)
        if is_one_of(ENDS, frame):
            current.set(None)
            recording.write()


def is_one_of(functions: dict[str, str], frame: FrameType) -> bool:
    module = functions.get(frame.f_code.co_qualname)
    return module is not None and module == frame.f_globals["__name__"]


def resumption(frame: FrameType, place: int) -> int:
    return frame.f_code.co_code[place + 1] & 3


threading.setprofile(profile)
sys.setprofile(profile)
