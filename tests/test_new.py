"""What `stackyard new` makes."""

from __future__ import annotations

import re
import shutil
import stat
import tomllib
from pathlib import Path

import pytest

from conftest import QUICK, ROOT, Command, Git, report
from stackyard.making.generate import generate
from stackyard.project import ANSWERS_FILE as ANSWERS
from stackyard.template import Template
from stackyard.template.errors import TemplateError
from stackyard.template.settle import settle


def test_without_a_terminal_nothing_is_asked(stackyard: Command) -> None:
    done = stackyard("new", "--no-lock")
    assert (done.returncode, done.stderr) == (0, "")
    assert (stackyard.directory / "bookshelf" / "pyproject.toml").is_file()
    assert stackyard.leftovers() == []


def test_the_project_is_called_as_the_last_part_of_its_path(stackyard: Command) -> None:
    made = report(stackyard, "fastapi", "deep/Book-Shop", *QUICK)
    assert made["answers"]["project_name"] == "Book-Shop"
    written = tomllib.loads((stackyard.directory / "deep/Book-Shop/pyproject.toml").read_text())
    assert written["project"]["name"] == "book-shop"


def test_without_a_path_the_directory_is_called_as_the_slug(stackyard: Command) -> None:
    made = report(stackyard, "fastapi", "-d", "project_name=My Books!", *QUICK)
    assert made["path"] == str(stackyard.directory / "my-books")


@pytest.mark.parametrize(
    ("name", "slug"),
    [
        ("Größe 1", "grosse-1"),
        ("Łódź", "lodz"),
        ("Магазин", "magazin"),
        ("-2 Läden-", "2-laden"),
        ("Ada's Books", "ada-s-books"),
        ("My  Shop!", "my-shop"),
        ("&amp; books", "amp-books"),
    ],
)
def test_the_slug_comes_as_near_to_the_name_as_ascii_can(
    stackyard: Command, name: str, slug: str
) -> None:
    """Of ASCII, plain Copier makes the same by the template's own rule."""
    made = report(stackyard, "flask", "-d", f"project_name={name}", *QUICK)
    assert made["path"] == str(stackyard.directory / slug)
    project = tomllib.loads((stackyard.directory / slug / "pyproject.toml").read_text())["project"]
    assert project["name"] == slug
    assert made["answers"]["project_slug"] == slug
    assert f"project_slug: {slug}\n" in (stackyard.directory / slug / ANSWERS).read_text()
    if name.isascii():
        assert settle(Template.installed(), {"project_name": name})["project_slug"].value == slug


def test_the_slug_can_be_told(stackyard: Command) -> None:
    told = ["-d", "project_name=My Books!", "-d", "project_slug=shelf"]
    made = report(stackyard, "fastapi", *told, *QUICK)
    assert made["path"] == str(stackyard.directory / "shelf")
    assert made["answers"]["project_name"] == "My Books!"


# The author


def authors(project: Path) -> list[dict[str, str]]:
    told = tomllib.loads((project / "pyproject.toml").read_text())["project"]
    return told.get("authors", [])


@pytest.mark.parametrize("flags", [["--defaults"], ["--json"], []], ids=" ".join)
def test_the_author_is_the_one_that_git_knows(stackyard: Command, flags: list[str]) -> None:
    """Whether one is asked or not: see `test_prompts.py`."""
    stackyard("new", "fastapi", "shop", "--no-lock", *flags)
    known = {"name": "Example Author", "email": "author@example.org"}
    assert authors(stackyard.directory / "shop") == [known]


def test_an_author_who_is_told_is_not_asked_of_git(stackyard: Command) -> None:
    told = ["-d", "author_name=", "-d", "author_email=me@example.org"]
    stackyard("new", "fastapi", "shop", *QUICK, *told)
    assert authors(stackyard.directory / "shop") == [{"email": "me@example.org"}]


def test_what_git_knows_is_left_out_where_it_cannot_be_taken(
    stackyard: Command, tmp_path: Path
) -> None:
    settings = tmp_path / "odd"
    settings.write_text("[user]\n\tname = Ada\n\temail = nobody\n")
    done = stackyard("new", "fastapi", "shop", *QUICK, GIT_CONFIG_GLOBAL=str(settings))
    assert (done.returncode, done.stderr) == (0, "")
    assert authors(stackyard.directory / "shop") == [{"name": "Ada"}]
    stackyard("new", "fastapi", "other", *QUICK, GIT_CONFIG_GLOBAL="/dev/null")
    assert authors(stackyard.directory / "other") == []


