"""Courses: what the templates make, with holes in it, and what a learner does there."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest

from combinations import TEMPLATE
from stackyard.commands.telling import told
from stackyard.comparing.code import find_in
from stackyard.making.generate import generate
from stackyard.workshop import exercises, making
from stackyard.workshop.checking import Verdict, check
from stackyard.workshop.course import Course
from stackyard.workshop.exercises import Hole, Outline, place_of
from stackyard.workshop.holes import cut
from stackyard.workshop.stages import Stage, read_tree, stages

FRAMEWORKS = exercises.frameworks(TEMPLATE.root)
OUTLINES = {framework: Outline.declared(TEMPLATE.root, framework) for framework in FRAMEWORKS}
NUMBERS = range(1, 8)
# A checkout that is dirty is another commit each time.
STAMPED = replace(TEMPLATE, stamps={"_src_path": "checkout", "_commit": "v0.0.0"})
EACH = [
    pytest.param(
        framework,
        number,
        marks=[
            pytest.mark.one_of(0, framework, FRAMEWORKS),
            pytest.mark.xdist_group(f"workshop-{framework}"),
        ],
        id=f"{framework}-{number}",
    )
    for framework in FRAMEWORKS
    for number in NUMBERS
]
MODULE = '''"""A module."""

LIMIT = 3


class Shelf:
    """Books."""

    size = LIMIT

    @property
    def full(self) -> bool:
        """Tell whether it is."""
        return self.size > LIMIT


def empty(shelf: Shelf) -> None:
    """Take all away."""
    shelf.size = 0


empty(Shelf())
'''
DOCUMENT = """\
info: {title: Books}
schemas:
  # What is read.
  Shelf:
    type: object
    properties: # of it
      size: {type: integer}

  Book: {type: object}
