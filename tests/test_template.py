"""What each combination of answers renders: clean, whole, and free of what was not chosen."""

from __future__ import annotations

import json
import keyword
import re
import sys
import tomllib
from pathlib import Path

import pytest
import yaml

from combinations import ASIDE, CHOICES, FRAMEWORKS, ROOT, TEMPLATE
from conftest import RENDERED
from index import index

pytestmark = pytest.mark.xdist_group("rendered")

CATALOGUE = TEMPLATE.catalogue
WORDS = {word for words in CATALOGUE.words.values() for word in words}
Texts = dict[str, dict[str, str]]
"""By project the files by their path."""


@pytest.fixture(scope="session")
def texts(rendered: dict[str, Path]) -> Texts:
    return {
        name: {
            path.relative_to(project).as_posix(): path.read_text("utf-8")
            for path in sorted(project.rglob("*"))
            if path.is_file()
        }
        for name, project in rendered.items()
    }


@pytest.fixture(scope="session")
def files(texts: Texts) -> list[tuple[str, str, str]]:
    """Every file that differs from the others of its path: project, path and text."""
    found = {(path, text): name for name, held in texts.items() for path, text in held.items()}
    return [(name, path, text) for (path, text), name in found.items()]


def test_no_jinja_is_left(files: list[tuple[str, str, str]]) -> None:
    # Ours have a space within; an f-string's doubled brace, or `${{ }}` of a workflow, is no mark.
    mark = re.compile(r"(?<!\$)\{\{-? |\{%|\{#")
    for name, path, text in files:
        assert mark.search(path + text) is None, (name, path)
        assert not path.endswith(".jinja"), (name, path)


def test_no_blank_lines_are_littered(files: list[tuple[str, str, str]]) -> None:
    """Python may have two blank lines in a row, anything else one; none at either end."""
    for name, path, text in files:
        most = "\n\n\n\n" if path.endswith((".py", ".py.mako")) else "\n\n\n"
        # Markdown may have Python in it.
        own = re.sub(r"(?ms)```python$.*?```$", "code", text) if path.endswith(".md") else text
        assert most not in own, (name, path)
        assert not text.startswith("\n"), (name, path)
        assert not text.endswith("\n\n"), (name, path)
        assert text.endswith("\n") or not text, (name, path)
        assert re.search(r"[ \t]$", text, re.MULTILINE) is None, (name, path)


def test_data_files_parse(files: list[tuple[str, str, str]]) -> None:
    parsers = {".json": json.loads, ".toml": tomllib.loads, ".yml": yaml.safe_load}
    parsers[".yaml"] = lambda text: [*yaml.safe_load_all(text)]  # Kubernetes has several in a file
    for _, path, text in files:
        if parse := parsers.get(Path(path).suffix):
            parse(text)


@pytest.mark.parametrize("name", RENDERED)
def test_nothing_tells_of_what_was_not_chosen(name: str, texts: Texts) -> None:
    found = [
        (word, path)
        for word in WORDS - words_of(name)
        for path, text in texts[name].items()
        if re.search(word, path + text, re.IGNORECASE)
    ]
    assert found == []


def test_an_option_beside_which_nothing_is_said_is_no_part() -> None:
    """The broker has an answer without tasks too, so that these can be switched by themselves."""
    told = {"broker": "redis", "cache": "none"}
    assert CATALOGUE.parts({**told, "tasks": "none"}) & {"broker/redis", "servers/redis"} == set()
    assert {"broker/redis", "servers/redis"} <= CATALOGUE.parts({**told, "tasks": "celery"})


def test_every_part_tells_of_itself(texts: Texts) -> None:
    """By all of the words by which it is looked for where it was not chosen."""
    options = [f"{name}/{value}" for name in CATALOGUE.options for value in CHOICES[name]]
    assert [part for part in options if part not in CATALOGUE.words] == [
        part
        for part in options
        if part.endswith("/none") or part in {"deployment/compose", "monitoring/metrics"}
    ]
    for part, words in CATALOGUE.words.items():
        name = next(name for name in RENDERED if part in parts_of(name))
        text = "\n".join(path + text for path, text in texts[name].items())
        assert [word for word in words if not re.search(word, text, re.IGNORECASE)] == []


def parts_of(name: str) -> set[str]:
    return CATALOGUE.parts({**ASIDE, **RENDERED[name]})


def words_of(name: str) -> set[str]:
    return {word for part in parts_of(name) for word in CATALOGUE.words.get(part, ())}


@pytest.mark.parametrize("name", RENDERED)
def test_the_license_is_the_chosen_one(name: str, texts: Texts) -> None:
    project = tomllib.loads(texts[name]["pyproject.toml"])["project"]
    chosen = RENDERED[name].get("license", "MIT")
    if chosen == "proprietary":
        assert "license" not in project
        assert "All rights reserved" in texts[name]["LICENSE"]
    else:
        assert project["license"] == chosen
        assert chosen.partition("-")[0] in texts[name]["LICENSE"]


