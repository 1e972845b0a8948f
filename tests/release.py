"""Makes a release of what is tagged: `make release VERSION=X.Y.Z`.

Version, changelog, tag and commit must agree. Then sdist and wheel are built, the wheel is
installed and run once, and both are left in `dist/`: if anything fails, neither is.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory

import click
import yaml
from uv import find_uv_bin

ROOT = Path(__file__).parents[1]
DIST = ROOT / "dist"


def main(version: str) -> None:
    """Check, build and try; tell what comes next, which is for a person to do."""
    if not re.fullmatch(r"(0|[1-9]\d*)(\.(0|[1-9]\d*)){2}", version):
        sys.exit(f"VERSION is {version!r}: say make release VERSION=X.Y.Z, with three numbers")
    for stale in DIST.glob(f"stackyard-{version}[-.]*"):
        stale.unlink()
    if found := [*in_pyproject(version), *in_changelog(version), *in_git(version)]:
        sys.exit("\n".join(found))
    with TemporaryDirectory() as directory:
        place = Path(directory)
        sdist, wheel = build(version, place)
        try_out(version, wheel, place)
        DIST.mkdir(exist_ok=True)
        for file in (sdist, wheel):
            shutil.move(file, DIST)
    click.echo(
        f"stackyard {version} is in dist/, and its wheel was installed and run. Next:\n"
        f"  git push --atomic origin HEAD v{version}\n"
        f"  uv publish dist/{sdist.name} dist/{wheel.name}"
    )


def in_pyproject(version: str) -> Iterator[str]:
    """Tell what is not ready there: what was found, what to do."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    if project["version"] != version:
        yield f"pyproject.toml has the version {project['version']}: make it {version}"


def in_changelog(version: str) -> Iterator[str]:
    """Tell what is not ready there: what was found, what to do."""
    text = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    parts = re.split(r"(?m)^## (.*)\n", text)[1:]
    sections = dict(zip(parts[::2], parts[1::2], strict=True))
    if says_something(sections.pop("Unreleased", "")):
        yield f"CHANGELOG.md has lines under 'Unreleased': move them to the section of {version}"
    title = next(iter(sections), "Unreleased")
    number, _, day = title.partition(" - ")
    if number != version or not is_date(day):
        yield (
            f"CHANGELOG.md has {title!r} as its newest section:"
            f" '## {version} - YYYY-MM-DD' should be there"
        )
    elif not says_something(sections[title]):
        yield f"CHANGELOG.md has nothing under {title!r}: tell there what changed"


def says_something(section: str) -> bool:
    return any(line and not line.startswith("#") for line in section.splitlines())


def is_date(text: str) -> bool:
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False


def in_git(version: str) -> Iterator[str]:
    """Tell what is not ready there: what was found, what to do."""
    if changes := run("git", "status", "--porcelain").splitlines():
        yield f"the work tree is not clean ({changes[0].strip()}): commit, or remove, what is there"
    tag, head = f"v{version}", run("git", "rev-parse", "HEAD").strip()
    tagged = run("git", "for-each-ref", "--format=%(*objectname)%(objectname)", f"refs/tags/{tag}")
    if not tagged:
        yield f"there is no tag {tag}: say git tag {tag}, once all else is ready"
    elif not tagged.startswith(head):  # of an annotated tag the commit comes first
        yield f"the tag {tag} is not on HEAD: check it out, or move it if nobody has it yet"


def build(version: str, place: Path) -> list[Path]:
    """Build the sdist, and the wheel from it."""
    run(find_uv_bin(), "build", "--quiet", "--out-dir", place / "dist", ROOT)
    names = [f"stackyard-{version}.tar.gz", f"stackyard-{version}-py3-none-any.whl"]
    files = [place / "dist" / name for name in names]
    if missing := [file.name for file in files if not file.is_file()]:
        sys.exit(f"the build made no {' and no '.join(missing)}: look at pyproject.toml")
    return files


def try_out(version: str, wheel: Path, place: Path) -> None:
    """Install the wheel as `make` installs the checkout, and make a project with it."""
    uv, environment = find_uv_bin(), place / "environment"
    versions = [] if os.environ.get("LATEST") else ["--constraints", ROOT / "constraints.txt"]
    run(uv, "venv", "--quiet", "--python", sys.executable, environment)
    run(uv, "pip", "install", "--quiet", "--python", environment, wheel, *versions)
    stackyard = environment / "bin" / "stackyard"
    if (told := run(stackyard, "--version").strip()) != f"stackyard {version}":
        sys.exit(f"the wheel says that it is {told!r}: look at what was built")
    run(stackyard, "new", "fastapi", place / "bookshelf", "--no-lock", "--defaults")
    answers = yaml.safe_load((place / "bookshelf" / ".copier-answers.yml").read_text())
    if answers["_commit"] != f"v{version}":
        sys.exit(f"a project of the wheel names {answers['_commit']!r}, not v{version}")


def run(*command: str | Path) -> str:
    """Return what a command prints; if it fails, so does the release."""
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"failed: {shlex.join(map(str, command))}\n{done.stderr.strip()}")
    return done.stdout


if __name__ == "__main__":
    main(sys.argv[1])
