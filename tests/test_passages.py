"""What requests pass, as it was recorded, and as it is."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path

import pytest

from combinations import FRAMEWORKS, TEMPLATE
from conftest import RENDERED, Command
from gate import by_turns
from passages import record
from stackyard.comparing import requests
from stackyard.comparing.code import find
from stackyard.comparing.comparison import compare
from stackyard.comparing.page import page
from stackyard.comparing.requests import in_words
from stackyard.project import read_answers

REQUESTS = requests.load(TEMPLATE.root)
# How far a library's calls may be from those recorded: its versions move them, and once more that
# asyncio's loop goes round, as it does when a server takes a little longer, is some sixty.
SHARE, FEW = 0.25, 100


def differing(one: Mapping[str, int], other: Mapping[str, int]) -> dict[str, tuple[int, int]]:
    """Return what is called so much more, or less, that it has to be recorded again."""
    pairs = {name: (one.get(name, 0), other.get(name, 0)) for name in {*one, *other}}
    return {name: pair for name, pair in pairs.items() if max(pair) - min(pair) > allowed(pair)}


def allowed(pair: tuple[int, int]) -> float:
    return max(FEW, SHARE * max(pair))


@pytest.mark.slow
@pytest.mark.parametrize(
    "framework",
    by_turns(1, "passages"),
)
def test_a_request_passes_what_was_recorded(framework: str) -> None:
    """Each function of the project, in order; say `make requests` where that has changed."""
    now = record(framework)
    assert [*now] == [request.line for request in REQUESTS]
    for request in REQUESTS:
        known, is_now = request.passages[framework], requests.passage(now[request.line])
        assert [(step.place, step.depth) for step in is_now.steps] == [
            (step.place, step.depth) for step in known.steps
        ]
        assert not differing(is_now.calls, known.calls)


@pytest.mark.xdist_group("rendered")
@pytest.mark.parametrize("name", RENDERED)
def test_each_step_is_there_with_the_answers_it_was_recorded_with(
    rendered: dict[str, Path], name: str
) -> None:
    project = rendered[name]
    answers = read_answers(project / ".copier-answers.yml")
    for request in REQUESTS:
        if not request.otherwise(answers):
            for step in request.passages[answers["framework"]].steps:
                assert find(project, step.place), step.place


@pytest.mark.parametrize("request_", REQUESTS, ids=lambda one: one.method)
def test_each_request_is_told_of_every_framework(request_: requests.Request) -> None:
    assert len(request_.summary) <= 400
    assert sorted(request_.passages) == sorted(request_.commentary) == sorted(FRAMEWORKS)
    for framework in FRAMEWORKS:
        assert 25 <= len(request_.commentary[framework].split()) <= 80
        steps = request_.passages[framework].steps
        # Whoever is running has begun: no step is deeper than one below the last.
        depths = [-1, *(step.depth for step in steps)]
        assert all(depth <= last + 1 for last, depth in pairwise(depths))


def test_few_calls_are_told_together() -> None:
    assert in_words({"django": 1210, "redis": 9}) == "django 1,210, redis 9"
    assert in_words({"a": 9, "b": 8, "c": 7, "d": 2, "e": 1}) == "a 9, b 8, c 7, others 3"


def test_a_request_is_shown_in_the_terminal(stackyard: Command) -> None:
    command = ("compare", "flask", "pyramid", "--request", "post")
    done = stackyard(*command, COLUMNS="160")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("One request: POST /api/v1/books\n")
    assert re.search("^flask +pyramid$", done.stdout, re.MULTILINE)
    assert re.search(r"create_book  app/books.py:\d+  ", done.stdout)
    assert max(map(len, done.stdout.splitlines())) <= 160
    narrow = stackyard(*command, COLUMNS="60").stdout
    assert max(map(len, narrow.splitlines())) <= 60


def test_a_request_is_not_shown_of_what_it_was_not_recorded_with() -> None:
    found = compare(TEMPLATE, ["flask"], {"cache": "none", "database": "sqlite"}, request="GET")
    assert not found.answers
    [[way]] = found.ways.values()
    assert way.otherwise == "cache none, database sqlite"
    assert "Not recorded with cache none, database sqlite." in page(found, [], "1.2.3")


def test_a_step_that_an_owner_has_changed_is_told_as_missing(stackyard: Command) -> None:
    assert stackyard("new", "flask", "shelf", "--no-lock", "--defaults").returncode == 0
    file = stackyard.directory / "shelf" / "app" / "books.py"
    file.write_text(file.read_text().replace("def create_book(", "def add_book("))
    told = json.loads(stackyard("compare", "shelf", "--json", "--request", "POST").stdout)
    [one] = told["requests"]
    [way] = one["ways"]
    assert [step["symbol"] for step in way["steps"] if not step["line"]] == ["create_book"]
    assert told["concerns"] == []
    assert way["otherwise"] is None
    shown = stackyard("compare", "shelf", "--request", "POST").stdout
    assert "create_book  not there any more" in shown


def test_steps_lead_to_the_code_that_the_page_has() -> None:
    found = compare(TEMPLATE, ["flask"])
    text = page(found, [], "1.2.3")
    assert text.count('<ol class="way">') == len(REQUESTS)
    [link] = {*re.findall(r'<code>create_book</code>\n<a href="#([^"]+)">app/books.py', text)}
    assert f'<figure id="{link}">' in text
    assert "not there any more" not in text
