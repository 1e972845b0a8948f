"""Isolation for tests whose commits are real: the tables are emptied after each."""

import pytest


@pytest.fixture(autouse=True)
def isolation(transactional_db: None) -> None:
    """Have what asks for `db` get `transactional_db`."""
