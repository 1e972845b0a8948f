"""Requests, read as their formats are defined.

FastAPI takes NaN for JSON and the last of two values for a parameter, and refuses a body before it
has looked at the token; no setting of it changes that.
"""

import json
from collections.abc import Callable, Coroutine
from typing import Any
from urllib.parse import parse_qsl, unquote_to_bytes

from fastapi import HTTPException, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from starlette.convertors import IntegerConvertor, register_url_convertor
from starlette.datastructures import FormData, QueryParams

MAX_ID = 2**63 - 1

Handler = Callable[[Request], Coroutine[Any, Any, Response]]


class IdConvertor(IntegerConvertor):
    """An id in a path, such as `{id:id}`: what can be none is a path that names nothing."""

    regex = "[1-9][0-9]{0,18}"

    def convert(self, value: str) -> int:
        """Return the id; raise 404 for one beyond 64 bits."""
        if (number := int(value)) > MAX_ID:
            raise HTTPException(404)
        return number


register_url_convertor("id", IdConvertor())


class Query(QueryParams):
    """A query, with all values of a parameter that is given twice: no model takes these."""

    def __getitem__(self, name: str) -> Any:
        values = self.getlist(name)
        return values if len(values) > 1 else super().__getitem__(name)


class StrictRequest(Request):
    """A request whose body has one form of JSON, or of a form, and is in UTF-8."""

    @property
    def media_type(self) -> str:
        """Return what the body is said to be, without parameters."""
        return self.headers.get("Content-Type", "").partition(";")[0].strip().lower()

    @property
    def query_params(self) -> QueryParams:
        """Return the parameters of the query."""
        return Query(self.scope["query_string"])

    async def form(self, **_: Any) -> FormData:  # type: ignore[override] # it opens no files
        """Return the parameters of the body; none if it is no form, or gives one twice."""
        if self.media_type != "application/x-www-form-urlencoded":
            return FormData()
        try:
            text = (await self.body()).decode()
            pairs = parse_qsl(text, keep_blank_values=True, errors="strict", max_num_fields=1000)
        except ValueError:
            return FormData()
        given = dict(pairs)
        return FormData(given if len(given) == len(pairs) else {})

    async def json(self) -> Any:
        """Return the parsed body; as it is, which no model takes, if it is no JSON (RFC 8259)."""
        body = await self.body()
        if self.media_type != "application/json":
            return body
        try:
            return json.loads(body.decode(), parse_constant=_refuse)
        except (ValueError, RecursionError):
            return body

    def check_query(self) -> None:
        """Raise 400 for a query that is not UTF-8."""
        try:
            unquote_to_bytes(self.scope["query_string"]).decode()
        except UnicodeDecodeError as error:
            raise HTTPException(400, "The query is not UTF-8.") from error

    async def check_json(self) -> None:
        """Raise 415 for a body that is not said to be JSON, and 400 for one that is none."""
        if self.media_type != "application/json":
            raise HTTPException(415, "The body must be application/json.")
        if isinstance(await self.json(), bytes):
            raise HTTPException(400, "The body is not valid JSON.")


class StrictRoute(APIRoute):
    """A route whose body is JSON, and whose parameters are given once."""

    def get_route_handler(self) -> Handler:
        """Return the handler, given a strict request."""
        handle = super().get_route_handler()
        if not self.body_field and not self.dependant.query_params:
            return handle

        async def strict(request: Request) -> Response:
            request = StrictRequest(request.scope, request.receive)
            if self.dependant.query_params:
                request.check_query()
            await request.body()  # FastAPI would answer a client who has left that it is malformed
            try:
                return await handle(request)
            except RequestValidationError as error:
                return await self.refuse(request, error)

        return strict

    async def refuse(self, request: StrictRequest, error: RequestValidationError) -> Response:
        """Raise what is wrong with a request.

        FastAPI reads the body before all else; here what is wrong with it comes last.
        """
        if self.body_field:
            await request.check_json()
        raise error


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is not JSON")
