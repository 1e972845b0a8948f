"""Figures that nobody has measured, for what is made of figures."""

from __future__ import annotations

import random

from stackyard.measuring.figures import IN_ROUNDS, ONCE, Measured, Report


def drawn(mean: float, spread: float, count: int = 5, seed: int = 1) -> list[float]:
    """Draw samples from a normal distribution, the same for the same seed."""
    numbers = random.Random(seed)
    return [numbers.gauss(mean, spread) for _ in range(count)]


def invented(*names: str) -> Report:
    """Make a report in which each of these is half as fast again as the one before."""
    sides = []
    for place, name in enumerate(names):
        seeds = range(100 * place, 100 * place + len(IN_ROUNDS))
        samples = {
            figure.name: drawn(100 * 1.5**place, 3, seed=seed)
            for figure, seed in zip(IN_ROUNDS, seeds, strict=True)
        }
        once = {figure.name: 7.0 + place for figure in ONCE}
        sides.append(Measured(name, name, samples=samples, once=once, licenses={"MIT": 3}))
    return Report("1.2.3", {"CPU": "an old one", "cores": "2"}, sides, 5)
