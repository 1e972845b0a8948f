"""What tools that no one here wrote say of the Dockerfile, the compose files and the workflows."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from conftest import COMBINATIONS, FRAMEWORKS, name_of
from stackyard.generate import generate
from stackyard.template import Template

HOSTILE = """Books, "new" & 'old': $5 #1 \\ {each} %s"""
NEEDED = {"IMAGE": "bookshelf:1.0.0", "SECRET_KEY": "k" * 32, "POSTGRES_PASSWORD": "p"}


@pytest.fixture(scope="module", params=FRAMEWORKS)
def projects(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with a framework's projects: every combination, both ends of the license."""
    home = tmp_path_factory.mktemp(request.param)
    template = Template.installed()
    for told in COMBINATIONS:
        if told["framework"] == request.param:
            proprietary = {"license": "proprietary", "description": HOSTILE}
            answers = told | (proprietary if told["cache"] == "none" else {})
            generate(template, answers, home / name_of(told), with_git=False, with_lock=False)
    return home


@pytest.fixture
def files(projects: Path) -> Callable[[str], list[Path]]:
    """Give a function that finds the same file in each of the projects."""

    def find(path: str) -> list[Path]:
        found = sorted(projects.glob(f"*/{path}"))
        assert len(found) == len(COMBINATIONS) / len(FRAMEWORKS)
        return found

    return find


def clean(*command: str | Path, **environment: str) -> None:
    """Run a tool; it has nothing to say."""
    done = subprocess.run(
        command,
        env=os.environ | environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout


def ours(tool: str) -> Path:
    return Path(sys.executable).with_name(tool)


def test_hadolint(files: Callable[[str], list[Path]]) -> None:
    clean(ours("hadolint"), "--no-color", *files("Dockerfile"))


def test_zizmor(projects: Path) -> None:
    """As its strictest persona, without asking GitHub."""
    clean(ours("zizmor"), "--persona", "pedantic", "--offline", "--no-progress", projects)


@pytest.mark.parametrize(
    ("path", "schema"),
    [
        (".github/workflows/ci.yml", "github-workflows"),
        (".github/dependabot.yml", "dependabot"),
        ("compose.yaml", "compose-spec"),
        ("compose.prod.yaml", "compose-spec"),
    ],
)
def test_check_jsonschema(files: Callable[[str], list[Path]], path: str, schema: str) -> None:
    clean(ours("check-jsonschema"), "--builtin-schema", f"vendor.{schema}", *files(path))


def test_actionlint(files: Callable[[str], list[Path]]) -> None:
    if not shutil.which("actionlint"):
        pytest.skip("needs actionlint, whose package fetches it from GitHub")
    clean("actionlint", *files(".github/workflows/ci.yml"))


@pytest.mark.parametrize("path", ["compose.yaml", "compose.prod.yaml"])
def test_compose_config(files: Callable[[str], list[Path]], path: str) -> None:
    if subprocess.run(
        ["docker", "compose", "version"], check=False, capture_output=True
    ).returncode:
        pytest.skip("needs docker compose")
    for file in files(path):
        clean("docker", "compose", "--file", file, "config", "--quiet", **NEEDED)