# The layers


def test_the_index_lists_every_file_of_a_layer() -> None:
    """Jinja knows of no other; `make index` writes it."""
    assert (ROOT / "templates/index.txt").read_text("utf-8") == index(ROOT)


def test_only_templates_hold_what_jinja_takes_for_its_own() -> None:
    """A static file is rendered like all others: its text must not mean anything to Jinja."""
    names = [name for name in index(ROOT).splitlines() if not name.endswith(".jinja")]
    held = {name: (ROOT / name).read_text("utf-8") for name in names}
    extends = re.compile(r"\{% (block \w+|endblock) -?%\}")  # of a fragment that others extend
    assert [
        name for name, text in held.items() if re.search(r"\{[{%#]", extends.sub("", text))
    ] == []


def test_every_layer_is_of_an_answer_and_a_family() -> None:
    """A folder of another name would be nobody's; a family may be that beside another answer."""
    families = {family for held in CATALOGUE.data["families"].values() for family in held}
    parts = {
        f"options/{name}/{value}"
        for name in CATALOGUE.options
        for value in [*CHOICES[name], "kept"]
    }
    parts |= {"shared", "resources", "seams/removed", "seams/values"} | {
        part
        for needs in [*CATALOGUE.needs.values(), *(needs for _, needs in CATALOGUE.together)]
        for part in needs
    }
    narrower = {
        f"{family}+{part.removeprefix('options/').replace('/', '-')}"
        for family in families
        for part in parts - {"shared"}
    }
    depths = {"shared": 3, "resources": 3, "servers": 4, "seams": 4, "options": 5}
    strange = {
        "/".join(name.split("/")[1:layer])
        for name in index(ROOT).splitlines()
        for layer in [depths.get(name.split("/")[1], 0)]
        if layer
        and not (
            name.split("/")[layer - 1] in families | narrower
            and "/".join(name.split("/")[1 : layer - 1]) in parts
        )
    }
    assert strange == set()


def test_what_a_layer_says_has_a_place_and_a_place_is_used() -> None:
    """A macro that no file asks for is never seen; a place that no layer fills is a leftover."""
    hosts = {*(ROOT / "templates").rglob("*.jinja")} - {ROOT / "templates/at.jinja"}
    kinds = "|imports_|instead_|last_|sorted_"
    call = re.compile(rf"(?:^|[\s{{(])(?:{kinds})at\(\"(\w+)\"", re.MULTILINE)
    asked = {name for path in hosts for name in call.findall(path.read_text("utf-8"))}
    wirings = [path.read_text("utf-8") for path in (ROOT / "templates").rglob("wiring.jinja")]
    told = {name for text in wirings for name in re.findall(r"\bmacro (\w+)\(", text)}
    assert told == asked


def test_every_fragment_has_a_place() -> None:
    """What no template names is a leftover; a license is named by the answer."""
    sources = [ROOT / "copier.yml", *(ROOT / "templates").rglob("*.jinja")]
    text = "".join(path.read_text("utf-8") for path in sources)
    fragments = [
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / "templates/fragments").rglob("*")
        if path.is_file() and path.parent.name != "licenses"
    ]
    assert [path for path in fragments if path not in text] == []


# Names


def reserved(block: str) -> set[str]:
    source = (ROOT / "templates/fragments/project_slug.jinja").read_text()
    return set(re.search(rf"set {block} %}}(.*?){{% endset", source, re.DOTALL)[1].split())


def test_every_keyword_is_reserved() -> None:
    words = {word.lower() for word in [*keyword.kwlist, *keyword.softkwlist] if word != "_"}
    assert words <= reserved("keywords")


def test_every_public_module_of_the_standard_library_is_reserved() -> None:
    modules = {name.lower() for name in sys.stdlib_module_names if not name.startswith("_")}
    assert modules <= reserved("modules")


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_every_direct_dependency_is_pinned_and_so_reserved(framework: str, texts: Texts) -> None:
    """Those of each answer, as every answer is some project's."""
    told = [
        tomllib.loads(texts[name]["pyproject.toml"])
        for name, answers in RENDERED.items()
        if answers["framework"] == framework
    ]
    depended = {
        re.sub("[-_.]+", "-", re.split(r"[\[<>=~!; ]", dependency)[0].lower())
        for project in told
        for group in [project["project"]["dependencies"], *project["dependency-groups"].values()]
        for dependency in group
    }
    pins = (ROOT / "templates" / "pins" / f"{framework}.txt").read_text()
    assert {"celery", "redis", "sentry-sdk", "opentelemetry-sdk", "flower"} <= depended
    assert depended <= set(re.findall(r"^([a-z0-9-]+)==", pins, re.MULTILINE))
