"""`make release` in a clone: what it refuses, and what it leaves in `dist/`."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from conftest import VERSION, Command, run

NEXT = "998.0.0"
CHANGELOG = "# Changelog\n\n## Unreleased\n\n### Added\n\n## 998.0.0 - 2026-11-20\n\n- News.\n"
BUILT = [f"stackyard-{NEXT}-py3-none-any.whl", f"stackyard-{NEXT}.tar.gz"]


@dataclass
class Repository:
    place: Path
    environment: dict[str, str]

    def write(self, name: str, text: str) -> None:
        (self.place / name).write_text(text)

    def git(self, *arguments: str) -> None:
        run("git", *arguments, cwd=self.place, env=self.environment)

    def release(self, version: str = NEXT) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "tests.release", version],
            cwd=self.place,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
        )

    def dist(self) -> list[str]:
        return sorted(path.name for path in self.place.glob("dist/*"))


@pytest.fixture
def repository(clone: Path, stackyard: Command) -> Repository:
    """A repository where all is ready for a release but the commit and its tag."""
    repository = Repository(stackyard.directory / "clone", stackyard.environment)
    run("git", "clone", "--quiet", "--no-tags", clone, repository.place)
    pyproject = (repository.place / "pyproject.toml").read_text()
    repository.write("pyproject.toml", pyproject.replace(f'"{VERSION}"', f'"{NEXT}"', 1))
    repository.write("CHANGELOG.md", CHANGELOG)
    (repository.place / "dist").mkdir()
    repository.write("dist/stackyard-997.0.0.tar.gz", "An older one.")
    repository.write(f"dist/{BUILT[0]}", "Of an earlier try.")
    return repository


@pytest.mark.parametrize("annotated", [[], ["--annotate", "--message=News"]], ids=["", "annotated"])
def test_what_is_ready_is_built_and_tried(repository: Repository, annotated: list[str]) -> None:
    repository.git("commit", "--quiet", "--all", "--message=Release")
    repository.git("tag", *annotated, f"v{NEXT}")
    done = repository.release()
    assert (done.returncode, done.stderr) == (0, "")
    assert f"git push --atomic origin HEAD v{NEXT}\n" in done.stdout
    assert repository.dist() == ["stackyard-997.0.0.tar.gz", *BUILT]
    assert all(len((repository.place / "dist" / name).read_bytes()) > 9999 for name in BUILT)


def changelog(old: str, new: str) -> Callable[[Repository], None]:
    return lambda repository: repository.write("CHANGELOG.md", CHANGELOG.replace(old, new))


@pytest.mark.parametrize(
    ("change", "refusal"),
    [
        (
            lambda repository: repository.git("checkout", "--quiet", "pyproject.toml"),
            f"pyproject.toml has the version {VERSION}: make it {NEXT}",
        ),
        (
            changelog("### Added", "- Later."),
            f"CHANGELOG.md has lines under 'Unreleased': move them to the section of {NEXT}",
        ),
        *(
            (
                changelog(f"{NEXT} - 2026-11-20", title),
                f"CHANGELOG.md has {title!r} as its newest section:"
                f" '## {NEXT} - YYYY-MM-DD' should be there",
            )
            for title in ("997.0.0 - 2026-11-20", NEXT, f"{NEXT} - 2026-11-31", "2026-11-20")
        ),
        (
            changelog("- News.", ""),
            f"CHANGELOG.md has nothing under '{NEXT} - 2026-11-20': tell there what changed",
        ),
    ],
)
def test_what_does_not_agree_is_refused(
    repository: Repository, change: Callable[[Repository], None], refusal: str
) -> None:
    change(repository)
    repository.git("commit", "--quiet", "--all", "--message=Release")
    repository.git("tag", f"v{NEXT}")
    done = repository.release()
    assert (done.returncode, done.stdout, done.stderr) == (1, "", refusal + "\n")
    assert repository.dist() == ["stackyard-997.0.0.tar.gz"]


def test_a_tag_elsewhere_or_none_is_refused(repository: Repository) -> None:
    repository.git("tag", f"v{NEXT}")
    repository.git("commit", "--quiet", "--all", "--message=Release")
    assert f"the tag v{NEXT} is not on HEAD: " in repository.release().stderr
    repository.git("tag", "--delete", f"v{NEXT}")
    assert f"there is no tag v{NEXT}: say git tag v{NEXT}" in repository.release().stderr


def test_all_that_does_not_agree_is_told_at_once(repository: Repository) -> None:
    repository.git("checkout", "--quiet", ".")
    repository.write("new.py", "")
    done = repository.release()
    assert done.returncode == 1
    said = [line.split()[0] for line in done.stderr.splitlines()]
    assert [*dict.fromkeys(said)] == ["pyproject.toml", "CHANGELOG.md", "the", "there"]
    assert "(?? new.py)" in done.stderr


@pytest.mark.parametrize("version", ["", "1.2", "v1.2.3", "1.02.3", "1.2.3rc1"])
def test_what_is_no_version_is_refused(repository: Repository, version: str) -> None:
    done = repository.release(version)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith(f"VERSION is {version!r}: say make release VERSION=X.Y.Z")


@pytest.mark.parametrize(
    ("name", "text", "failure"),
    [
        ("README.md", None, r"failed: .*uv build "),
        ("generator/stackyard/__main__.py", "def main(): print('stackyard 1')", "the wheel "),
        ("copier.yml", "", r"failed: .*stackyard new "),
    ],
    ids=["build", "version", "new"],
)
def test_what_does_not_build_or_run_leaves_nothing(
    repository: Repository, name: str, text: str | None, failure: str
) -> None:
    if text is None:
        (repository.place / name).unlink()
    else:
        repository.write(name, text)
    repository.git("commit", "--quiet", "--all", "--message=Release")
    repository.git("tag", f"v{NEXT}")
    done = repository.release()
    assert (done.returncode, done.stdout) == (1, "")
    assert re.match(failure, done.stderr)
    assert repository.dist() == ["stackyard-997.0.0.tar.gz"]
