"""When SIGINT, SIGTERM and SIGHUP may stop the program.

An interrupt raises `KeyboardInterrupt` inside `allowed()` and nowhere else, so that
no clean-up and no publishing is ever cut in half. Elsewhere it is kept: the next
`check()` or `allowed()` raises it.
"""

from __future__ import annotations

import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

_allowed = False
_pending = False


def install() -> None:
    """Take over the signals; SIGHUP stays ignored where it is (nohup)."""
    signal.signal(signal.SIGINT, _handle)
    signal.signal(signal.SIGTERM, _handle)
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
        signal.signal(signal.SIGHUP, _handle)
    report = sys.unraisablehook
    # Raised inside a destructor or a weakref callback, an interrupt goes no further;
    # the next `check()` raises it again, so there is nothing to report.
    sys.unraisablehook = lambda unraisable: (
        None if isinstance(unraisable.exc_value, KeyboardInterrupt) else report(unraisable)
    )


def _handle(_signum: int, _frame: FrameType | None) -> None:
    global _allowed, _pending  # noqa: PLW0603 - a signal handler has no other place for its state
    _pending = True
    if _allowed:
        # Cleaning up after the first interrupt must survive a second one.
        _allowed = False
        raise KeyboardInterrupt


def pending() -> bool:
    """Tell whether an interrupt came while none was allowed."""
    return _pending


def check() -> None:
    """Raise `KeyboardInterrupt` if an interrupt came while none was allowed."""
    if _pending:
        raise KeyboardInterrupt


def conclude() -> None:
    """Ignore every interrupt from here on: what it would have stopped is done."""
    global _pending  # noqa: PLW0603
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    _pending = False


@contextmanager
def allowed() -> Iterator[None]:
    """Let an interrupt raise `KeyboardInterrupt` within the block."""
    with _set(allowed=True):
        check()
        yield
        check()


@contextmanager
def shielded() -> Iterator[None]:
    """Keep interrupts for later within the block."""
    with _set(allowed=False):
        yield


@contextmanager
def _set(*, allowed: bool) -> Iterator[None]:
    global _allowed  # noqa: PLW0603
    before = _allowed
    _allowed = allowed
    try:
        yield
    finally:
        _allowed = before and not _pending
