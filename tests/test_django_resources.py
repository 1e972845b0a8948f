"""Resources of the owner's own in Django: no name of theirs is one that its project has already."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from stackyard.resources import ResourceError
from stackyard.resources.names import check_resource

SUFFIXES = ("Filter", "Serializer", "ViewSet")
"""What the classes of a resource are called, behind its own name."""


def refused(name: str, plural: str) -> bool:
    try:
        check_resource(name, plural)
    except ResourceError:
        return True
    return False


def classes(file: Path) -> set[str]:
    """Return what the classes of a module are called, and what it imports."""
    tree = ast.parse(file.read_text("utf-8"))
    found = {node.name for node in tree.body if isinstance(node, ast.ClassDef)}
    imports = [node for node in tree.body if isinstance(node, ast.ImportFrom)]
    return found | {alias.name for node in imports for alias in node.names}


@pytest.fixture
def projects(rendered: dict[str, Path]) -> list[Path]:
    return [project for project in rendered.values() if (project / "manage.py").exists()]


@pytest.mark.xdist_group("rendered")
def test_no_app_takes_the_name_of_another(projects: list[Path]) -> None:
    """Nor that of a module, or of tests."""
    for project in projects:
        settings = (project / "config/settings.py").read_text("utf-8")
        [apps] = re.findall(r"^INSTALLED_APPS = \[(.*?)^\]", settings, re.DOTALL | re.MULTILINE)
        taken = {app.rpartition(".")[2] for app in re.findall(r'"(.*)"', apps)}
        taken |= {path.stem for path in project.glob("[a-z]*") if path.is_dir()}
        taken |= {path.stem for path in project.glob("*.py") if "." not in path.stem}
        taken |= {path.stem.removeprefix("test_") for path in project.glob("tests/test_*.py")}
        assert {name for name in taken if not refused("thing", name)} == set()


@pytest.mark.xdist_group("rendered")
def test_no_class_takes_the_name_of_another(projects: list[Path]) -> None:
    for project in projects:
        core = {name for file in (project / "core").glob("*.py") for name in classes(file)}
        taken = {
            name.removesuffix(suffix)
            for name in core
            for suffix in SUFFIXES
            if name.endswith(suffix) and name != suffix
        }
        words = {re.sub(r"\B([A-Z])", r"_\1", name).lower() for name in taken | {"Resource"}}
        assert {word for word in words if not refused(word, f"{word}s")} == set()
