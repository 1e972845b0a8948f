"""Isolation for tests whose commits are real: the tables are emptied after each."""

import pytest


@pytest.fixture
def tm(committed: None) -> None:
    """Give no transaction: requests have their own."""
