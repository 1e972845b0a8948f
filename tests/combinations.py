"""The combinations of answers that are tried, and what a checkout renders for them."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from pathlib import Path

from covering import Answers, covering
from stackyard.template import Question, Template

ROOT = Path(__file__).parents[1]
TEMPLATE = Template.installed()
FRAMEWORKS = TEMPLATE.questions["framework"].values


def least(question: Question) -> str:
    """Return the answer that adds the least."""
    return "none" if "none" in question.values else question.default


QUESTIONS = [question for question in TEMPLATE.questions.values() if question.values]
CHOICES = {question.name: question.values for question in QUESTIONS}
# What makes no other service, as neither the code nor its tests see it; and the example, which is
# what the tests ask a service for: projects without one have tests in `test_example.py`.
ASIDE = {
    question.name: question.default
    for question in QUESTIONS
    if question.name in {"ci", "deployment", "example", "license", "queue_ui"}
}
_KINDS = [question for question in QUESTIONS if question.name not in {"framework", *ASIDE}]
# What each framework's project is by default, and what it is with the least.
DEFAULTS = {
    framework: {"framework": framework, **{kind.name: kind.default for kind in _KINDS}}
    for framework in FRAMEWORKS
}


def offered(answers: Answers) -> bool:
    """Tell whether there is such a project."""
    known = answers["database"] in CHOICES["database"]
    return known and not TEMPLATE.catalogue.refusal(answers)


def with_least(framework: str) -> Answers:
    """Return the answers that add the least: a file is less than a server."""
    told = {"framework": framework, **{kind.name: least(kind) for kind in _KINDS}}
    smaller = told | {"database": "sqlite"}
    return smaller if offered(smaller) else told


LEAST = {framework: with_least(framework) for framework in FRAMEWORKS}
# The defaults on another database. Each way to speak to one is in it: Django's, and SQLAlchemy's
# with waiting and without; MySQL has the code of MariaDB.
ELSEWHERE = [
    DEFAULTS[framework] | {"database": database}
    for database, framework in [
        *[("sqlite", "flask"), ("sqlite", "django-drf"), ("mysql", "flask")],
        *[("mariadb", "fastapi"), ("mariadb", "django-drf")],
    ]
]
ELSEWHERE = [told for told in ELSEWHERE if offered(told)]
# What the presets stand for, in each of the frameworks that they are for.
PRESETS = [
    DEFAULTS[framework]
    | {name: value for name, value in preset.answers.items() if name not in ASIDE}
    for preset in TEMPLATE.catalogue.presets.values()
    for framework in preset.frameworks
]
FACTORS = {name: values for name, values in CHOICES.items() if name not in ASIDE}
_ENDS = [*DEFAULTS.values(), *LEAST.values(), *ELSEWHERE, *PRESETS]
# With each two answers, which the gate tries; and with each three, which `make test-all` does.
PAIRS = covering(FACTORS, TEMPLATE.catalogue.refusal, _ENDS)
COMBINATIONS = covering(FACTORS, TEMPLATE.catalogue.refusal, PAIRS, strength=3)


def smoked() -> list[Answers]:
    """Return what the gate asks the smoke: the least, and one with each database beside them."""
    found = {(told["framework"], told["database"]): told for told in DEFAULTS.values()}
    for told in [*ELSEWHERE, *LEAST.values(), *PAIRS]:
        found.setdefault((told["framework"], told["database"]), told)
    more = [told for told in found.values() if told not in DEFAULTS.values()]
    return [*more, *(told for told in LEAST.values() if told not in more)]


SMOKED = smoked()


def name_of(answers: Answers) -> str:
    return "-".join(answers.values())


BY_NAME = {name_of(answers): answers for answers in COMBINATIONS}

# Run with the generator of a checkout, which may be another than this one.
RENDER = """
import json, sys
from pathlib import Path
from stackyard.making.generate import generate
from stackyard.template import Template
template = Template.load(Path(sys.argv[1]), stamps={"_src_path": "checkout", "_commit": "v0.0.0"})
for place, answers in json.load(sys.stdin):
    generate(template, answers, Path(place), with_git=False, with_lock=False)
"""


def render(checkout: Path, place: Path, told: dict[str, dict[str, str]]) -> None:
    """Make a project of each of the answers, by their names in `place`, all of them called shop.

    Raises:
        subprocess.CalledProcessError: if the checkout's generator cannot make one of them.
    """
    # Without a repository, of which Copier would make a copy each time.
    template = place / "template"
    shutil.copytree(checkout / "templates", template / "templates")
    shutil.copy(checkout / "copier.yml", template)
    asked = [(str(place / name / "shop"), answers) for name, answers in told.items()]

    def run(part: list[tuple[str, dict[str, str]]]) -> None:
        subprocess.run(
            [sys.executable, "-c", RENDER, template],
            env=os.environ | {"PYTHONPATH": str(checkout / "generator")},
            input=json.dumps(part),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=True,
        )

    with ThreadPoolExecutor(2) as pool:
        [*pool.map(run, [asked[0::2], asked[1::2]])]


def digest(project: Path, pins: Path) -> str:
    """Return what two projects have in common that are the same, on the same versions."""
    found = sha256(pins.read_bytes() if pins.is_file() else b"")
    for path in sorted(project.rglob("*")):
        if path.is_file() and path.name != ".env":  # which holds a secret of its own
            found.update(f"\0{path.relative_to(project)}\0{path.stat().st_mode}\0".encode())
            found.update(path.read_bytes())
    return found.hexdigest()
