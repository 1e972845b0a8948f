"""What `stackyard new` makes, and what it says about it."""

from __future__ import annotations

import json
import os
import re
import shutil
import stat
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest

from conftest import ROOT, VERSION, Command, generated, tree
from stackyard.making.generate import generate
from stackyard.project import ANSWERS_FILE as ANSWERS
from stackyard.template import Template
from stackyard.template.errors import TemplateError
from stackyard.template.settle import settle

Git = Callable[..., str]
QUICK = ["--defaults", "--no-lock"]


def report(command: Command, *arguments: str, **environment: str) -> dict:
    done = command("new", *arguments, "--json", **environment)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


# What is made


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


# The repository


def test_the_first_commit_holds_the_project(stackyard: Command, git: Git) -> None:
    stackyard("new", "fastapi", "shop", *QUICK)
    project = stackyard.directory / "shop"
    assert git(project, "log", "--format=%an <%ae> %s") == (
        f"Example Author <author@example.org> Start shop from stackyard {VERSION}"
    )
    assert git(project, "branch", "--show-current") == "main"
    assert git(project, "status", "--porcelain") == ""
    assert set(git(project, "ls-files").splitlines()) == set(generated(project))


def test_no_git_makes_no_repository(stackyard: Command) -> None:
    stackyard("new", "fastapi", "shop", *QUICK, "--no-git")
    assert not (stackyard.directory / "shop" / ".git").exists()


def test_a_work_tree_around_the_target_is_left_alone(stackyard: Command, git: Git) -> None:
    git(stackyard.directory, "init", "--quiet")
    stackyard("new", "fastapi", "services/shop", *QUICK)
    assert not (stackyard.directory / "services" / "shop" / ".git").exists()
    assert git(stackyard.directory, "status", "--porcelain") == "?? services/"


def test_where_the_work_tree_around_it_ignores_it_a_project_has_a_repository_of_its_own(
    stackyard: Command, git: Git
) -> None:
    """As those that `make new` makes here have, so that they can be updated."""
    git(stackyard.directory, "init", "--quiet")
    (stackyard.directory / ".gitignore").write_text("projects/\n")
    stackyard("new", "fastapi", "projects/shop", *QUICK)
    assert git(stackyard.directory / "projects" / "shop", "rev-list", "--count", "HEAD") == "1"
    assert git(stackyard.directory, "status", "--porcelain") == "?? .gitignore"


@pytest.mark.parametrize(
    ("answers", "author"),
    [
        (["-d", "author_name=Grace Example", "-d", "author_email=g@example.org"],
         "Grace Example <g@example.org>"),
        ([], "stackyard <stackyard@localhost>"),
    ],
)  # fmt: skip
def test_a_user_unknown_to_git_gets_a_commit(
    stackyard: Command, git: Git, answers: list[str], author: str
) -> None:
    done = stackyard("new", "fastapi", "shop", *answers, *QUICK, GIT_CONFIG_GLOBAL=os.devnull)
    assert done.stderr == ""
    assert git(stackyard.directory / "shop", "log", "--format=%an <%ae>") == author


def test_settings_of_the_user_cannot_break_the_commit(stackyard: Command, git: Git) -> None:
    hooks = stackyard.directory / "hooks"
    hooks.mkdir()
    for hook in ("pre-commit", "commit-msg", "post-commit"):
        (hooks / hook).write_text("#!/bin/sh\necho no >&2\nexit 1\n")
        (hooks / hook).chmod(0o755)
    (stackyard.directory / "ignored").write_text("*.toml\n.env.example\n")
    with Path(stackyard.environment["GIT_CONFIG_GLOBAL"]).open("a") as settings:
        settings.write(
            f"[core]\n\thooksPath = {hooks}\n\tautocrlf = true\n"
            f"\texcludesFile = {stackyard.directory}/ignored\n"
            "[commit]\n\tgpgSign = true\n\ttemplate = /nowhere\n[gpg]\n\tprogram = /bin/false\n"
            f"[init]\n\tdefaultBranch = trunk\n\ttemplateDir = {hooks}\n"
        )
    done = stackyard("new", "fastapi", "shop", *QUICK)
    assert done.stderr == ""
    project = stackyard.directory / "shop"
    assert git(project, "branch", "--show-current") == "main"
    assert set(git(project, "ls-files").splitlines()) == set(generated(project))