"""


@cache
def stages_of(framework: str, place: Path) -> list[Stage]:
    before, after, _ = making.services(STAMPED, OUTLINES[framework], "shop", place, with_lock=False)
    return stages(OUTLINES[framework], before, after)


def judged(place: Path, number: int, which: str) -> Verdict:
    """Return what comes of all checks up to an exercise, of its start or of its solution."""
    course = Course.at(place)
    course.go_to(number)
    if which == "done":
        course = Course.at(place)
        course.solve()
    repository = course.repository
    last = len(course.outline.exercises)
    return check(
        place,
        course.outline.exercises[:number],
        lambda: repository.tree(repository.of(last, "done")),
        all_of=True,
    )


@pytest.mark.parametrize(("framework", "number"), EACH)
def test_each_start_fails_its_own_checks_alone(
    course_of: Callable[[str], Path], framework: str, number: int
) -> None:
    verdict = judged(course_of(framework), number, "start")

    assert verdict.found
    for exercise, one, finding in verdict.found:
        lines = told(one, finding)
        assert exercise.number == number, lines
        assert len(lines) <= 10
        assert not re.search(r"ImportError|ModuleNotFound|AttributeError|Traceback \(", str(lines))
        assert finding.place, lines


@pytest.mark.parametrize(("framework", "number"), EACH)
def test_each_solution_passes_its_own_checks_and_all_before(
    course_of: Callable[[str], Path], framework: str, number: int
) -> None:
    verdict = judged(course_of(framework), number, "done")

    assert [told(one, finding) for _, one, finding in verdict.found] == []
    assert {exercise.number for exercise, _ in verdict.passed} == {*range(1, number + 1)}


@pytest.mark.parametrize(("framework", "number"), EACH)
@pytest.mark.everything
def test_each_stage_is_sound_by_its_own_suite_and_linters(
    course_of: Callable[[str], Path], environment: dict[str, str], framework: str, number: int
) -> None:
    place = course_of(framework)
    course = Course.at(place)
    course.go_to(number)
    Course.at(place).solve()

    for command in (
        ["pytest", "-q", "-n2"],
        ["ruff", "check"],
        ["ruff", "format", "--check"],
        ["mypy"],
    ):
        done = subprocess.run(
            [place / ".venv" / "bin" / "python", "-m", *command],
            cwd=place,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_the_last_stage_is_byte_for_byte_what_new_makes(framework: str, tmp_path: Path) -> None:
    answers = {**OUTLINES[framework].after, "project_name": "shop", "project_slug": "shop"}
    generate(STAMPED, answers, tmp_path / "shop", with_git=False, with_lock=False)

    last = stages_of(framework, tmp_path / "stages")[-1]

    assert last.done == read_tree(tmp_path / "shop")


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_each_exercise_has_all_that_a_learner_needs(framework: str, tmp_path: Path) -> None:
    made = stages_of(framework, tmp_path)
    for exercise, stage in zip(OUTLINES[framework].exercises, made, strict=True):
        assert len(exercise.page.split()) <= 1200
        assert exercise.page.startswith(f"# {exercise.number}. {exercise.title}\n")
        assert all(
            f"\n## {part}" in exercise.page
            for part in ("The idea", "What to do", "Read on", "What the other frameworks do here")
        )
        assert len(exercise.hints) == 3
        assert all(len(hint.split()) >= 15 for hint in exercise.hints)
        assert len(exercise.why.split()) >= 40
        assert exercise.checks
        for place in exercise.opens:
            text = stage.done[place.path][1].decode()
            assert find_in(text, place), place
            assert f"xercise {exercise.number}: " in stage.start[place.path][1].decode(), place
        for path, (_, content) in stage.start.items():
            if path.endswith(".py"):
                compile(content, path, "exec")


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_a_done_stage_says_nothing_of_its_exercise(framework: str, tmp_path: Path) -> None:
    for number, stage in enumerate(stages_of(framework, tmp_path), 1):
        text = "".join(content.decode() for _, content in stage.done.values())
        assert not re.search(rf"[Ee]xercise {number}: ", text)


@pytest.mark.parametrize(
    ("at", "part", "put", "before", "after"),
    [
        ("m.py empty", "body", "pass\n", "    shelf.size = 0\n", "    pass\n"),
        ("m.py empty", "whole", "# empty\n", "def empty", "# empty\n"),
        ("m.py Shelf.full", "decorators", "# how?\n", "    @property\n", "    # how?\n"),
        ("m.py Shelf.full", "body", "return False\n", "self.size > LIMIT", "return False"),
        ("m.py Shelf", "body", "\nsize = 1\n", "size = LIMIT", "\n\n    size = 1\n"),
        ("m.py LIMIT", "whole", "LIMIT = 4\n", "LIMIT = 3", "LIMIT = 4"),
        ("m.py empty(Shelf())", "whole", "", "\nempty(Shelf())\n", "shelf.size = 0\n"),
        ("m.py Shelf", "others", "# more\n", "def empty", "\n\n\n# more\n"),
    ],
)
def test_a_hole_takes_out_what_it_names_and_no_more(
    at: str, part: str, put: str, before: str, after: str
) -> None:
    text = cut(MODULE, Hole(place_of(at), part, put))

    assert before in MODULE
    assert before not in text
    assert after in text
    compile(text, "m.py", "exec")


@pytest.mark.parametrize(
    ("keys", "part", "put", "wanted", "lines"),
    [
        (
            "schemas.Shelf",
            "body",
            "# size\ntype: object\n",
            "  Shelf:\n    # size\n    type: object\n\n  Book:",
            8,
        ),
        ("schemas.Shelf", "whole", "Shelf: {}\n", "read.\n  Shelf: {}\n\n  Book:", 6),
        ("schemas.Shelf.properties", "whole", "", "    type: object\n\n  Book:", 7),
        ("schemas", "body", "Book: {}\n", "Books}\nschemas:\n  Book: {}\n", 3),
        ("info", "whole", "info: {}\n", "info: {}\nschemas:\n", 9),
    ],
)
def test_a_hole_in_a_document_is_what_its_keys_lead_to(
    keys: str, part: str, put: str, wanted: str, lines: int
) -> None:
    text = cut(DOCUMENT, Hole(place_of(f"d.yaml {keys}"), part, put))

    assert wanted in text
    assert text.startswith("info: {")
    assert len(text.splitlines()) == lines


def test_a_place_in_a_document_has_its_line_and_its_comment() -> None:
    found = find_in(DOCUMENT, place_of("d.yaml schemas.Shelf"))

    assert found
    assert (found.line, found.text.splitlines()[:2]) == (3, ["# What is read.", "Shelf:"])


@pytest.mark.parametrize(
    ("at", "part"),
    [
        ("m.py nothing", "whole"),
        ("m.py LIMIT", "body"),
        ("m.py empty", "head"),
        ("d.yaml schemas.nothing", "whole"),
        ("d.yaml size", "whole"),
        ("d.yaml info", "body"),
        ("d.yaml schemas", "others"),
    ],
)
def test_a_hole_that_cannot_be_is_refused(at: str, part: str) -> None:
    with pytest.raises(LookupError):
        cut(MODULE if at.startswith("m.py") else DOCUMENT, Hole(place_of(at), part, ""))
