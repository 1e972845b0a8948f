"""Resolves the tested versions anew: `constraints.txt`, and a list for each framework.

Each list is one resolution of everything that any combination of options asks for, so
that a project takes the same version of a package whatever else it was made with.
"""

from __future__ import annotations

import re
import subprocess
import tomllib
from pathlib import Path
from tempfile import TemporaryDirectory

from uv import find_uv_bin

from combinations import BY_NAME, FRAMEWORKS, ROOT, TEMPLATE
from stackyard.making.generate import generate

HEADER = "# Versions that were tested together, from `make pins`.\n"


def requirements(framework: str) -> list[str]:
    """Return what the projects of a framework depend on: with each two answers, all there is."""
    found: set[str] = set()
    with TemporaryDirectory() as directory:
        for name, told in BY_NAME.items():
            if told["framework"] != framework:
                continue
            path = Path(directory, name)
            generate(TEMPLATE, told, path, with_git=False, with_lock=False)
            project = tomllib.loads((path / "pyproject.toml").read_text(encoding="utf-8"))
            groups = project.get("dependency-groups", {}).values()
            found.update(project["project"]["dependencies"], *groups)
    return sorted(found)


def resolve(*arguments: str, stdin: str = "") -> str:
    """Return `name==version` lines for every platform and every Python from 3.11 on."""
    command = [find_uv_bin(), "pip", "compile", "--quiet", "--upgrade", *arguments]
    command += ["--universal", "--python-version", "3.11", "--fork-strategy", "fewest"]
    command += ["--no-header", "--no-annotate"]
    done = subprocess.run(
        command, cwd=ROOT, input=stdin, capture_output=True, text=True, check=True
    )
    lines = {re.sub(r"\s*;.*", "", line) for line in done.stdout.splitlines()}
    return HEADER + "".join(f"{line}\n" for line in sorted(lines))


if __name__ == "__main__":
    (ROOT / "constraints.txt").write_text(resolve("pyproject.toml", "--group", "dev"))
    for framework in FRAMEWORKS:
        asked = "\n".join(requirements(framework))
        pins = ROOT / "templates" / "pins" / f"{framework}.txt"
        pins.write_text(resolve("-", stdin=asked))
