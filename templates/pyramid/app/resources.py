"""What a URL stands for, and who may do what with it."""

from pyramid.authorization import Allow, Authenticated
from pyramid.request import Request

from app import models
from app.rows import ACL, OwnResource, nothing


class Root:
    """What is nobody's own: there for whoever is logged in."""

    __acl__: ACL = [(Allow, Authenticated, "create"), (Allow, Authenticated, "read")]

    def __init__(self, request: Request) -> None:
        if request.plain_path.endswith("\n"):  # which a route's `$` lets be
            raise nothing(request)


class BookResource(OwnResource):
    """A book, which only its creator may change."""

    model = models.Book
