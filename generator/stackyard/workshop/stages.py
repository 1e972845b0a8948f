"""The stages of a course: what its service is before and after each exercise.

All of it is cut out of services that the template makes: a part of the course begins with one, and
ends with the next.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from itertools import pairwise
from pathlib import Path

from stackyard.workshop.exercises import Exercise, Outline
from stackyard.workshop.holes import cut

Tree = Mapping[str, tuple[int, bytes]]
"""By its path with `/`, the mode of each file and what it holds."""


@dataclass(frozen=True)
class Stage:
    """The service as an exercise finds it, and as it leaves it."""

    start: Tree
    done: Tree


def read_tree(project: Path, ignored: frozenset[str] = frozenset({".git", ".env"})) -> Tree:
    """Return the files of a project, without what each copy has of its own."""
    return {
        path.relative_to(project).as_posix(): (path.stat().st_mode & 0o777, path.read_bytes())
        for path in sorted(project.rglob("*"))
        if path.is_file() and path.relative_to(project).parts[0] not in ignored
    }


def stages(outline: Outline, services: Sequence[Tree]) -> list[Stage]:
    """Return the stages that lie between services, in the order of the exercises.

    Raises:
        LookupError: if the course names a file or a symbol that is not there.
    """
    return [
        Stage(
            _tree(part, one.number, before, after, is_done=False),
            _tree(part, one.number, before, after, is_done=True),
        )
        for part, (before, after) in zip(outline.parts, pairwise(services), strict=True)
        for one in part
    ]


def _tree(
    part: Sequence[Exercise], number: int, before: Tree, after: Tree, *, is_done: bool
) -> Tree:
    """Return the service within an exercise: what later ones bring is not there yet."""
    later = [one for one in part if one.number > number]
    either = {**before, **after}
    tree = dict(after)
    for exercise in reversed(later):  # what a later one changes may be what an earlier one adds
        for path in _matching(exercise.brings, after):
            if path in before:
                tree[path] = before[path]
            else:
                del tree[path]
        tree |= {path: before[path] for path in _matching(exercise.ends, before)}
        for path in _matching(exercise.adds, either):
            del tree[path]
    for exercise in part:
        if exercise.number < number or (is_done and exercise.number == number):
            continue
        unseen = [one for one in later if one.number <= exercise.number]
        patterns = [pattern for one in unseen for pattern in (*one.brings, *one.adds)]
        for hole in exercise.holes:
            path = hole.place.path
            if hole.late and exercise.number != number:
                continue
            if any(fnmatchcase(path, pattern) for pattern in patterns):
                continue  # it comes with the exercise, or shortly before
            mode, content = tree[path]
            tree[path] = (mode, cut(content.decode(), hole).encode())
    return dict(sorted(tree.items()))


def _matching(patterns: tuple[str, ...], tree: Tree) -> list[str]:
    found = {pattern: [p for p in tree if fnmatchcase(p, pattern)] for pattern in patterns}
    if missing := [pattern for pattern, paths in found.items() if not paths]:
        raise LookupError(f"no file is called {', '.join(missing)}")
    return [path for paths in found.values() for path in paths]


def write_tree(tree: Tree, place: Path) -> None:
    """Write the files of a stage into a new directory."""
    for path, (mode, content) in tree.items():
        file = place / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
        file.chmod(mode)