def test_a_git_hook_may_call_the_command(stackyard: Command, git: Git) -> None:
    other = stackyard.directory / "other"
    other.mkdir()
    git(other, "init", "--quiet")
    foreign = {"GIT_DIR": f"{other}/.git", "GIT_INDEX_FILE": f"{other}/.git/index"}
    done = stackyard("new", "fastapi", "shop", *QUICK, **foreign)
    assert (done.returncode, done.stderr) == (0, "")
    assert git(stackyard.directory / "shop", "log", "--format=%s").startswith("Start shop")
    assert not (other / ".git" / "index").exists()


def test_without_git_the_project_is_made_with_a_warning(
    stackyard: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From a plain directory: to read a checkout, Copier needs git."""
    plain = tmp_path / "plain"
    shutil.copytree(ROOT / "templates", plain / "templates")
    shutil.copy(ROOT / "copier.yml", plain)
    monkeypatch.setenv("PATH", "/nowhere")
    shop = stackyard.directory / "shop"
    made = generate(Template.load(plain), {}, shop, with_lock=False)
    assert made.warnings == (
        "no git repository was made: git is not installed; run 'git init' in the project later",
    )
    assert "pyproject.toml" in generated(shop)
    assert not (shop / ".git").exists()


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


# --force


@pytest.fixture
def occupied(stackyard: Command) -> Path:
    """A project directory with files of its owner's, some of them where ours go."""
    project = stackyard.directory / "shop"
    (project / "app").mkdir(parents=True)
    (project / "notes.txt").write_text("mine\n")
    (project / "app" / "own.py").write_text("mine\n")
    (project / "README.md").write_text("mine\n")
    (project / ".env").write_text("SECRET_KEY=mine\n")
    return project


def test_force_overwrites_only_what_the_template_makes(stackyard: Command, occupied: Path) -> None:
    done = stackyard("new", "fastapi", "shop", *QUICK, "--force")
    assert (done.returncode, done.stderr) == (0, "")
    assert (occupied / "README.md").read_text().startswith("# shop")
    kept = [occupied / "notes.txt", occupied / "app" / "own.py"]
    assert [path.read_text() for path in kept] == ["mine\n", "mine\n"]
    assert (occupied / ".env").read_text() == "SECRET_KEY=mine\n"
    assert stackyard.leftovers() == []


def test_force_commits_nothing_to_a_repository_that_is_there(
    stackyard: Command, git: Git, occupied: Path
) -> None:
    git(occupied, "init", "--quiet")
    stackyard("new", "fastapi", "shop", *QUICK, "--force")
    assert git(occupied, "rev-list", "--all", "--count") == "0"


def test_force_commits_only_what_was_generated(
    stackyard: Command, git: Git, occupied: Path
) -> None:
    stackyard("new", "fastapi", "shop", *QUICK, "--force")
    assert git(occupied, "status", "--porcelain").splitlines() == ["?? app/own.py", "?? notes.txt"]


@pytest.mark.parametrize("obstacle", ["directory for a file", "link for a directory", "file"])
def test_force_refuses_what_it_cannot_replace(
    stackyard: Command, occupied: Path, obstacle: str
) -> None:
    if obstacle == "directory for a file":
        (occupied / "pyproject.toml").mkdir()
    else:
        (occupied / "app").rename(stackyard.directory / "elsewhere")
        if obstacle == "link for a directory":
            (occupied / "app").symlink_to("../elsewhere")
        else:
            (occupied / "app").write_text("mine\n")
    before = tree(stackyard.directory)
    done = stackyard("new", "fastapi", "shop", *QUICK, "--force")
    assert (done.returncode, done.stderr.count("\n")) == (2, 1), done.stderr
    assert "cannot overwrite in 'shop'" in done.stderr
    assert tree(stackyard.directory) == before


def test_force_replaces_a_link_and_not_what_it_leads_to(stackyard: Command, occupied: Path) -> None:
    (stackyard.directory / "theirs.md").write_text("theirs\n")
    (occupied / "README.md").unlink()
    (occupied / "README.md").symlink_to("../theirs.md")
    stackyard("new", "fastapi", "shop", *QUICK, "--force")
    assert not (occupied / "README.md").is_symlink()
    assert (stackyard.directory / "theirs.md").read_text() == "theirs\n"


# --dry-run, --json, the summary


def test_a_dry_run_writes_nothing(stackyard: Command) -> None:
    stackyard.directory.chmod(0o500)
    before = tree(stackyard.directory.parent)
    done = stackyard("new", "fastapi", "deep/shop", "--dry-run")
    assert (done.returncode, done.stderr) == (0, "")
    assert tree(stackyard.directory.parent) == before


def test_a_dry_run_prints_every_file_with_its_size(stackyard: Command) -> None:
    printed = stackyard("new", "fastapi", "shop", "--dry-run").stdout
    made = report(stackyard, "fastapi", "shop", *QUICK)
    for file in made["files"]:
        name = Path(file["path"]).name
        size = file["size"]
        shown = f"{size} B" if size < 1000 else f"{size / 1000:.1f} kB"
        assert re.search(rf"── {re.escape(name)} +{shown}$", printed, re.MULTILINE)
    assert "nothing was written" in printed


def test_json_tells_what_was_made(stackyard: Command) -> None:
    told = ["-d", "cache=none", "-d", "license=Apache-2.0"]
    made = report(stackyard, "fastapi", "shop", *told, "--no-lock")
    project = stackyard.directory / "shop"
    assert made["path"] == str(project)
    assert {"framework": "fastapi", "cache": "none"}.items() <= made["answers"].items()
    assert "redis" not in made["answers"]  # it is worked out
    sizes = {path: len(held) for path, held in generated(project).items()}
    sizes[".env"] = (project / ".env").stat().st_size
    assert {file["path"]: file["size"] for file in made["files"]} == sizes
    assert made["next"] == ["cd shop", "make test", "make dev"]
    assert made["warnings"] == []


def test_an_option_tells_what_its_assignment_tells(stackyard: Command) -> None:
    """Told twice with one value, be it in both ways, is told."""
    by_option = ["--cache=none", "--project-name", "Books", "-d", "cache=none"]
    by_name = ["-d", "cache=none", "--data=project_name=Books"]
    made = report(stackyard, "flask", *by_option, "--dry-run")
    assert made == report(stackyard, "flask", *by_name, "--dry-run")
    assert {"cache": "none", "project_name": "Books"}.items() <= made["answers"].items()


def test_json_of_a_dry_run_is_what_would_be_made(stackyard: Command) -> None:
    would = report(stackyard, "fastapi", "shop", "--no-lock", "--dry-run")
    assert not (stackyard.directory / "shop").exists()
    assert would == report(stackyard, "fastapi", "shop", "--no-lock")


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["fastapi", "shop", "-d", "cache=none", "--tasks", "none", "--no-git"],
        ["fastapi", "deep/my shop", "-d", 'description=It\'s $HOME; "quoted"', "-d", "license=MIT"],
        ["fastapi", "--no-lock", "-d", "project_name=My Books", "-d", "author_name=-d x"],
        ["flask", "shop", "--author-name", "--", "--author-email=", "--description", "--json"],
        ["fastapi", "--", "-shop"],
    ],
    ids=lambda arguments: " ".join(arguments) or "bare",
)
def test_the_repeat_command_makes_the_same_again(stackyard: Command, arguments: list[str]) -> None:
    made = stackyard("new", "--no-lock", "--json", *arguments)
    first = json.loads(made.stdout)
    again = stackyard.directory / "again"
    again.mkdir()
    # As printed, in a shell, by somebody else.
    somebody = stackyard.environment | {"GIT_CONFIG_GLOBAL": "/dev/null"}
    shell = Command(again, stackyard.temporary, somebody, Path("/bin/sh"))
    done = shell("-c", first["repeat"])
    assert (done.returncode, done.stderr) == (0, "")
    path = Path(first["path"])
    repeated = again / path.relative_to(stackyard.directory)
    assert generated(repeated) == generated(path)
    assert (repeated / ".git").exists() == (path / ".git").exists()


