"""Courses: what the templates make, with holes in it, and what a learner does there."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from subprocess import Popen
from tempfile import TemporaryDirectory
from threading import Thread
from typing import Any, cast

import pytest

from combinations import TEMPLATE
from stackyard.commands.telling import told
from stackyard.comparing.code import find_in
from stackyard.making.generate import generate
from stackyard.workshop import exercises, making
from stackyard.workshop.asking import request
from stackyard.workshop.checking import Verdict, check
from stackyard.workshop.course import Course
from stackyard.workshop.exercises import Check, Outline, place_of
from stackyard.workshop.holes import cut
from stackyard.workshop.reading import read
from stackyard.workshop.service import Service
from stackyard.workshop.stages import Stage, read_tree, stages

FRAMEWORKS = exercises.frameworks(TEMPLATE.root)
OUTLINES = {framework: Outline.declared(TEMPLATE.root, framework) for framework in FRAMEWORKS}
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
    for number in range(1, len(OUTLINES[framework].exercises) + 1)
]


@cache
def stages_of(framework: str) -> list[Stage]:
    outline = OUTLINES[framework]
    with TemporaryDirectory() as place:
        made, _ = making.services(STAMPED, outline, "shop", Path(place), with_lock=False)
    return stages(outline, made)


def judged(place: Path, number: int, which: str) -> Verdict:
    """Return what comes of all checks up to an exercise, of its start or of its solution."""
    course = Course.at(place)
    course.go_to(number)
    if which == "done":
        course = Course.at(place)
        course.solve()
    repository = course.repository
    return check(
        place,
        course.outline.exercises[:number],
        lambda: repository.tree(repository.of(number, "done")),
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
def test_each_hole_is_held_by_a_check(
    course_of: Callable[[str], Path], framework: str, number: int
) -> None:
    place = course_of(framework)
    Course.at(place).go_to(number)
    course = Course.at(place)
    course.solve()
    exercise, repository = course.get(number), course.repository
    right = repository.tree(repository.of(number, "done"))

    unheld = []
    for hole in exercise.holes:
        file = place / hole.place.path
        whole = file.read_text()
        file.write_text(cut(whole, hole))
        if check(place, [exercise], lambda: right).is_right:
            unheld.append(f"{hole.place.path} {hole.place.symbol}")
        file.write_text(whole)

    assert exercise.holes
    assert unheld == []


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
    answers = {**OUTLINES[framework].services[-1], "project_name": "shop", "project_slug": "shop"}
    generate(STAMPED, answers, tmp_path / "shop", with_git=False, with_lock=False)

    last = stages_of(framework)[-1]

    assert last.done == read_tree(tmp_path / "shop")


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_each_exercise_has_all_that_a_learner_needs(framework: str) -> None:
    made = stages_of(framework)
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
def test_a_done_stage_says_nothing_of_its_exercise(framework: str) -> None:
    for number, stage in enumerate(stages_of(framework), 1):
        text = "".join(content.decode() for _, content in stage.done.values())
        assert not re.search(rf"[Ee]xercise {number}: ", text)


def test_a_course_goes_through_the_services_of_its_answers() -> None:
    outline = OUTLINES["fastapi"]
    first, second, third, *_ = outline.exercises
    longer = replace(outline, exercises=(first, second, replace(third, answers={"cache": "redis"})))

    assert longer.services == (outline.before, outline.after, {**outline.after, "cache": "redis"})
    assert [[one.number for one in part] for part in longer.parts] == [[1, 2], [3]]


def test_code_of_several_checks_begins_with_the_same_piece() -> None:
    told = exercises.told(TEMPLATE.root, "pyramid")["exercises"][3]

    assert "pieces" not in told
    codes = [one["code"] for one in told["checks"].values()]
    assert not any("begins" in one for one in told["checks"].values())
    assert sum("def read(method, path, body):" in code for code in codes) == 3
    assert all("expect(" in code or "refuses(" in code for code in codes)


def test_a_course_of_the_first_format_is_read() -> None:
    told = {**exercises.told(TEMPLATE.root, "fastapi"), "format": 1}

    assert len(Outline.parse(told).exercises) == len(OUTLINES["fastapi"].exercises)
    with pytest.raises(ValueError, match="its format is 99"):
        Outline.parse({**told, "format": 99})


@pytest.fixture
def answering() -> Iterator[Callable[[list[int]], Service]]:
    """Give services that answer with these statuses, one after the other."""
    with ExitStack() as stack:

        def answer(statuses: list[int]) -> Service:
            class Handler(BaseHTTPRequestHandler):
                def do_GET(self) -> None:
                    self.send_response(statuses.pop(0))
                    self.end_headers()

                def log_message(self, *_: object) -> None:
                    """Keep quiet."""

            server = stack.enter_context(ThreadingHTTPServer(("127.0.0.1", 0), Handler))
            Thread(target=server.serve_forever, daemon=True).start()
            stack.callback(server.shutdown)
            return Service(server.server_port, Path(os.devnull), cast("Popen[bytes]", None))

        yield answer


@pytest.mark.parametrize(
    ("statuses", "step", "came"),
    [
        ([404, 404, 200], {"status": 200, "within": 20}, None),
        ([404, 404], {"status": 200, "within": 0.05}, "404, where 200 was wanted"),
        ([412, 200, 412], {"status": [200, 412, 412]}, None),
        ([200, 200], {"status": [200, 412]}, "200, 200, where 200, 412 were wanted"),
    ],
)
def test_a_step_waits_or_is_sent_by_several_at_once(
    answering: Callable[[list[int]], Service],
    tmp_path: Path,
    statuses: list[int],
    step: dict[str, Any],
    came: str | None,
) -> None:
    steps = {"http": [{"send": "GET /", **step}]}

    found = request(tmp_path, answering(statuses), Check("", "", "http", steps, place_of("m.py")))

    assert (found and found.came) == came


@pytest.mark.parametrize(
    ("asked", "came"),
    [
        ({"lines": ["^FROM", r"^RUN make .*--all$"], "never": ["USER"]}, None),
        ({"lines": ["^RUN", "^FROM"]}, "nothing in it is like ^FROM, after ^RUN"),
        ({"lines": ["^USER"]}, "nothing in it is like ^USER"),
        ({"never": ["make"]}, "RUN make --all is in it"),
        ({"file": "a.yml", "holds": {"web.image": "a", "web.ports": True}}, None),
        ({"file": "a.yml", "holds": {"web.image": "b"}}, 'web.image is "a", where "b" was wanted'),
        ({"file": "a.yml", "holds": {"db": True}}, "db is null, where something was wanted"),
        ({"file": "b.yml", "holds": {"a": 1}}, "it is not YAML"),
        ({"file": "c.yml"}, "FileNotFoundError"),
    ],
)
def test_a_file_is_judged_by_what_it_says(
    tmp_path: Path, asked: dict[str, Any], came: str | None
) -> None:
    (tmp_path / "Dockerfile").write_text("FROM a\n# USER 0\nRUN make \\\n    --all\n")
    (tmp_path / "a.yml").write_text("x: &x {image: a}\nweb: {<<: *x, ports: []}\n")
    (tmp_path / "b.yml").write_text("a: [\n")
    files = {"files": [{"file": "Dockerfile", **asked}]}

    found = read(tmp_path, Check("", "", "files", files, place_of("Dockerfile")))

    assert (found.came.partition(": ")[0] if found else None) == came


def test_a_course_ends_where_its_frameworks_files_do(tmp_path: Path) -> None:
    shutil.copytree(TEMPLATE.root / exercises.FOLDER, tmp_path / exercises.FOLDER)
    for file in tmp_path.glob("templates/workshop/*/flask.yml"):
        if file.parent.name > "08":
            file.unlink()

    outline = Outline.declared(tmp_path, "flask")

    assert [one.number for one in outline.exercises] == [*range(1, 8)]
    assert outline.services == (outline.before, outline.after)
