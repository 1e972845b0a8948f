"""Courses: what the templates make, with holes in it, and what a learner does there."""

from __future__ import annotations

import json
import re
import shutil
import signal
import subprocess
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path
from threading import Timer

import pytest

from combinations import TEMPLATE
from conftest import STACKYARD
from stackyard import cli
from stackyard.commands.telling import told
from stackyard.comparing.code import find_in
from stackyard.making.generate import generate
from stackyard.workshop import exercises, making
from stackyard.workshop.checking import Verdict, check
from stackyard.workshop.course import Course
from stackyard.workshop.exercises import Hole, Outline, place_of
from stackyard.workshop.holes import cut
from stackyard.workshop.stages import Stage, read_tree, stages
from stackyard.workshop.watching import changes

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


def git(place: Path, *arguments: str) -> str:
    done = subprocess.run(["git", *arguments], cwd=place, capture_output=True, check=True)
    return done.stdout.decode()


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
    course_of: Callable[[str], Path], framework: str, number: int
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


class TestWork:
    @pytest.mark.parametrize("number", [1, 4, 7])
    @pytest.mark.parametrize("command", ["reset", "skip", "solve", "goto"])
    def test_half_done_work_is_never_lost(self, course: Path, command: str, number: int) -> None:
        Course.at(course).go_to(number)
        (course / "app" / "mine.py").write_text("MINE = 1\n")
        (course / "app" / "main.py").write_text("half done (\n")
        (course / "Procfile").unlink()

        assert cli.run(["workshop", command, *(["2"] if command == "goto" else [])]) == 0

        kept = git(course, "log", "--format=%h", "--grep=^Keep what there was").split()[0]
        assert git(course, "show", f"{kept}:app/mine.py") == "MINE = 1\n"
        assert git(course, "show", f"{kept}:app/main.py") == "half done (\n"
        assert not (course / "app" / "mine.py").exists()
        assert (course / "Procfile").exists()
        assert git(course, "status", "--porcelain") == ""

    def test_where_it_is_kept_is_told(
        self, course: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        (course / "app" / "mine.py").write_text("MINE = 1\n")

        cli.run(["workshop", "reset"])

        [line] = [one for one in capsys.readouterr().out.splitlines() if "kept" in one]
        command = line.partition(": ")[2]
        assert "app/mine.py" in git(course, *command.split()[1:], "--stat")

    def test_nothing_is_done_in_the_middle_of_a_merge(
        self, course: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        (course / ".git" / "MERGE_HEAD").write_text(git(course, "rev-parse", "HEAD"))
        (course / "app" / "mine.py").write_text("MINE = 1\n")

        assert cli.run(["workshop", "reset"]) == 1

        assert "in the middle of something" in capsys.readouterr().err
        assert (course / "app" / "mine.py").exists()

    def test_own_work_goes_on_into_the_next_exercise(self, course: Path) -> None:
        Course.at(course).go_to(4)
        Course.at(course).solve()
        main = course / "app" / "main.py"
        main.write_text(main.read_text().replace('version="0.1.0"', 'version="9"'))
        (course / "app" / "mine.py").write_text("MINE = 1\n")

        moved = Course.at(course).finish()

        assert moved.taken == ()
        assert 'version="9"' in main.read_text()
        assert "include_router(books.router)" in main.read_text()
        assert (course / "app" / "mine.py").exists()
        log = git(course, "log", "-2", "--format=%s").splitlines()
        assert log == ["Begin exercise 5: views", "Finish exercise 4: serialization"]

    def test_what_both_changed_is_the_courses_and_is_told(self, course: Path) -> None:
        Course.at(course).go_to(4)
        Course.at(course).solve()
        main = course / "app" / "main.py"
        main.write_text(main.read_text().replace("auth.users", "auth.users  # mine"))

        moved = Course.at(course).finish()

        assert moved.taken == ("app/main.py",)
        assert "# mine" not in main.read_text()
        assert "# mine" in git(course, "show", "HEAD~1:app/main.py")


class TestCommands:
    def test_a_course_is_walked_from_end_to_end(self, course: Path) -> None:
        for _ in NUMBERS:
            assert cli.run(["workshop", "skip"]) == 0

        assert cli.run(["workshop", "skip"]) == 1
        last = git(course, "rev-parse", "refs/workshop/7/done^{tree}")
        assert git(course, "rev-parse", "HEAD^{tree}") == last

    @pytest.mark.usefixtures("course")
    def test_hints_tell_more_each_time(self, capsys: pytest.CaptureFixture[str]) -> None:
        for number in (1, 2, 3, 3):
            cli.run(["workshop", "hint"])
            assert f"Hint {number} of 3 to exercise 1:" in capsys.readouterr().out

    @pytest.mark.usefixtures("course")
    def test_the_board_has_what_became_of_each(self, capsys: pytest.CaptureFixture[str]) -> None:
        cli.run(["workshop", "hint"])
        cli.run(["workshop", "skip"])
        capsys.readouterr()

        cli.run(["workshop", "list", "--json"])

        told = json.loads(capsys.readouterr().out)
        assert told["exercise"] == 2
        states = [(one["state"], one["hints"]) for one in told["exercises"]]
        assert states == [("skipped", 1), ("open", 0), *[("", 0)] * 5]

    @pytest.mark.usefixtures("course")
    def test_the_diff_is_what_is_left(self, capsys: pytest.CaptureFixture[str]) -> None:
        cli.run(["workshop", "diff"])

        shown = capsys.readouterr().out
        [first] = OUTLINES["fastapi"].exercises[0].holes[:1]
        assert f"-{' ' * 8}{first.put.splitlines()[0]}" in shown
        assert "Why so:" in shown

    def test_it_works_from_below(
        self, course: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        monkeypatch.chdir(course / "app")

        assert cli.run(["workshop"]) == 0

        assert "Exercise 1: Setup" in capsys.readouterr().out

    @pytest.mark.usefixtures("course")
    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            (["goto", "9"], "there is no exercise 9: choose from 1 to 7"),
            (["diff", "0"], "there is no exercise 0"),
            (["compare", "nothing"], "no course is called 'nothing'"),
        ],
    )
    def test_what_there_is_not_is_refused(
        self, capsys: pytest.CaptureFixture[str], arguments: list[str], message: str
    ) -> None:
        assert cli.run(["workshop", *arguments]) == 2

        assert message in capsys.readouterr().err

    @pytest.mark.usefixtures("course")
    def test_the_neighbours_solution_is_shown(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert cli.run(["workshop", "compare", FRAMEWORKS[-1], "3"]) == 0

        assert "class Book" in capsys.readouterr().out

    def test_progress_that_is_damaged_is_told(
        self, course: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        (course / "workshop" / "progress.json").write_text("{")

        assert cli.run(["workshop"]) == 1

        assert "delete it, and say goto N" in capsys.readouterr().err

    def test_a_course_without_its_environment_is_told_how_to_get_it(
        self, course: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        (course / ".venv").unlink()

        assert cli.run(["workshop", "check"]) == 1

        assert "&& uv sync" in capsys.readouterr().err

    def test_a_module_with_a_mistake_is_named(
        self, course: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        (course / "app" / "main.py").write_text("import os\n\ndef (\n")

        assert cli.run(["workshop", "check"]) == 1

        told = capsys.readouterr()
        assert "SyntaxError" in told.out
        assert "app/main.py:3" in told.out
        assert "Traceback" not in told.out + told.err


class TestWatching:
    def test_a_file_that_is_saved_is_noticed(self, tmp_path: Path) -> None:
        (tmp_path / "app").mkdir()
        (tmp_path / "app" / "main.py").write_text("")
        saved = Timer(0.6, (tmp_path / "app" / "main.py").write_text, ["import os"])
        noticed = changes(tmp_path)

        saved.start()

        assert next(noticed) is None
        assert (tmp_path / "app" / "main.py").read_text() == "import os"

    def test_ctrl_c_ends_it_without_a_word(self, course: Path) -> None:
        with subprocess.Popen(
            [STACKYARD, "workshop", "check", "--watch"],
            cwd=course,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        ) as process:
            assert process.stdout
            while "setup: " not in process.stdout.readline():
                pass
            process.send_signal(signal.SIGINT)
            _, errors = process.communicate(timeout=20)

        assert (process.returncode, errors) == (0, "")


def test_outside_of_a_course_it_says_how_to_make_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)

    assert cli.run(["workshop", "check"]) == 2

    assert "stackyard workshop new FRAMEWORK PATH" in capsys.readouterr().err


def test_a_course_takes_the_place_of_nothing(tmp_path: Path) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "letter.txt").touch()

    done = subprocess.run(
        [STACKYARD, "workshop", "new", FRAMEWORKS[0], "full"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 2
    assert "is not empty" in done.stderr
    assert [path.name for path in tmp_path.rglob("*")] == ["full", "letter.txt"]


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
    ("at", "part"), [("m.py nothing", "whole"), ("m.py LIMIT", "body"), ("m.py empty", "head")]
)
def test_a_hole_that_cannot_be_is_refused(at: str, part: str) -> None:
    with pytest.raises(LookupError):
        cut(MODULE, Hole(place_of(at), part, ""))
