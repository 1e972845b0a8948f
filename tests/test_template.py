"""What every combination of options renders: clean, whole, and free of what was not chosen."""

from __future__ import annotations

import json
import keyword
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml
from pytest_copie.plugin import Copie

from conftest import CHECKOUT_WARNINGS, COMBINATIONS, FRAMEWORKS, ROOT, name_of

pytestmark = pytest.mark.filterwarnings(CHECKOUT_WARNINGS)

# Each combination once, and each license that is not the default once for each framework.
RENDERED = COMBINATIONS + [
    {**COMBINATIONS[0], "framework": framework, "license": license_}
    for framework in FRAMEWORKS
    for license_ in ("Apache-2.0", "proprietary")
]


@pytest.fixture(scope="module", params=RENDERED, ids=name_of)
def answers(request: pytest.FixtureRequest) -> dict[str, str]:
    return request.param


@pytest.fixture(scope="module")
def project(copie_session: Copie, answers: dict[str, str]) -> Path:
    """A project rendered by Copier alone."""
    result = copie_session.copy(extra_answers={**answers, "author_name": "Example Author"})
    assert result.exception is None
    assert answers.items() <= result.answers.items()
    return result.project_dir


@pytest.fixture(scope="module")
def texts(project: Path) -> dict[str, str]:
    """The files by their path."""
    paths = [path for path in sorted(project.rglob("*")) if path.is_file()]
    return {path.relative_to(project).as_posix(): path.read_text("utf-8") for path in paths}


def test_no_jinja_is_left(texts: dict[str, str]) -> None:
    # Ours have a space within; an f-string's doubled brace, or `${{ }}` of a workflow, is no mark.
    mark = re.compile(r"(?<!\$)\{\{-? |\{%|\{#")
    assert [path for path, text in texts.items() if mark.search(path + text)] == []
    assert [path for path in texts if path.endswith(".jinja")] == []


def test_no_blank_lines_are_littered(texts: dict[str, str]) -> None:
    """Python may have two blank lines in a row, anything else one; none at either end."""
    for path, text in texts.items():
        most = "\n\n\n\n" if path.endswith((".py", ".py.mako")) else "\n\n\n"
        assert most not in text, path
        assert not text.startswith("\n"), path
        assert not text.endswith("\n\n"), path
        assert text.endswith("\n") or not text, path
        assert re.search(r"[ \t]$", text, re.MULTILINE) is None, path


@pytest.mark.parametrize("command", [["check"], ["format", "--check"]], ids=" ".join)
def test_the_project_is_lint_clean(project: Path, command: list[str]) -> None:
    """By its own configuration: nothing around the project is read."""
    ruff = Path(sys.executable).with_name("ruff")
    done = subprocess.run(
        [ruff, *command, "--no-cache", "."],
        cwd=project,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert (project / "pyproject.toml").read_text().count("[tool.ruff") > 0


def test_data_files_parse(texts: dict[str, str]) -> None:
    parsers = {".json": json.loads, ".toml": tomllib.loads, ".yaml": yaml.safe_load}
    parsers[".yml"] = yaml.safe_load
    for path, text in texts.items():
        if parse := parsers.get(Path(path).suffix):
            parse(text)


def test_nothing_tells_of_what_was_not_chosen(
    answers: dict[str, str], texts: dict[str, str]
) -> None:
    unwanted = []
    feed = "app/hub.py" in texts  # comes with Redis, whatever is cached there
    if answers["cache"] == "none":
        unwanted += [r"x-cache", r"app\.cache", *([] if feed else [r"redis_url"])]
    if answers["tasks"] == "none":
        unwanted += [r"celery", r"smtp", r"\bbeat\b", r"\breports?\b(?!\])"]
        if answers["cache"] == "none" and not feed:
            unwanted += [r"redis(?!tribut)", r"valkey"]
    found = [
        (word, path)
        for word in unwanted
        for path, text in texts.items()
        if re.search(word, path + text, re.IGNORECASE)
    ]
    assert found == []


def test_the_license_is_the_chosen_one(answers: dict[str, str], texts: dict[str, str]) -> None:
    project = tomllib.loads(texts["pyproject.toml"])["project"]
    chosen = answers.get("license", "MIT")
    if chosen == "proprietary":
        assert "license" not in project
        assert "All rights reserved" in texts["LICENSE"]
    else:
        assert project["license"] == chosen
        assert chosen.partition("-")[0] in texts["LICENSE"]


def test_no_file_of_the_template_is_named_in_vain() -> None:
    """A pattern in `_exclude` that matches no file is a misspelling or a leftover."""
    patterns = yaml.safe_load((ROOT / "copier.yml").read_text())["_exclude"]
    paths = [re.search(r"%\}(.+)\{%", pattern) for pattern in patterns]
    named = [match[1] for match in paths if match]
    trees = ROOT / "templates"
    missing = [
        path
        for path in named
        if not any([*trees.glob(f"*/{path}"), *trees.glob(f"*/{path}.jinja")])
    ]
    assert missing == []


def test_every_fragment_has_a_place() -> None:
    """What no template names is a leftover; a license is named by the answer."""
    sources = [ROOT / "copier.yml", *(ROOT / "templates").rglob("*.jinja")]
    text = "".join(path.read_text("utf-8") for path in sources)
    fragments = [
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / "templates/shared").rglob("*")
        if path.is_file() and path.parent.name != "licenses"
    ]
    assert [path for path in fragments if path not in text] == []


# Names


def reserved(block: str) -> set[str]:
    source = (ROOT / "templates/shared/project_name.jinja").read_text()
    return set(re.search(rf"set {block} %}}(.*?){{% endset", source, re.DOTALL)[1].split())


def test_every_keyword_is_reserved() -> None:
    words = {word.lower() for word in [*keyword.kwlist, *keyword.softkwlist] if word != "_"}
    assert words <= reserved("keywords")


def test_every_public_module_of_the_standard_library_is_reserved() -> None:
    modules = {name.lower() for name in sys.stdlib_module_names if not name.startswith("_")}
    assert modules <= reserved("modules")


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_every_direct_dependency_is_pinned_and_so_reserved(framework: str) -> None:
    """Read from the sources, conditions and all."""
    sources = [ROOT / "templates" / tree / "pyproject.toml.jinja" for tree in (framework, "shared")]
    source = "".join(path.read_text() for path in sources)
    depended = {
        re.sub("[-_.]+", "-", name.lower())
        for name in re.findall(r'^\s+"([\w.-]+)(?:\[[\w,]+\])?[<>=~!]', source, re.MULTILINE)
    }
    pins = (ROOT / "templates" / "pins" / f"{framework}.txt").read_text()
    assert len(depended) > 10
    assert depended <= set(re.findall(r"^([a-z0-9-]+)==", pins, re.MULTILINE))
