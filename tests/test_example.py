"""Projects without the example: when there is none, and that they pass their own tests."""

from __future__ import annotations

import pytest

from combinations import FRAMEWORKS, TEMPLATE
from conftest import Command, run
from gate import by_turns
from stackyard.template.errors import RefusedAnswersError
from stackyard.template.settle import settle

PRODUCT = "product/products name:string{0..255}"


@pytest.mark.parametrize("framework", FRAMEWORKS)
@pytest.mark.parametrize(
    ("told", "recalled", "found"),
    [
        ({}, {}, "books"),
        ({"resources": PRODUCT}, {}, "none"),
        ({"resources": PRODUCT, "example": "books"}, {}, "books"),
        ({}, {"resources": PRODUCT, "framework": "flask"}, "books"),
    ],
)
def test_the_default_is_none_beside_resources_in_a_new_project(
    framework: str, told: dict[str, str], recalled: dict[str, str], found: str
) -> None:
    known = {"framework": framework, **told}
    settled = settle(
        TEMPLATE, {} if recalled else known, recalled=recalled and {**recalled, **known}
    )

    assert settled["example"].value == found


def test_a_replica_is_refused_where_there_are_no_lists() -> None:
    told = {"framework": "flask", "example": "none", "replicas": "streaming"}

    assert settle(TEMPLATE, told | {"resources": PRODUCT})["replicas"].value == "streaming"
    with pytest.raises(RefusedAnswersError, match="no lists to read from it; choose"):
        settle(TEMPLATE, told)


@pytest.mark.slow
@pytest.mark.parametrize("framework", by_turns(4))
def test_a_project_without_it_passes_its_own_tests(
    stackyard: Command, environment: dict[str, str], framework: str
) -> None:
    """The linters are green, and the tests with the coverage that they ask for."""
    done = stackyard("new", framework, "api", "--example", "none", "--defaults")
    assert done.returncode == 0, done.stderr

    run("make", "lint", "test", cwd=stackyard.directory / "api", env=environment)
