"""What `stackyard new` says: `--dry-run`, `--json`, the summary and the command that repeats it."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from conftest import QUICK, Command, generated, report, tree


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
