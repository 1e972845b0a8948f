"""The smoke: what is asked of a service in containers, where all of it was judged by processes."""

from collections.abc import Iterable
from typing import Any

import pytest


def some(cases: Iterable[Any], *chosen: Any) -> list[Any]:
    """Mark the chosen ones of a test's cases: there, one of many is enough."""
    return [pytest.param(c, marks=pytest.mark.smoke) if c in chosen else c for c in cases]
