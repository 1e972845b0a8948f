"""What goes out: rows, as the API shows them, in JSON."""

from collections.abc import Callable
from datetime import date, datetime
from typing import Any

from pyramid.config import Configurator
from pyramid.renderers import JSON
from pyramid.request import Request
from pyramid.response import Response

from app.models import Book, User
from app.policy import CurrentUser


def fields(*names: str) -> Callable[[Any, Request], dict[str, Any]]:
    """Return an adapter that shows these fields of a row."""
    return lambda row, _: {name: getattr(row, name) for name in names}


show_user = fields("id", "email", "created_at")
json_renderer = JSON(
    adapters=[
        (datetime, lambda value, _: value.isoformat().replace("+00:00", "Z")),
        (date, lambda value, _: value.isoformat()),
        (User, show_user),
        (CurrentUser, show_user),
        (
            Book,
            fields("id", "title", "author", "publication_date", "isbn", "created_at", "updated_at"),
        ),
    ],
    separators=(",", ":"),
    ensure_ascii=False,
)


class PlainResponse(Response):
    """A response that leaves `Location` as it is: WebOb would believe the request's `Host`."""

    @staticmethod
    def _make_location_absolute(_: Any, value: str) -> str:
        return value


def includeme(config: Configurator) -> None:
    """Have views with `renderer="json"` return rows."""
    config.add_renderer("json", json_renderer)
    config.set_response_factory(lambda _: PlainResponse())


def to_json(value: Any) -> bytes:
    """Return the JSON of rows, of which entity tags are made too."""
    text: str = json_renderer(None)(value, {})
    return text.encode()
