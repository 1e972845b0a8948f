"""Conditional requests (RFC 9110, section 13): what a client says of the copy that it has."""

import re
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Header, HTTPException, Response
from pydantic import BaseModel, WithJsonSchema

from app import etags

Tags = WithJsonSchema({"type": "string"})


@dataclass
class Conditions:
    """What a reader asks of a row as it is shown."""

    if_match: Annotated[str | None, Header(alias="If-Match"), Tags] = None
    if_none_match: Annotated[str | None, Header(alias="If-None-Match"), Tags] = None

    def answer(self, model: type[BaseModel], shown: Response) -> Response:
        """Return a row, as this model shows it, or 304 for a copy that is current."""
        shown.headers["ETag"] = etag = etags.strong(bytes(shown.body))
        if not self.is_known(model, etag):
            return shown
        del shown.headers["Content-Length"], shown.headers["Content-Type"]
        return Response(status_code=304, headers=shown.headers)

    def is_known(self, model: type[BaseModel], etag: str) -> bool:
        """Tell whether the client has what this tag names; raise 412 for another `If-Match`."""
        if self.if_match is not None and not etags.matches(self.if_match, etag):
            raise stale(model)
        return etags.matches(self.if_none_match or "", etag, weak=True)


@dataclass
class Preconditions(Conditions):
    """What a change asks of a row as it is shown."""

    if_none_match: Annotated[str | None, Header(include_in_schema=False)] = None

    def check(self, shown: BaseModel) -> None:
        """Raise 412 unless all hold."""
        if self.is_known(type(shown), etags.strong(shown.model_dump_json().encode())):
            raise stale(type(shown))


def stale(model: type[BaseModel]) -> HTTPException:
    """Return the refusal for a row that this model shows."""
    return HTTPException(412, f"The {name_of(model)} has changed since; read it again.")


def name_of(model: type) -> str:
    """Return what one row of a model, or what shows it, is called."""
    return re.sub(r"\B([A-Z])", r" \1", model.__name__).lower()


ConditionsDep = Annotated[Conditions, Depends()]
PreconditionsDep = Annotated[Preconditions, Depends()]
