"""The authors of the catalogue."""

from pyramid.request import Request
from pyramid.view import view_config
from sqlalchemy import select

from app.models import Book
from app.resources import Root


@view_config(route_name="authors", request_method="GET", openapi=True, renderer="json")
def list_authors(_: Root, request: Request) -> dict[str, list[str]]:
    """List authors by name."""
    names = select(Book.author).distinct().order_by(Book.author)
    return {"items": [*request.dbsession.scalars(names)]}
