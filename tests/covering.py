"""Covering arrays: few rows of answers in which each two that may go together are in one."""

from __future__ import annotations

from collections.abc import Callable
from itertools import combinations, product

Answers = dict[str, str]


def groups(factors: dict[str, list[str]], size: int) -> list[Answers]:
    """Return each so many answers to different questions."""
    return [
        dict(zip(names, chosen, strict=True))
        for names in combinations(factors, size)
        for chosen in product(*(factors[name] for name in names))
    ]


def covering(
    factors: dict[str, list[str]],
    refused: Callable[[Answers], object],
    rows: list[Answers],
    strength: int = 2,
) -> list[Answers]:
    """Add rows until each two answers that may go together are in one of them.

    A row begins with two that are in none yet, and takes the answers that bring in most others. By
    another `strength`, it is each three, or more.
    """

    def possible(row: Answers) -> bool:
        if refused(row):
            return False
        name = next((name for name in factors if name not in row), None)
        return name is None or any(possible({**row, name: value}) for value in factors[name])

    def brought(row: Answers, name: str) -> tuple[int, int]:
        """Count the missing groups that a row has, and those that may come with its answer."""
        come = sum(group.get(name) == row[name] for group in missing)
        return sum(group.items() <= row.items() for group in missing), come

    missing = [group for group in groups(factors, strength) if possible(group)]
    missing = [group for group in missing if not any(group.items() <= row.items() for row in rows)]
    rows = [*rows]
    while missing:
        row = missing[0]
        for name in sorted(factors, key=lambda name: -len(factors[name])):
            if name not in row:
                ways = [{**row, name: value} for value in factors[name]]
                row = max(filter(possible, ways), key=lambda way: brought(way, name))
        rows.append({name: row[name] for name in factors})
        missing = [group for group in missing if not group.items() <= row.items()]
    return rows
