"""Isolation for tests whose commits are real: the tables are emptied after each."""

from collections.abc import AsyncIterator

import pytest
from fastapi import FastAPI
from sqlalchemy import text


@pytest.fixture
async def isolation(application: FastAPI) -> AsyncIterator[None]:
    from app.db import engine  # not before the environment is set

    yield
    async with engine.begin() as connection:
        await connection.execute(text("TRUNCATE users RESTART IDENTITY CASCADE"))
