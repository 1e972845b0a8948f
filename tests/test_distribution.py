"""Every way to the same project: the checkout, the wheel, plain Copier."""

from __future__ import annotations

import re
from pathlib import Path

import copier
import pytest
import yaml

from combinations import CHOICES, FRAMEWORKS, TEMPLATE
from conftest import CHECKOUT_WARNINGS, UPSTREAM, VERSION, Command, generated, run

ANSWERS = ".copier-answers.yml"
WITHOUT = {name: "none" for name, values in CHOICES.items() if "none" in values}
pytestmark = pytest.mark.filterwarnings(CHECKOUT_WARNINGS)


def without_origin(project: Path) -> dict[str, bytes]:
    """Return the files, but for the lines that tell where the template came from."""
    files = generated(project)
    files[ANSWERS] = re.sub(rb"(?m)^(_src_path|_commit): .*\n", b"", files[ANSWERS])
    return files


@pytest.mark.parametrize("framework", FRAMEWORKS)
@pytest.mark.parametrize(
    "answers",
    [{}, WITHOUT | {"license": "proprietary", "author_name": "Ada"}],
    ids=["defaults", "none"],
)
def test_checkout_wheel_and_copier_generate_the_same_bytes(
    stackyard: Command, from_wheel: Command, clone: Path, framework: str, answers: dict[str, str]
) -> None:
    if TEMPLATE.catalogue.refusal({"framework": framework, **answers}):
        answers = answers | {"example": "books"}
    told = [part for key, value in answers.items() for part in ("-d", f"{key}={value}")]
    here = stackyard.directory
    made = [
        stackyard("new", framework, "checkout/shop", "--no-lock", *told),
        from_wheel("new", framework, "wheel/shop", "--no-lock", *told),
    ]
    assert [(done.returncode, done.stderr) for done in made] == [(0, "")] * 2
    # `unsafe=False` is what a user gets: no feature of the template asks for trust.
    author = {"author_name": "Example Author", "author_email": "author@example.org"}
    told = author | answers | {"framework": framework, "project_name": "shop"}
    copier.run_copy(
        str(clone), here / "copier", told, defaults=True, unsafe=False, quiet=True, vcs_ref="HEAD"
    )
    expected = without_origin(here / "checkout" / "shop")
    assert without_origin(here / "wheel" / "shop") == expected
    assert without_origin(here / "copier") == expected


def test_plain_copier_needs_nothing_but_the_repository(stackyard: Command, clone: Path) -> None:
    copier_command = stackyard.executable.with_name("copier")
    done = Command(stackyard.directory, stackyard.temporary, stackyard.environment, copier_command)(
        "copy", "--defaults", str(clone), "shop"
    )
    assert done.returncode == 0, done.stderr
    assert (stackyard.directory / "shop" / "pyproject.toml").is_file()


@pytest.mark.parametrize("name", ["class", "json", "fastapi", "本", ""])
def test_plain_copier_refuses_a_bad_name_too(clone: Path, tmp_path: Path, name: str) -> None:
    """Where a name is a text, it is the short name that cannot be made of it."""
    with pytest.raises(ValueError, match="'project_slug'" if name else "'project_name'"):
        copier.run_copy(
            str(clone), tmp_path / "shop", {"project_name": name}, defaults=True, quiet=True
        )
    assert not (tmp_path / "shop").exists()


def test_a_project_of_the_wheel_names_the_release_it_came_from(from_wheel: Command) -> None:
    from_wheel("new", "fastapi", "shop", "--no-lock")
    answers = yaml.safe_load((from_wheel.directory / "shop" / ANSWERS).read_text())
    assert (answers["_src_path"], answers["_commit"]) == (UPSTREAM, f"v{VERSION}")


@pytest.mark.slow
def test_make_new_works_in_a_clone_in_any_path(
    clone: Path, environment: dict[str, str], tmp_path: Path
) -> None:
    """Nor is what is made called by a path that a shell would read otherwise."""
    place = tmp_path / """it's "b" & (c) 100% $HOME ;é#""" / "clone"
    run("git", "clone", "--quiet", clone, place)
    answers = """ARGS=-d cache=none -d description='All that is sold.'"""
    told = ["""DEST=../a 'shop'""", "FRAMEWORK=flask", answers]
    run("make", "new", *told, cwd=place, env=environment)
    project = place.parent / "a 'shop'"
    assert (project / "app").is_dir()
    assert not (project / "app" / "cache.py").exists()
    assert "description: All that is sold.\n" in (project / ANSWERS).read_text()
