"""Courses for tests to be in: each made once, and copied for whoever asks."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest

from combinations import TEMPLATE
from stackyard.workshop import making


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Give a framework's course as it was made, with all that it needs, in a path with blanks."""

    @cache
    def make(framework: str) -> Path:
        place = tmp_path_factory.mktemp(f"{framework} course") / "my course"
        done = making.make(TEMPLATE, framework, place)
        assert done.warnings == ()
        return place

    return make


@pytest.fixture
def course_of(made: Callable[[str], Path], tmp_path: Path) -> Callable[[str], Path]:
    """Give a copy of a framework's course, which shares the installed packages."""

    def copy(framework: str) -> Path:
        place = tmp_path / "a course"
        origin = made(framework)
        shutil.copytree(origin, place, symlinks=True, ignore=shutil.ignore_patterns(".venv"))
        (place / ".venv").symlink_to(origin / ".venv")
        with (place / ".git" / "info" / "exclude").open("a") as file:
            file.write("/.venv\n")
        return place

    return copy


@pytest.fixture
def course(course_of: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give a course, to be in."""
    place = course_of("fastapi")
    monkeypatch.chdir(place)
    return place