def test_the_repeat_command_starts_with_a_name_that_the_shell_knows(stackyard: Command) -> None:
    path = f"{stackyard.executable.parent}:{stackyard.environment['PATH']}"
    by_name = report(stackyard, "fastapi", "shop", "--dry-run", PATH=path)["repeat"]
    by_path = report(stackyard, "fastapi", "shop", "--dry-run", PATH="/usr/bin:/bin")["repeat"]
    arguments = (
        "new fastapi shop --author-name 'Example Author' --author-email author@example.org"
        " --defaults"
    )
    assert by_name == f"stackyard {arguments}"
    assert by_path == f"{stackyard.executable} {arguments}"


def test_the_summary_tells_the_next_steps_and_the_repeat_command(stackyard: Command) -> None:
    printed = stackyard("new", "fastapi", "my shop", "-d", "cache=none", *QUICK).stdout
    made = report(stackyard, "fastapi", "my shop", "-d", "cache=none", *QUICK, "--force")
    for step in made["next"]:
        assert f"  {step}\n" in printed
    assert made["repeat"].replace("--force ", "") in printed
    assert "cd 'my shop'" in printed


# The lock file


@pytest.mark.skipif(bool(os.environ.get("LATEST")), reason="the newest versions are not the pins")
def test_the_lock_file_holds_the_tested_versions(stackyard: Command, git: Git) -> None:
    done = stackyard("new", "fastapi", "shop", "--defaults")
    assert (done.returncode, done.stderr) == (0, "")
    project = stackyard.directory / "shop"
    packages = tomllib.loads((project / "uv.lock").read_text())["package"]
    locked = {f"{p['name']}=={p['version']}" for p in packages if "registry" in p["source"]}
    assert locked
    assert locked <= set((ROOT / "templates/pins/fastapi.txt").read_text().splitlines())
    assert "uv.lock" in git(project, "ls-files").splitlines()


def test_without_a_network_the_project_is_made_unlocked(stackyard: Command, tmp_path: Path) -> None:
    offline = {"UV_OFFLINE": "1", "UV_CACHE_DIR": str(tmp_path / "cache")}
    done = stackyard("new", "fastapi", "my shop", "--defaults", **offline)
    assert done.returncode == 0
    assert done.stderr.count("\n") == 1
    assert done.stderr.startswith("stackyard: warning: the dependencies are not locked")
    assert done.stderr.endswith("run later: cd 'my shop' && make lock\n")
    assert not (stackyard.directory / "my shop" / "uv.lock").exists()


def test_a_registry_out_of_reach_is_a_warning_in_json_too(
    stackyard: Command, tmp_path: Path
) -> None:
    nowhere = {"UV_DEFAULT_INDEX": "http://127.0.0.1:9/simple", "UV_HTTP_RETRIES": "0"}
    made = report(stackyard, "fastapi", "shop", UV_CACHE_DIR=str(tmp_path / "cache"), **nowhere)
    assert len(made["warnings"]) == 1
    assert "uv.lock" not in [file["path"] for file in made["files"]]
