"""The authors of the catalogue."""

from fastapi import APIRouter
from pydantic import BaseModel
from sqlalchemy import select

from app import models
from app.dependencies import SessionDep
from app.problems import problem_responses

router = APIRouter(prefix="/api/v1/authors", tags=["authors"])


class Authors(BaseModel):
    """Everybody who has written a book of the catalogue."""

    items: list[str]


@router.get("", responses=problem_responses(503))
async def list_authors(session: SessionDep) -> Authors:
    """List authors by name."""
    names = select(models.Book.author).distinct().order_by(models.Book.author)
    return Authors(items=[*await session.scalars(names)])
