"""How ids, queries and bodies are read and described: for the endpoints to come."""

from typing import Annotated, Any, Literal

import pytest
from httpx import AsyncClient
from pydantic import Field
from tornado.web import Application

from app import schemas
from app.app import ROUTES, ServiceApplication
from app.handlers.base import BaseHandler
from app.openapi import operation


class Note(schemas.Model):
    """What an endpoint could take, and answer with."""

    text: str | None = None
    kind: Literal["own"] | None = None
    form: Literal["plain"] = "plain"


class NoteQuery(schemas.Model):
    """What it could be asked."""

    page: Annotated[int, Field(ge=1)] = 1


class NotesHandler(BaseHandler):
    """`/notes`."""

    @operation("list_notes", query=NoteQuery, answer=Note)
    async def get(self) -> None:
        """Show the parameter."""
        self.answer(Note(text=f"page {self.parse_query(NoteQuery).page}"))


class NoteHandler(BaseHandler):
    """`/notes/{id}`."""

    @operation("read_note", answer=Note, headers=("If-Match",), others={304: None})
    async def get(self, id: str) -> None:
        """Show the id."""
        self.answer(Note(text=id))


@pytest.fixture
def application(application: Application, monkeypatch: pytest.MonkeyPatch) -> Application:
    """Give the application with these endpoints, too."""
    monkeypatch.setitem(ROUTES, "/notes", NotesHandler)
    monkeypatch.setitem(ROUTES, "/notes/{id}", NoteHandler)
    return ServiceApplication()


async def described(client: AsyncClient, path: str) -> Any:
    """Return what the document says of a GET."""
    return (await client.get("/openapi.json")).json()["paths"][path]["get"]


async def test_an_id_has_64_bits_and_one_form(client: AsyncClient) -> None:
    assert (await client.get(f"/notes/{2**63 - 1}")).json()["text"] == str(2**63 - 1)
    for other in (2**63, "0", "007", "x"):
        assert (await client.get(f"/notes/{other}")).status_code == 404


async def test_a_parameter_is_given_once(client: AsyncClient) -> None:
    assert (await client.get("/notes?page=2")).json()["text"] == "page 2"
    assert (await client.get("/notes?page=1&page=2")).status_code == 422


async def test_a_query_that_is_not_utf8_is_a_bad_request(client: AsyncClient) -> None:
    assert (await client.get("/notes?page=1&unknown=%FF")).status_code == 400


async def test_requests_are_counted_under_the_pattern_of_their_route(client: AsyncClient) -> None:
    await client.get("/notes/70707")

    metrics = (await client.get("/metrics")).text

    assert 'method="GET",route="/notes/{id}",status="200"' in metrics
    assert "70707" not in metrics


async def test_a_query_is_described_as_it_is_read(client: AsyncClient) -> None:
    told = await described(client, "/notes")

    page = {"type": "integer", "default": 1, "minimum": 1}
    assert told["parameters"] == [{"name": "page", "in": "query", "schema": page}]
    assert told["responses"].keys() == {"200", "400", "422"}


async def test_an_id_and_headers_are_described_too(client: AsyncClient) -> None:
    told = await described(client, "/notes/{id}")

    number = {"type": "integer", "minimum": 1, "maximum": 2**63 - 1}
    assert told["parameters"] == [
        {"name": "id", "in": "path", "required": True, "schema": number},
        {"name": "If-Match", "in": "header", "schema": {"type": "string"}},
    ]
    assert told["responses"].keys() == {"200", "304", "404"}
    assert "content" not in told["responses"]["304"]


def test_a_schema_says_what_may_be_null() -> None:
    properties = Note.model_json_schema()["properties"]

    assert properties["text"] == {"type": ["string", "null"]}
    assert properties["kind"] == {"type": ["string", "null"], "enum": ["own", None]}
    assert properties["form"] == {"type": "string", "default": "plain", "enum": ["plain"]}
