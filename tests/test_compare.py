"""Frameworks and projects, compared."""

from __future__ import annotations

import json
import re
from dataclasses import asdict, replace
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
from jsonschema import validate
from justhtml import JustHTML
from selenium.webdriver import Chrome

from combinations import FRAMEWORKS, ROOT, TEMPLATE
from conftest import RENDERED, Command
from figures import invented
from stackyard.commands.compare import encoded
from stackyard.comparing import concerns
from stackyard.comparing.code import Excerpt, find
from stackyard.comparing.comparison import Answer, compare, shared
from stackyard.comparing.concerns import Place
from stackyard.comparing.errors import PageError, UnknownConcernError, UnknownSideError
from stackyard.comparing.page import BEGIN, page, write
from stackyard.project import read_answers

CONCERNS = concerns.load(TEMPLATE.root)
EVERYWHERE = {concern.name for concern in CONCERNS} - {"live", "admin"}

MODULE = '''"""A module."""

# Why it is so.
LIMIT: int = 3
a = b = LIMIT


class Shelf:
    """Books."""

    size = 3

    # Told by whoever asks.
    @property
    def full(self) -> bool:
        return len(self.books) == self.size
'''


@pytest.mark.xdist_group("rendered")
@pytest.mark.parametrize("name", RENDERED)
def test_each_place_is_there_with_the_answers_that_have_it(
    rendered: dict[str, Path], name: str
) -> None:
    project = rendered[name]
    answers = read_answers(project / ".copier-answers.yml")
    places = [place for concern in CONCERNS for place in concern.places[answers["framework"]]]
    assert places
    for place in places:
        assert find(project, place) or not place.suits(answers), place


@pytest.mark.parametrize("concern", CONCERNS, ids=lambda concern: concern.name)
def test_each_concern_is_told_of_every_framework(concern: concerns.Concern) -> None:
    assert concern.question.endswith("?")
    assert len(concern.summary) <= 400
    assert [*concern.places] == [*concern.commentary]
    assert sorted(concern.places) == sorted(FRAMEWORKS)
    for framework in FRAMEWORKS:
        assert 40 <= len(concern.commentary[framework].split()) <= 130
        assert concern.places[framework] or concern.name not in EVERYWHERE


def test_each_framework_has_a_verdict() -> None:
    told = concerns.load_frameworks(TEMPLATE.root)
    assert sorted(one.name for one in told) == sorted(FRAMEWORKS)
    assert all(len(one.verdict.split()) >= 40 for one in told)


@pytest.mark.parametrize(
    ("symbol", "line", "text"),
    [
        ("LIMIT", 3, "# Why it is so.\nLIMIT: int = 3"),
        ("b", 5, "a = b = LIMIT"),
        ("Shelf.size", 11, "size = 3"),
        (
            "Shelf.full",
            13,
            "# Told by whoever asks.\n@property\ndef full(self) -> bool:\n"
            "    return len(self.books) == self.size",
        ),
        ("", 1, MODULE.rstrip()),
    ],
)
def test_code_is_found_by_its_symbol(tmp_path: Path, symbol: str, line: int, text: str) -> None:
    (tmp_path / "shelf.py").write_text(MODULE)
    found = find(tmp_path, Place("shelf.py", symbol, {}))
    assert found == Excerpt("shelf.py", symbol, line, text)


@pytest.mark.parametrize("symbol", ["Shelf.none", "full", "LIMIT.real", "Shelf.full.size"])
def test_what_is_not_there_is_not_found(tmp_path: Path, symbol: str) -> None:
    (tmp_path / "shelf.py").write_text(MODULE)
    assert find(tmp_path, Place("shelf.py", symbol, {})) is None
    assert find(tmp_path, Place("none.py", symbol, {})) is None
    (tmp_path / "shelf.py").write_text("def half(:\n")
    assert find(tmp_path, Place("shelf.py", symbol, {})) is None


def test_what_is_the_same_is_known() -> None:
    here = Excerpt("app/a.py", "a", 1, "a = 1")
    there, own = replace(here, path="core/a.py"), replace(here, text="a = 2")
    answers = [Answer((here, own), ()), Answer((), ()), Answer((there, there), ())]
    assert shared(answers) == {here: [0, 2]}


def test_a_table_of_all_frameworks(stackyard: Command) -> None:
    done = stackyard("compare")
    assert (done.returncode, done.stderr) == (0, "")
    head, *lines = done.stdout.splitlines()
    assert sorted(head.split()) == sorted(FRAMEWORKS)
    rows = re.findall(r"^([a-z][\w -]*[a-z])((?: +\d+){5})$", "\n".join(lines), re.MULTILINE)
    numbers = {name: row.split() for name, row in rows}
    assert numbers.keys() > {concern.name for concern in CONCERNS}
    assert all(int(number) > 0 for name in EVERYWHERE for number in numbers[name])
    assert not [*stackyard.temporary.iterdir()]


def test_json_has_all_of_it(stackyard: Command) -> None:
    told = json.loads(stackyard("compare", "flask", "pyramid", "--json", "-d", "cache=none").stdout)
    assert [side["name"] for side in told["sides"]] == ["flask", "pyramid"]
    assert all(side["answers"]["cache"] == "none" for side in told["sides"])
    assert [concern["name"] for concern in told["concerns"]] == [one.name for one in CONCERNS]
    for concern in told["concerns"]:
        for answer in concern["answers"]:
            assert answer["missing"] == []
            filled = [
                line
                for code in answer["code"]
                for line in code["text"].splitlines()
                if line.strip()
            ]
            assert answer["lines"] == len(filled)


