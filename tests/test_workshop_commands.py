"""What a learner says in a course, and what becomes of the work that was there."""

from __future__ import annotations

import json
import signal
import subprocess
from pathlib import Path
from threading import Timer

import pytest

from combinations import TEMPLATE
from conftest import STACKYARD, UNPRIVILEGED, needs_unprivileged
from stackyard import cli
from stackyard.workshop import exercises, making
from stackyard.workshop.course import Course
from stackyard.workshop.exercises import Outline
from stackyard.workshop.service import NotStartedError, serving
from stackyard.workshop.watching import changes

FRAMEWORKS = exercises.frameworks(TEMPLATE.root)
OUTLINES = {framework: Outline.declared(TEMPLATE.root, framework) for framework in FRAMEWORKS}


def git(place: Path, *arguments: str) -> str:
    done = subprocess.run(["git", *arguments], cwd=place, capture_output=True, check=True)
    return done.stdout.decode()


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
        exercises = OUTLINES["fastapi"].exercises
        for _ in exercises:
            assert cli.run(["workshop", "skip"]) == 0

        assert cli.run(["workshop", "skip"]) == 1
        last = git(course, "rev-parse", f"refs/workshop/{len(exercises)}/done^{{tree}}")
        assert git(course, "rev-parse", "HEAD^{tree}") == last

    @pytest.mark.parametrize(
        "framework",
        [pytest.param(one, marks=pytest.mark.one_of(0, one, FRAMEWORKS)) for one in FRAMEWORKS],
    )
    def test_there_is_a_way_on_from_every_state(
        self,
        framework: str,
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
        capsys: pytest.CaptureFixture[str],
    ) -> None:
        place = tmp_path / "a course"
        making.make(TEMPLATE, framework, place, with_environment=False)
        monkeypatch.chdir(place)
        exercises = OUTLINES[framework].exercises

        def stands_at(number: int, which: str) -> bool:
            wanted = git(place, "rev-parse", f"refs/workshop/{number}/{which}^{{tree}}")
            return git(place, "rev-parse", "HEAD^{tree}") == wanted

        for one in exercises:
            for state in ("begun", "half done", "solved"):
                assert cli.run(["workshop", "goto", str(one.number)]) == 0
                assert stands_at(one.number, "start")
                if state == "half done":
                    (place / one.opens[0].path).write_text("half done (\n")
                elif state == "solved":
                    assert cli.run(["workshop", "solve"]) == 0
                    assert stands_at(one.number, "done")
                assert cli.run(["workshop", "hint"]) == 0
                assert cli.run(["workshop", "reset"]) == 0
                assert stands_at(one.number, "start")
                assert cli.run(["workshop", "skip"]) == 0
                assert (
                    stands_at(one.number + 1, "start")
                    if one is not exercises[-1]
                    else stands_at(one.number, "done")
                )
                assert git(place, "status", "--porcelain") == ""
        kept = git(place, "log", "--format=%s", "--grep=^Keep what there was").splitlines()
        assert len(kept) == len(exercises)
        capsys.readouterr()

        for command in ("hint", "reset", "skip", "solve", "check"):
            assert cli.run(["workshop", command]) == 1
            assert "all exercises are done; say goto N" in capsys.readouterr().err
        assert cli.run(["workshop", "goto", "1"]) == 0

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
        assert states == [("skipped", 1), ("open", 0), *[("", 0)] * (len(told["exercises"]) - 2)]

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
            (["goto", "99"], "there is no exercise 99: choose from 1 to"),
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

    def test_what_the_neighbours_have_not_is_told(
        self, course: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        kept = course / "workshop" / "course.json"
        told = json.loads(kept.read_text())
        told["exercises"][2] |= {"name": "own", "title": "A feed"}
        kept.write_text(json.dumps(told))

        assert cli.run(["workshop", "compare", "flask", "3"]) == 2

        assert "there is no 'A feed' in the course of 'flask'" in capsys.readouterr().err

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


@needs_unprivileged
def test_a_home_that_cannot_be_written_is_no_hindrance(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = tmp_path / "a home"
    home.mkdir(mode=0o555)
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.delenv("UV_CACHE_DIR", raising=False)
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)

    def run(place: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
        command = [*UNPRIVILEGED, STACKYARD, "workshop", *arguments]
        return subprocess.run(command, cwd=place, capture_output=True, text=True, check=False)

    made = run(tmp_path, "new", "fastapi", "a course")
    done = run(tmp_path / "a course", "check")
    skipped = run(tmp_path / "a course", "skip")

    assert (made.returncode, made.stderr) == (0, "")
    assert done.returncode == 1
    assert "a short key is refused in production" in done.stdout
    assert skipped.returncode == 0, skipped.stderr
    assert [*home.iterdir()] == []


@pytest.mark.parametrize(
    "server",
    ["raise ValueError('bad')", "socket.close(); time.sleep(1); raise ValueError('bad')"],
    ids=["at once", "a little later"],
)
def test_a_service_that_ends_after_it_has_listened_is_said_not_to_start(
    tmp_path: Path, server: str
) -> None:
    (tmp_path / "release.py").write_text(
        "import os\nopen(os.environ['DATABASE_URL'].removeprefix('sqlite:///'), 'w').close()\n"
    )
    (tmp_path / "web.py").write_text(
        "import os, socket, time\n"
        "socket = socket.create_server(('127.0.0.1', int(os.environ['PORT'])))\n"
        f"time.sleep(0.5)\n{server}\n"
    )
    (tmp_path / "Procfile").write_text("release: python release.py\nweb: python web.py\n")

    with pytest.raises(NotStartedError, match="ValueError: bad"), serving(tmp_path, tmp_path):
        pass


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
