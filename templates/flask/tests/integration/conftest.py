"""Isolation for tests whose commits are real: the tables are emptied after each."""

from collections.abc import Iterator

import pytest
from flask import Flask
from sqlalchemy import text


@pytest.fixture
def isolation(app: Flask) -> Iterator[None]:
    from app.db import engine  # not before the environment is set

    yield
    with engine.begin() as connection:
        connection.execute(text("TRUNCATE users RESTART IDENTITY CASCADE"))