@pytest.mark.parametrize("path", [".", "empty", "link"])
def test_an_empty_directory_becomes_the_project(stackyard: Command, path: str) -> None:
    """And stays the same directory: a shell or a mount that is in it is not left outside."""
    empty = stackyard.directory / "empty"
    empty.mkdir()
    (stackyard.directory / "link").symlink_to("empty")
    before = empty.stat().st_ino
    inside = Command(empty, stackyard.temporary, stackyard.environment)
    (inside if path == "." else stackyard)("new", "fastapi", path, *QUICK)
    assert (empty / "pyproject.toml").is_file()
    assert (empty.stat().st_ino, stackyard.leftovers()) == (before, [])


def test_a_preset_is_the_answers_that_it_stands_for(stackyard: Command) -> None:
    """What is told counts more; nothing of the project tells that there was a preset."""
    made = report(stackyard, "--preset", "startup", "--license=proprietary", "--no-lock")
    answers = {"framework": "fastapi", "cache": "redis", "tasks": "none", "license": "proprietary"}
    assert answers.items() <= made["answers"].items()
    assert "--tasks none" in made["repeat"]
    written = (Path(made["path"]) / ANSWERS).read_text()
    assert "tasks: none\n" in written
    assert "preset" not in written + made["repeat"]
    told = ["flask", "other", "--preset", "startup", "--tasks", "celery", "--dry-run"]
    made = report(stackyard, *told)
    assert {"framework": "flask", "tasks": "celery"}.items() <= made["answers"].items()


def test_permissions_follow_the_umask(stackyard: Command) -> None:
    stackyard("new", "fastapi", "shop", *QUICK, prefix=["sh", "-c", 'umask 027; exec "$@"', "sh"])
    assert stat.S_IMODE((stackyard.directory / "shop").stat().st_mode) == 0o750


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("project_name", 'Ada\'s "Books" & {{ 7 * 7 }} {% raw %} – №1'),
        ("description", "Quotes \" and ' and \\n and \\ and {{ 7 * 7 }} {% if %} {# x #} #"),
        ("description", "日本語 ünïcode 🙂 $HOME `id` %s <b> [x](y) ${{ x }}"),
        ("description", ""),
        ("author_name", 'Núñez, "Ñ" \\ {{ project_name }}'),
        ("author_email", "o'brien+{{x}}@example.org"),
    ],
)
def test_text_arrives_as_it_was_told(stackyard: Command, key: str, value: str) -> None:
    made = report(stackyard, "fastapi", "shop", "-d", f"{key}={value}", *QUICK)
    assert made["answers"][key] == value
    project = tomllib.loads((stackyard.directory / "shop/pyproject.toml").read_text())["project"]
    if key == "description":
        assert project["description"] == value
    if key.startswith("author"):
        assert project["authors"][0][key.removeprefix("author_")] == value
    if key == "project_name":
        assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", project["name"])


# The secret


def test_each_project_has_a_secret_of_its_own(stackyard: Command) -> None:
    def secret(name: str) -> str:
        stackyard("new", "fastapi", name, *QUICK)
        environment = (stackyard.directory / name / ".env").read_text()
        return re.search(r"^SECRET_KEY=(.*)$", environment, re.MULTILINE)[1]

    first, second = secret("first"), secret("second")
    assert min(len(first), len(second)) >= 32
    assert first != second


def test_the_secret_is_for_its_owner_and_never_committed(stackyard: Command, git: Git) -> None:
    stackyard("new", "fastapi", "shop", *QUICK)
    project = stackyard.directory / "shop"
    assert stat.S_IMODE((project / ".env").stat().st_mode) == 0o600
    assert git(project, "ls-files", ".env", ".env.example") == ".env.example"
    assert git(project, "check-ignore", ".env") == ".env"


@pytest.mark.filterwarnings("ignore::ResourceWarning")  # a directory that Copier leaves open
@pytest.mark.parametrize(
    ("file", "reason"),
    [
        ("{{ nothing.at.all }}", "UndefinedError"),
        ("{% if %}", "TemplateSyntaxError"),
        ("{{ 1 / 0 }}", "ZeroDivisionError"),
    ],
)
def test_a_broken_template_leaves_nothing(stackyard: Command, file: str, reason: str) -> None:
    template = stackyard.directory / "template"
    shutil.copytree(ROOT / "templates", template / "templates")
    shutil.copy(ROOT / "copier.yml", template)
    (template / "templates" / "project" / "wrong.txt.jinja").write_text(file)
    with pytest.raises(TemplateError, match=reason):
        generate(Template.load(template), {}, stackyard.directory / "shop")
    assert [path.name for path in stackyard.directory.iterdir()] == ["template"]
