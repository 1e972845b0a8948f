"""The authors of the catalogue."""

from pydantic import BaseModel
from sqlalchemy import select

from app import models
from app.db import Session
from app.handlers.base import BaseHandler
from app.openapi import operation


class Authors(BaseModel):
    """Everybody who has written a book of the catalogue."""

    items: list[str]


class AuthorsHandler(BaseHandler):
    """`/api/v1/authors`."""

    @operation("list_authors", answer=Authors)
    async def get(self) -> None:
        """List authors by name."""
        names = select(models.Book.author).distinct().order_by(models.Book.author)
        async with Session() as session:
            self.answer(Authors(items=[*await session.scalars(names)]))
