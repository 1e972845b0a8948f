"""What the routes of every resource do alike: pages, entity tags, changes by a row's creator."""

from collections.abc import Callable
from functools import wraps
from typing import Any, ParamSpec, TypeVar

from flask import Response, abort, g, json, request
from marshmallow import Schema
from sqlalchemy import Select, func

from app import etags, listing
from app.db import get_session
from app.models import Base

P = ParamSpec("P")
R = TypeVar("R")
Row = TypeVar("Row", bound=Base)

IF_MATCH = {"name": "If-Match", "in": "header", "schema": {"type": "string"}}
IF_NONE_MATCH = {"name": "If-None-Match", "in": "header", "schema": {"type": "string"}}


def show_page(
    schema: type[Schema],
    select: Callable[[dict[str, Any]], Select[Any]],
    query: dict[str, Any],
) -> Response:
    """Show a page of what is selected for the query."""
    page = listing.find_page(get_session(), select(query), query)
    link = listing.links(request.script_root + request.path, query, page["pages"])
    return Response(encode(schema, page), headers={"Link": link}, mimetype="application/json")


def show(schema: type[Schema], model: type[Base], row_id: int) -> Response:
    """Show a row."""
    return Response(encode(schema, find(model, row_id)), mimetype="application/json")


def conditional(model: type[Base]) -> Callable[[Callable[P, Response]], Callable[P, Response]]:
    """Give the row that a view shows an entity tag, or say that the client's copy is current."""

    def decorate(view: Callable[P, Response]) -> Callable[P, Response]:
        @wraps(view)
        def wrapped(*args: P.args, **kwargs: P.kwargs) -> Response:
            response = view(*args, **kwargs)
            response.headers["ETag"] = etag = etags.strong(response.data)
            if check_conditions(etag, model):
                response.status_code = 304
            return response

        return wrapped

    return decorate


def find(model: type[Row], row_id: int, **options: Any) -> Row:
    """Return a row; raise 404 when there is none."""
    row = get_session().get(model, row_id, **options)
    if row is None:
        abort(404, f"No such {name_of(model)}.")
    return row


def own(model: type[Base]) -> Callable[[Callable[[Any], R]], Callable[[int], R]]:
    """Give the view a row of the current user, locked until the commit, for a change.

    Raises 404 for no such row, and 403 for another's. The lock is what makes exactly one of two
    writers with the same `If-Match` win.
    """

    def decorate(view: Callable[[Any], R]) -> Callable[[int], R]:
        @wraps(view)
        def wrapped(id: int) -> R:
            row: Any = find(model, id, with_for_update=True)
            if row.creator_id != g.user.id:
                abort(403, f"Only its creator may change a {name_of(model)}.")
            return view(row)

        return wrapped

    return decorate


def save(row: Base) -> None:
    """Commit a new or changed row, which is then what the database holds."""
    session = get_session()
    session.add(row)
    session.flush()
    session.refresh(row)
    session.commit()


def change(row: Row, data: dict[str, Any], schema: type[Schema]) -> Row:
    """Set the fields that were given, and return the row as it is then."""
    check_conditions(etags.strong(encode(schema, row)), type(row))
    for field, value in data.items():
        setattr(row, field, value)
    # Also when nothing else changes: the entity tag that this writer had is used up.
    row.updated_at = func.now()  # type: ignore[attr-defined]
    save(row)
    return row


def delete(row: Base, schema: type[Schema]) -> Response:
    """Delete a row."""
    check_conditions(etags.strong(encode(schema, row)), type(row))
    get_session().delete(row)
    get_session().commit()
    return Response(status=204)


def check_conditions(etag: str, model: type[Base]) -> bool:
    """Tell whether `If-None-Match` names the entity tag of a row, and the reader has it therefore.

    Raises 412 for an `If-Match` that does not, and where a writer is not to (RFC 9110, 13.2.2).
    """
    asked = request.headers
    stale = "If-Match" in asked and not etags.matches(asked["If-Match"], etag)
    known = etags.matches(asked.get("If-None-Match", ""), etag, weak=True)
    if stale or (known and request.method not in ("GET", "HEAD")):
        abort(412, f"The {name_of(model)} has changed since; read it again.")
    return known


def encode(schema: type[Schema], shown: Any) -> bytes:
    """Return the JSON of what is shown by a schema."""
    return json.dumps(schema().dump(shown)).encode()


def name_of(model: type[Base]) -> str:
    """Return what one row of a model is called."""
    return model.__name__.lower()
