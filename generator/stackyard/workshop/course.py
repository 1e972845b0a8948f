"""A course on disk: which exercise is open, and how it goes on without anything getting lost."""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from stackyard.workshop.errors import CourseError, NotACourseError, UnknownExerciseError
from stackyard.workshop.exercises import Exercise, Outline
from stackyard.workshop.repository import Repository

FOLDER = "workshop"
"""Where a course has its pages, and what is below."""

KEPT = "course.json"
_PROGRESS = "progress.json"

OPEN, DONE, SOLVED, SKIPPED = "open", "done", "solved", "skipped"


@dataclass(frozen=True)
class Progress:
    """How far a learner is: the exercise that is open, and of each what became of it.

    `hints` counts those that were read, `steps` has of each exercise that was ended how it was
    (`done`, `solved`: with the solution, `skipped`), when, and the commit.
    """

    exercise: int
    hints: Mapping[int, int] = field(default_factory=dict)
    steps: Mapping[int, Mapping[str, str]] = field(default_factory=dict)
    solved: frozenset[int] = frozenset()

    @classmethod
    def begun(cls) -> Progress:
        """Return that of a course which nobody has done anything in."""
        return cls(1)

    @classmethod
    def read(cls, course: Path) -> Progress:
        """Read the file of a course; without one, nothing is done yet.

        Raises:
            CourseError: if it is not as it was written.
        """
        file = course / FOLDER / _PROGRESS
        if not file.exists():
            return cls.begun()
        try:
            told = json.loads(file.read_text(encoding="utf-8"))
            return cls(
                int(told["exercise"]),
                {int(number): int(count) for number, count in told["hints"].items()},
                {int(number): dict(step) for number, step in told["steps"].items()},
                frozenset(map(int, told["solved"])),
            )
        except (OSError, ValueError, LookupError, AttributeError, TypeError) as error:
            raise CourseError(
                f"read {FOLDER}/{_PROGRESS}",
                f"it is not as it was written ({type(error).__name__})",
                "delete it, and say goto N",
            ) from error

    def write(self, course: Path) -> None:
        """Write the file of a course, whole or not at all."""
        told = {
            "exercise": self.exercise,
            "hints": {str(number): count for number, count in sorted(self.hints.items())},
            "steps": {str(number): dict(step) for number, step in sorted(self.steps.items())},
            "solved": sorted(self.solved),
        }
        file = course / FOLDER / _PROGRESS
        beside = file.with_name(f".{file.name}-{secrets.token_hex(4)}")
        beside.write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")
        beside.replace(file)


@dataclass(frozen=True)
class Moved:
    """What a step did: the exercise that is open now, if any is, and what became of the work.

    `kept` is the commit that has what was changed before, or empty; `taken` names files that are
    the course's own from here on, as the learner's and its changes were to the same lines.
    """

    exercise: Exercise | None
    kept: str
    taken: tuple[str, ...] = ()


