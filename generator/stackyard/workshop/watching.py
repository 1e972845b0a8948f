"""Waits until a learner saves a file.

It looks, rather than being told: that costs a hundred calls a time, and works where no events come,
as on network mounts, in containers and in virtual machines.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from pathlib import Path

from stackyard import interrupts

EVERY = 0.4
"""Seconds between two looks."""

SETTLED = 0.15
"""Seconds without a change after which an editor is taken to have saved all."""

_SUFFIXES = {".py", ".yaml", ".yml", ".toml", ".ini", ".html", ".cfg"}
_NAMES = {"Dockerfile", ".dockerignore", "Procfile", "Makefile"}
_HIDDEN = {".github"}


def changes(course: Path) -> Iterator[None]:
    """Yield whenever files of the course have changed, for ever."""
    before = _seen(course)
    while True:
        with interrupts.allowed():
            time.sleep(EVERY)
            now = _seen(course)
            if now == before:
                continue
            while True:
                time.sleep(SETTLED)
                if (later := _seen(course)) == now:
                    break
                now = later
        yield
        before = _seen(course)  # with what the check has brought


def _seen(course: Path) -> Mapping[str, tuple[int, int]]:
    """Return when each file was changed, and how long it is."""
    found = {}
    for folder in [course, *_folders(course)]:
        for file in folder.iterdir():
            if file.suffix in _SUFFIXES or file.name in _NAMES:
                try:
                    told = file.stat()
                except OSError:  # it has gone meanwhile
                    continue
                found[str(file)] = (told.st_mtime_ns, told.st_size)
    return found


def _folders(place: Path) -> Iterator[Path]:
    for path in place.iterdir():
        own = path.name in _HIDDEN or (path.name[0] not in "._" and path.name != "workshop")
        if own and path.is_dir() and not path.is_symlink():
            yield path
            yield from _folders(path)
