"""The contract suite, which judges what is measured, and whose means to run services these are."""

from __future__ import annotations

import importlib
import sys
from importlib.util import find_spec
from pathlib import Path

from stackyard.measuring.errors import MissingExtraError
from stackyard.template.source import CHECKOUT

_SHIPPED = Path(__file__).parents[1] / "_suite"
SUITE = _SHIPPED if _SHIPPED.is_dir() else CHECKOUT / "tests"
"""Where it is: the wheel's, else the checkout's."""


def load() -> None:
    """Have `contract` found as a module.

    Raises:
        MissingExtraError: if the packages that it needs are not installed.
    """
    if str(SUITE) not in sys.path:
        sys.path.append(str(SUITE))
    try:
        importlib.import_module("contract.service")
    except ModuleNotFoundError as error:
        raise MissingExtraError(error.name or "more") from error
    for name in ("locust", "pytest"):  # which have programs of their own
        if find_spec(name) is None:
            raise MissingExtraError(name)