@dataclass(frozen=True)
class Course:
    """A course, and how far its learner is."""

    place: Path
    outline: Outline
    progress: Progress

    @classmethod
    def at(cls, place: Path) -> Course:
        """Read the course whose directory is `place`.

        Raises:
            NotACourseError: if it is none.
            CourseError: if it cannot be read.
        """
        file = place / FOLDER / KEPT
        if not file.is_file():
            raise NotACourseError(place)
        try:
            outline = Outline.parse(json.loads(file.read_text(encoding="utf-8")))
        except (OSError, ValueError, LookupError, AttributeError, TypeError) as error:
            raise CourseError(
                f"read the exercises from {str(file)!r}",
                str(error),
                "use the release of stackyard that made the course",
            ) from error
        return cls(place, outline, Progress.read(place))

    @classmethod
    def around(cls, place: Path) -> Course:
        """Read the course that a directory is in.

        Raises:
            NotACourseError: if it is in none.
        """
        own = place.resolve()
        for parent in (own, *own.parents):
            if (parent / FOLDER / KEPT).is_file():
                return cls.at(parent)
        raise NotACourseError(place)

    @property
    def repository(self) -> Repository:
        """Return the course's repository."""
        return Repository(self.place)

    @property
    def is_over(self) -> bool:
        """Tell whether the last exercise is ended."""
        return self.progress.exercise > len(self.outline.exercises)

    @property
    def exercise(self) -> Exercise:
        """Return the exercise that is open.

        Raises:
            CourseError: if none is, as the course is over.
        """
        if self.is_over:
            raise CourseError("go on", "all exercises are done", "say goto N for one of them again")
        return self.get(self.progress.exercise)

    def get(self, number: int) -> Exercise:
        """Return an exercise.

        Raises:
            UnknownExerciseError: if there is none of this number.
        """
        if not 1 <= number <= len(self.outline.exercises):
            raise UnknownExerciseError(number, len(self.outline.exercises))
        return self.outline.exercises[number - 1]

    def state(self, number: int) -> str:
        """Return what became of an exercise; empty before it is open."""
        if number == self.progress.exercise:
            return OPEN
        return self.progress.steps.get(number, {}).get("state", "")

    def keep(self) -> str:
        """Commit what there is, if anything is new; return the commit, or nothing."""
        if not self.repository.is_changed():
            return ""
        name = "the end" if self.is_over else f"exercise {self.exercise.number}"
        return self.repository.commit(f"Keep what there was of {name}")

    def finish(self) -> Moved:
        """End the exercise that is open, as it passes, and open the next one."""
        exercise = self.exercise
        state = SOLVED if exercise.number in self.progress.solved else DONE
        commit = self.repository.commit(f"Finish exercise {exercise.number}: {_title(exercise)}")
        course = self._ended(state, commit)
        return _opened(course, "", exercise)

    def skip(self) -> Moved:
        """End the exercise that is open with the solution, and open the next one."""
        kept = self.keep()
        exercise = self.exercise
        self.repository.lay(self.repository.of(exercise.number, "done"))
        commit = self.repository.commit(f"Skip exercise {exercise.number}: {_title(exercise)}")
        return _opened(self._ended(SKIPPED, commit), kept, exercise)

    def solve(self) -> Moved:
        """Bring the solution in, to be read and checked."""
        kept = self.keep()
        exercise = self.exercise
        self.repository.lay(self.repository.of(exercise.number, "done"))
        self.repository.commit(f"Solve exercise {exercise.number}: {_title(exercise)}")
        solved = self.progress.solved | {exercise.number}
        self._with(replace(self.progress, solved=solved))
        return Moved(exercise, kept)

    def reset(self) -> Moved:
        """Bring the start of the exercise back that is open."""
        return self.go_to(self.exercise.number)

    def go_to(self, number: int) -> Moved:
        """Open an exercise, from its start."""
        exercise = self.get(number)
        kept = self.keep()
        self.repository.lay(self.repository.of(number, "start"))
        self.repository.commit(f"Begin exercise {number}: {_title(exercise)}")
        solved = self.progress.solved - {number}
        self._with(replace(self.progress, exercise=number, solved=solved))
        return Moved(exercise, kept)

    def hint(self) -> tuple[int, str]:
        """Return the next hint to the exercise that is open, and its number; the last one again."""
        exercise = self.exercise
        number = min(self.progress.hints.get(exercise.number, 0) + 1, len(exercise.hints))
        hints = {**self.progress.hints, exercise.number: number}
        self._with(replace(self.progress, hints=hints))
        return number, exercise.hints[number - 1]

    def diff(self, number: int) -> str:
        """Return what turns the learner's files into the solution of an exercise.

        Of one that is ended, these are the files it was ended with.
        """
        exercise = self.get(number)
        done = self.repository.of(number, "done")
        ended = self.progress.steps.get(number, {}).get("commit", "")
        is_open = number == self.progress.exercise
        sides = (done,) if is_open or not ended else (ended, done)
        own = [place.path for place in exercise.opens]
        swapped = ("-R",) if len(sides) == 1 else ()
        return self.repository.git("diff", "--no-color", *swapped, *sides, "--", *own)

    def _ended(self, state: str, commit: str) -> Course:
        number = self.exercise.number
        now = datetime.now(UTC).isoformat(timespec="seconds")
        step = {"state": state, "commit": commit, "at": now}
        steps = {**self.progress.steps, number: step}
        return self._with(replace(self.progress, exercise=number + 1, steps=steps))

    def _with(self, progress: Progress) -> Course:
        progress.write(self.place)
        return replace(self, progress=progress)


def _opened(course: Course, kept: str, before: Exercise) -> Moved:
    """Bring in what the exercise that is open now begins with, beside the learner's own."""
    if course.is_over:
        return Moved(None, kept)
    exercise, repository = course.exercise, course.repository
    base = repository.of(before.number, "done")
    start = repository.of(exercise.number, "start")
    changed = repository.differing(base, start)
    taken = [path for path in changed if not _merge(course, path, base, start)]
    repository.commit(f"Begin exercise {exercise.number}: {_title(exercise)}")
    return Moved(exercise, kept, tuple(taken))


def _title(exercise: Exercise) -> str:
    return exercise.title[0].lower() + exercise.title[1:]


def _merge(course: Course, path: str, base: str, start: str) -> bool:
    """Have a file follow the course; tell whether the learner's own changes to it stayed."""
    repository, file = course.repository, course.place / path
    then, wanted = repository.content(base, path), repository.content(start, path)
    own = file.read_bytes() if file.is_file() else None
    merged, is_whole = wanted, own in {then, wanted}
    if not is_whole and own is not None and then is not None and wanted is not None:
        clean = _merged(course, own, then, wanted)
        merged, is_whole = (wanted, False) if clean is None else (clean, True)
    if merged is None:
        file.unlink(missing_ok=True)
    elif merged != own:
        mode = file.stat().st_mode if own is not None else None
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(merged)
        if mode:
            file.chmod(mode)
    return is_whole


def _merged(course: Course, own: bytes, then: bytes, wanted: bytes) -> bytes | None:
    """Return a file with both changes; nothing where they are to the same lines."""
    import subprocess
    import tempfile

    from stackyard.git import regime

    with tempfile.TemporaryDirectory(prefix="stackyard-") as directory:
        files = []
        for name, content in (("own", own), ("then", then), ("wanted", wanted)):
            file = Path(directory, name)
            file.write_bytes(content)
            files.append(os.fspath(file))
        done = subprocess.run(
            ["git", "merge-file", "-p", "-q", *files],
            cwd=course.place,
            env=regime(),
            capture_output=True,
            check=False,
        )
    return None if done.returncode else done.stdout


def dumped(course: Course) -> dict[str, Any]:
    """Return how far a learner is, as JSON has it for a teacher's board."""
    progress = course.progress
    return {
        "course": str(course.place),
        "framework": course.outline.framework,
        "exercise": None if course.is_over else progress.exercise,
        "exercises": [
            {
                "number": one.number,
                "name": one.name,
                "title": one.title,
                "minutes": one.minutes,
                "state": course.state(one.number),
                "at": progress.steps.get(one.number, {}).get("at"),
                "hints": progress.hints.get(one.number, 0),
            }
            for one in course.outline.exercises
        ],
    }
