"""Rows that a URL names: found, owned, and changed under the conditions of a request."""

import re
from typing import Any

from pyramid.authorization import Allow
from pyramid.decorator import reify
from pyramid.httpexceptions import HTTPNotFound, HTTPPreconditionFailed
from pyramid.request import Request
from sqlalchemy import func

from app import etags
from app.db import save
from app.renderers import to_json

ACL = list[tuple[str, Any, str]]


def nothing(request: Request) -> HTTPNotFound:
    """Return the answer to a path that only seemed to match a route."""
    request.matched_route = None
    return HTTPNotFound()


class RowResource:
    """A row of the `model` that the URL names; an id that no row can have is 404."""

    model: type[Any]

    def __init__(self, request: Request) -> None:
        self.request = request
        self.kind = re.sub(r"\B([A-Z])", r" \1", self.model.__name__).lower()
        text = request.matchdict["id"]
        self.id = int(text) if re.fullmatch("[1-9][0-9]{0,18}", text) else 0
        if not 1 <= self.id < 2**63:
            raise nothing(request)

    @reify
    def row(self) -> Any:
        """Load the row, for a change locked until the commit; raise 404.

        The lock is what makes exactly one of two writers with the same `If-Match` win.
        """
        locked = self.request.method != "GET"
        row = self.request.dbsession.get(self.model, self.id, with_for_update=locked)
        if row is None:
            raise HTTPNotFound(f"No such {self.kind}.")
        return row


class OwnResource(RowResource):
    """A row that only its creator may change."""

    def __acl__(self) -> ACL:
        """Return who may change the row; who only reads it is not asked."""
        return [(Allow, self.row.creator_id, "change")]

    def change(self, fields: dict[str, Any]) -> Any:
        """Set these fields; return the row, or raise 412 for a condition that does not hold."""
        self.check()
        for field, value in fields.items():
            setattr(self.row, field, value)
        # Also when nothing else changes: the entity tag that this writer had is used up.
        self.row.updated_at = func.now()
        return save(self.request.dbsession, self.row)

    def delete(self) -> None:
        """Delete the row; raise 412 for a condition that does not hold."""
        self.check()
        self.request.dbsession.delete(self.row)
        self.request.dbsession.flush()

    def check(self) -> None:
        """Raise 412 for a condition of a change that does not hold."""
        if self.is_current(self.etag(to_json(self.row))):
            raise self.stale()

    def etag(self, body: bytes) -> str:
        """Return the entity tag of the row; raise 412 for an `If-Match` that does not hold."""
        tag = etags.strong(body)
        expected = self.request.headers.get("If-Match")
        if expected is not None and not etags.matches(expected, tag):
            raise self.stale()
        return tag

    def is_current(self, tag: str) -> bool:
        """Tell whether `If-None-Match` says that the client has what the tag stands for."""
        return etags.matches(self.request.headers.get("If-None-Match", ""), tag, weak=True)

    def stale(self) -> HTTPPreconditionFailed:
        """Return the refusal of a condition that does not hold."""
        return HTTPPreconditionFailed(f"The {self.kind} has changed since; read it again.")
