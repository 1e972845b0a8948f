"""What is tried: few combinations, in which each two answers that may go together are."""

from __future__ import annotations

from collections.abc import Callable
from itertools import product

import pytest

from combinations import (
    ASIDE,
    CHOICES,
    COMBINATIONS,
    DEFAULTS,
    FACTORS,
    LEAST,
    PAIRS,
    TEMPLATE,
)
from conftest import RENDERED
from covering import Answers, covering, groups

LATER = {
    "framework": ["fastapi", "django-drf", "flask", "pyramid", "tornado-ws"],
    "database": ["postgresql", "sqlite", "mysql", "cassandra"],
    "tasks": ["celery", "none"],
    "broker": ["redis", "rabbitmq", "kafka"],
    "graphql": ["no", "yes"],
    "replication": ["no", "yes"],
}
RULES: list[dict[str, list[str]]] = [
    {"tasks": ["none"], "broker": ["rabbitmq", "kafka"]},
    {"framework": ["django-drf"], "database": ["cassandra"]},
    {"database": ["sqlite", "mysql", "cassandra"], "replication": ["yes"]},
    {"framework": ["pyramid"], "tasks": ["celery"], "graphql": ["yes"]},
    {"framework": ["pyramid"], "tasks": ["none"], "graphql": ["yes"]},  # so: never together
]


def breaks_a_rule(answers: Answers) -> bool:
    return any(all(answers.get(name) in values for name, values in rule.items()) for rule in RULES)


def allowed(
    factors: dict[str, list[str]], refused: Callable[[Answers], object], size: int
) -> list[Answers]:
    """Return each so many answers that are in any of all combinations."""
    every = [dict(zip(factors, chosen, strict=True)) for chosen in product(*factors.values())]
    every = [row for row in every if not refused(row)]
    return [
        group
        for group in groups(factors, size)
        if any(group.items() <= row.items() for row in every)
    ]


@pytest.mark.parametrize(("size", "most"), [(2, 25), (3, 80)])
def test_each_answers_that_may_go_together_are_in_a_row(size: int, most: int) -> None:
    """Of made-up options and rules, in far fewer rows than there are combinations (480)."""
    rows = covering(LATER, breaks_a_rule, [], size)
    assert rows == covering(LATER, breaks_a_rule, [], size)
    assert not any(map(breaks_a_rule, rows))
    wanted = allowed(LATER, breaks_a_rule, size)
    assert [
        group for group in wanted if not any(group.items() <= row.items() for row in rows)
    ] == []
    assert len(rows) <= most


@pytest.mark.parametrize(
    ("rows", "size"), [(PAIRS, 2), (COMBINATIONS, 3)], ids=["the gate", "everything"]
)
def test_what_is_tried_has_each_answers_that_may_go_together(
    rows: list[Answers], size: int
) -> None:
    """Each two, frameworks included, in the gate, and each three in everything; none is refused."""
    wanted = allowed(FACTORS, TEMPLATE.catalogue.refusal, size)
    assert [
        group for group in wanted if not any(group.items() <= row.items() for row in rows)
    ] == []
    assert [row for row in rows if TEMPLATE.catalogue.refusal(row)] == []
    assert [row for row in (*DEFAULTS.values(), *LEAST.values()) if row not in rows] == []


def test_what_is_rendered_has_each_two_answers_to_all_questions() -> None:
    rows = [{**ASIDE, **row} for row in RENDERED.values()]
    wanted = allowed(CHOICES, TEMPLATE.catalogue.refusal, 2)
    assert [
        group for group in wanted if not any(group.items() <= row.items() for row in rows)
    ] == []
    assert [row for row in rows if TEMPLATE.catalogue.refusal(row)] == []
