"""The authors of the catalogue."""

from marshmallow import Schema, fields
from sqlalchemy import select

from app import models
from app.db import get_session
from app.extensions import Blueprint
from app.problems import problem_responses

authors = Blueprint("authors", __name__, url_prefix="/api/v1/authors")


class Authors(Schema):
    """Everybody who has written a book of the catalogue."""

    items = fields.List(fields.String())


@authors.get("")
@authors.doc(responses=problem_responses(503))
@authors.response(200, Authors)
def list_authors() -> dict[str, list[str]]:
    """List authors by name."""
    names = select(models.Book.author).distinct().order_by(models.Book.author)
    return {"items": [*get_session().scalars(names)]}
