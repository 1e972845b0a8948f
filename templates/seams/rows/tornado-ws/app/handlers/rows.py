"""What handlers of single rows share: whose a row is, and on which conditions it is answered."""

import re
from typing import Any, TypeVar

from pydantic import BaseModel
from sqlalchemy.ext.asyncio import AsyncSession

from app import etags, models, schemas
from app.db import Session, change
from app.handlers.base import BaseHandler
from app.problems import ProblemError

Row = TypeVar("Row", bound=models.Base)


async def find(session: AsyncSession, model: type[Row], id: str, **options: Any) -> Row:
    """Return a row; raise 404 when there is none."""
    row = await session.get(model, int(id), **options)
    if row is None:
        raise ProblemError(404, f"No such {name_of(model)}.")
    return row


def encode(model: type[BaseModel], shown: Any) -> bytes:
    """Return the JSON of what is shown by a model: a row, or a page of them."""
    return model.model_validate(shown).model_dump_json().encode()


def name_of(model: type[models.Base]) -> str:
    """Return what one row of a model is called."""
    return re.sub(r"\B([A-Z])", r" \1", model.__name__).lower()


class RowHandler(BaseHandler):
    """A request about one row."""

    async def find_own(self, session: AsyncSession, model: type[Row], id: str) -> Row:
        """Return a row of the current user for a change; raise 404 for none, 403 for another's.

        It is locked until the commit: that makes exactly one of two writers with the same
        `If-Match` win.
        """
        row: Any = await find(session, model, id, with_for_update=True)
        if row.creator_id != self.current_user.id:
            raise ProblemError(403, f"Only its creator may change a {name_of(model)}.")
        return row  # type: ignore[no-any-return]

    async def change_row(
        self,
        id: str,
        model: type[models.Base],
        given: type[schemas.Input],
        shown: type[schemas.Output],
    ) -> None:
        """Set the fields that the body names, and answer with the row as it is then."""
        async with Session() as session:
            row = await self.find_own(session, model, id)
            data = self.parse_body(given)
            self.check_conditions(model, etags.strong(encode(shown, row)))
            await change(session, row, data.model_dump())
        self.answer(encode(shown, row))

    async def delete_row(
        self, id: str, model: type[models.Base], shown: type[schemas.Output]
    ) -> None:
        """Delete a row; nothing is left to answer with."""
        async with Session() as session:
            row = await self.find_own(session, model, id)
            self.check_conditions(model, etags.strong(encode(shown, row)))
            await session.delete(row)
            await session.commit()
        self.set_status(204)

    def answer_row(self, model: type[models.Base], body: bytes) -> None:
        """Answer with the JSON of a row, or 304 to a client whose copy is current."""
        etag = etags.strong(body)
        self.set_header("ETag", etag)
        if self.check_conditions(model, etag):
            self.set_status(304)
        else:
            self.answer(body)

    def check_conditions(self, model: type[models.Base], etag: str) -> bool:
        """Tell whether the client has a row by its tag; raise 412 (RFC 9110, section 13.2.2)."""
        told = self.request.headers
        stale = "If-Match" in told and not etags.matches(told["If-Match"], etag)
        known = etags.matches(told.get("If-None-Match", ""), etag, weak=True)
        if stale or (known and self.request.method not in ("GET", "HEAD")):
            raise ProblemError(412, f"The {name_of(model)} has changed since; read it again.")
        return known
