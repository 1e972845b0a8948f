"""What can go wrong in a course.

StackyardError
├── NotACourseError
├── UnknownCourseError
├── UnknownExerciseError
├── CourseError
└── EnvironmentMissingError
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from stackyard.errors import StackyardError, typed, unknown


class NotACourseError(StackyardError):
    """A directory that no course holds."""

    def __init__(self, place: Path) -> None:
        super().__init__(
            f"{str(place)!r} is in no course: go to the directory of one, or make one:"
            " stackyard workshop new FRAMEWORK PATH"
        )


class UnknownCourseError(StackyardError):
    """A framework that there is no course for."""

    def __init__(self, name: str, names: Iterable[str]) -> None:
        super().__init__(unknown("course", name, names))


class UnknownExerciseError(StackyardError):
    """A number that no exercise has."""

    def __init__(self, number: int, last: int) -> None:
        super().__init__(f"there is no exercise {number}: choose from 1 to {last}")


class OwnExerciseError(StackyardError):
    """An exercise that another framework's course has not."""

    def __init__(self, title: str, framework: str) -> None:
        super().__init__(f"there is no {title!r} in the course of {framework!r}")


class CourseError(StackyardError):
    """A course that cannot go on as it is: the text says what was found and what to do."""

    exit_status = 1

    def __init__(self, asked: str, found: str, instead: str) -> None:
        super().__init__(f"cannot {asked}: {found}; {instead}")


class EnvironmentMissingError(StackyardError):
    """A course without the Python that it was made with."""

    exit_status = 1

    def __init__(self, course: Path) -> None:
        super().__init__(
            f"cannot check in {str(course)!r}: it has no environment in '.venv';"
            f" make it again: cd {typed(course)} && uv sync"
        )
