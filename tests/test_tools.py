"""What tools that no one here wrote say of what is rendered: one call of each for all of it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from combinations import ROOT
from pipelines import with_ci

pytestmark = pytest.mark.xdist_group("rendered")


@pytest.fixture(scope="session")
def home(rendered: dict[str, Path]) -> Path:
    """The directory that holds all of the projects."""
    [home] = {project.parents[1] for project in rendered.values()}
    return home


@pytest.fixture(scope="session")
def files(rendered: dict[str, Path]) -> Callable[..., list[Path]]:
    """Give a function that finds the same file in each of the projects, or in those with a CI."""

    def find(path: str, ci: str = "") -> list[Path]:
        chosen = with_ci(ci, rendered) if ci else rendered.values()
        found = [project / path for project in chosen]
        assert all(file.is_file() for file in found)
        return found

    return find


def clean(*command: str | Path, cwd: Path | None = None, **environment: str) -> None:
    """Run a tool; it has nothing to say."""
    done = subprocess.run(
        command,
        cwd=cwd,
        env=os.environ | environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout


def ours(tool: str) -> Path:
    return Path(sys.executable).with_name(tool)


@pytest.mark.parametrize("command", [["check"], ["format", "--check"]], ids=" ".join)
def test_ruff(rendered: dict[str, Path], command: list[str]) -> None:
    """By each project's own configuration: nothing around a project is read."""
    clean(ours("ruff"), *command, "--no-cache", *rendered.values())
    for project in rendered.values():
        assert (project / "pyproject.toml").read_text().count("[tool.ruff") > 0


def test_no_text_depends_on_the_locale(rendered: dict[str, Path]) -> None:
    """Whoever starts a service may have another encoding than the project's files."""
    options = ("--preview", "--select", "PLW1514", "--exclude", "tests", "--no-cache")
    clean(ours("ruff"), "check", *options, *rendered.values(), ROOT / "generator")


# What bandit may find, by its rules, and why that is none.
EXPLAINED = {
    "B102": "a course's checks are run by its own Python, beside its learner's own code",
    "B104": "a container's port is published by its host; ruff's S104 is answered where it is",
    "B105": '"bearer" is no password',
    "B108": "the names in /tmp are chosen when they are made, for their owner alone",
    "B311": "chance spreads the tries to connect again, and is no secret",
    "B404": "subprocess is called; what B602 and B605 look for, a shell, is not",
    "B603": "what is run is git, uv, or the command that devservers.py is given",
    "B607": "git is the one that PATH finds",
}
EXPLAINED_IN_TESTS = {
    "B101": "tests are made of assertions",
    "B106": "their passwords are nobody's",
    "B501": "nothing there speaks TLS",
}


def test_bandit(rendered: dict[str, Path]) -> None:
    """Of the generator as well; what makes no sense is left out by its rule, not by the line."""
    options = ("--recursive", "--quiet", "--exclude", "*/tests/*")
    skipped = ("--skip", ",".join(EXPLAINED))
    clean(ours("bandit"), *options, *skipped, ROOT / "generator", *rendered.values())


def test_bandit_of_their_tests(rendered: dict[str, Path]) -> None:
    skipped = ("--skip", ",".join(EXPLAINED | EXPLAINED_IN_TESTS))
    tests = [project / "tests" for project in rendered.values()]
    clean(ours("bandit"), "--recursive", "--quiet", *skipped, *tests)


def test_hadolint(files: Callable[..., list[Path]]) -> None:
    clean(ours("hadolint"), "--no-color", *files("Dockerfile"))


def test_zizmor(home: Path) -> None:
    """As its strictest persona, without asking GitHub; of our own workflow too."""
    options = ("--persona", "pedantic", "--offline", "--no-progress")
    clean(ours("zizmor"), *options, home, ROOT / ".github")


@pytest.mark.parametrize(
    ("path", "ci", "schema"),
    [
        (".github/workflows/ci.yml", "github", "github-workflows"),
        (".github/dependabot.yml", "github", "dependabot"),
        (".gitlab-ci.yml", "gitlab", "gitlab-ci"),
        ("compose.yaml", "", "compose-spec"),
        ("compose.prod.yaml", "", "compose-spec"),
    ],
)
def test_check_jsonschema(
    files: Callable[..., list[Path]], path: str, ci: str, schema: str
) -> None:
    own = [ROOT / path] if (ROOT / path).is_file() else []
    found = files(path, ci)
    clean(ours("check-jsonschema"), "--builtin-schema", f"vendor.{schema}", *own, *found)


def test_actionlint(files: Callable[..., list[Path]]) -> None:
    if not shutil.which("actionlint"):
        pytest.skip("needs actionlint, whose package fetches it from GitHub")
    path = ".github/workflows/ci.yml"
    clean("actionlint", ROOT / path, *files(path, "github"))