def test_json_is_by_its_schema() -> None:
    schema = json.loads((ROOT / "docs" / "compare.schema.json").read_text("utf-8"))
    for figures in (None, asdict(invented("flask", "pyramid"))):
        told = encoded(compare(TEMPLATE, ["flask", "pyramid"])) | {"figures": figures}
        validate(json.loads(json.dumps(told)), schema)


def test_code_stands_side_by_side_where_there_is_room(stackyard: Command) -> None:
    command = ("compare", "fastapi", "flask", "--concern", "validation")
    wide = stackyard(*command, COLUMNS="160").stdout
    assert re.search("^fastapi +flask$", wide, re.MULTILINE)
    assert max(map(len, wide.splitlines())) <= 160
    narrow = stackyard(*command, COLUMNS="60").stdout
    assert re.findall("^(?:fastapi|flask)$", narrow, re.MULTILINE) == ["fastapi", "flask"]
    assert max(map(len, narrow.splitlines()[4:])) <= 60


def test_projects_are_compared_as_they_are(stackyard: Command) -> None:
    for name in ("shelf1", "shelf2"):
        assert stackyard("new", "flask", name, "--no-lock", "--defaults").returncode == 0
    file = stackyard.directory / "shelf2" / "app" / "schemas.py"
    file.write_text(file.read_text().replace("class BookIn(Input):", "class BookGiven(Input):"))
    (file.parent / "more.py").write_text("one = 1\n\ntwo = 2\n")

    done = stackyard("compare", "shelf1", "shelf2", "--json")
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    one, two = told["sides"]
    assert (two["files"], two["lines"]) == (one["files"] + 1, one["lines"] + 2)
    [validation] = [each for each in told["concerns"] if each["name"] == "validation"]
    assert [answer["missing"] for answer in validation["answers"]] == [
        [],
        ["app/schemas.py BookIn"],
    ]


@pytest.mark.parametrize(
    ("named", "concern", "error", "words"),
    [
        (["flsk"], None, UnknownSideError, "did you mean 'flask'"),
        (["/nowhere/shelf"], None, UnknownSideError, "no project of stackyard is there"),
        ([], "validaton", UnknownConcernError, "did you mean 'validation'"),
    ],
)
def test_what_cannot_be_compared_is_said(
    named: list[str], concern: str | None, error: type[Exception], words: str
) -> None:
    with pytest.raises(error, match=re.escape(words)):
        compare(TEMPLATE, named, {}, concern)


def test_a_page_takes_the_place_of_an_older_one_alone(tmp_path: Path) -> None:
    file = tmp_path / "report.html"
    write(f"{BEGIN}one", file)
    write(f"{BEGIN}two", file)
    assert file.read_text() == f"{BEGIN}two"
    file.write_text("mine")
    with pytest.raises(PageError, match="no page of stackyard's"):
        write(BEGIN, file)
    assert file.read_text() == "mine"
    with pytest.raises(PageError, match="choose another file"):
        write(BEGIN, tmp_path / "none" / "report.html")
    assert [*tmp_path.iterdir()] == [file]


@pytest.fixture(scope="module")
def whole() -> str:
    """A page of all there is, with figures that nobody has measured."""
    found, frameworks = compare(TEMPLATE), concerns.load_frameworks(TEMPLATE.root)
    return page(found, frameworks, "1.2.3", invented(*FRAMEWORKS))


def test_the_page_is_valid_and_whole(whole: str) -> None:
    document = JustHTML(whole, collect_errors=True)
    assert document.errors == []
    ids = re.findall(r' id="([^"]+)"', whole)
    assert len(ids) == len({*ids})
    assert {*re.findall(r'href="#([^"]+)"', whole)} <= {*ids}
    assert {*re.findall(r'aria-labelledby="([^"]+)"', whole)} <= {*ids}


def test_the_page_needs_nothing_else(whole: str) -> None:
    """No script, and nothing that it would fetch."""
    assert not re.search(r"<(script|link|img|iframe)|@import|url\(", whole)
    assert {*re.findall(r'(?:href|src)="([^#][^"]*)"', whole)} == set()


@pytest.mark.slow
@pytest.mark.parametrize(("width", "scheme"), [(360, "dark"), (1600, "light")])
def test_axe_finds_nothing(
    browser: Chrome, tmp_path: Path, whole: str, scheme: str, width: int
) -> None:
    (tmp_path / "report.html").write_text(whole)
    feature = {"name": "prefers-color-scheme", "value": scheme}
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [feature]})
    size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    browser.get((tmp_path / "report.html").as_uri())
    browser.execute_script(files("axe_playwright_python").joinpath("axe.min.js").read_text("utf-8"))
    browser.set_script_timeout(300)
    found: dict[str, Any] = browser.execute_async_script("axe.run().then(arguments[0])")
    assert [(one["id"], one["nodes"][0]["html"]) for one in found["violations"]] == []
    assert len(found["passes"]) > 20
    # Nothing but what scrolls by itself is wider than the screen.
    assert browser.execute_script("return document.documentElement.scrollWidth") <= width
