"""What reads ids and queries, and describes bodies: for the endpoints to come."""

from collections.abc import AsyncIterator
from typing import Any, Literal

import pytest
from fastapi import APIRouter, FastAPI
from httpx import ASGITransport, AsyncClient

from app import problems, schemas
from app.requests import StrictRoute

router = APIRouter(route_class=StrictRoute)


class Note(schemas.Model):
    """What an endpoint could take."""

    text: str | None = None
    kind: Literal["own"] | None = None
    form: Literal["plain"] = "plain"


@router.get("/notes")
async def list_notes(page: int = 1) -> int:
    """Show the parameter."""
    return page


@router.get("/notes/{number:id}")
async def read_note(number: int) -> int:
    """Show the id."""
    return number


@pytest.fixture
def service() -> FastAPI:
    """Give a service that has these endpoints alone."""
    service = FastAPI()
    service.include_router(router)
    return service


@pytest.fixture
async def notes(service: FastAPI) -> AsyncIterator[AsyncClient]:
    """Give a client of that service."""
    async with AsyncClient(transport=ASGITransport(service), base_url="http://test") as client:
        yield client


async def test_an_id_has_64_bits(notes: AsyncClient) -> None:
    assert (await notes.get(f"/notes/{2**63 - 1}")).json() == 2**63 - 1
    assert (await notes.get(f"/notes/{2**63}")).status_code == 404


async def test_a_parameter_is_given_once(notes: AsyncClient) -> None:
    assert (await notes.get("/notes?page=2")).json() == 2
    assert (await notes.get("/notes?page=1&page=2")).status_code == 422


async def test_a_query_that_is_not_utf8_is_a_bad_request(notes: AsyncClient) -> None:
    assert (await notes.get("/notes?page=1&unknown=%FF")).status_code == 400


def test_a_parameter_is_described_as_it_is(service: FastAPI) -> None:
    document = problems.describe(service.openapi())

    [page] = document["paths"]["/notes"]["get"]["parameters"]
    assert page == {"name": "page", "in": "query", "schema": {"type": "integer", "default": 1}}


def test_a_schema_says_what_may_be_null() -> None:
    described = Note.model_json_schema()["properties"]

    assert described["text"] == {"type": ["string", "null"]}
    assert described["kind"] == {"type": ["string", "null"], "enum": ["own", None]}
    assert described["form"] == {"type": "string", "default": "plain", "enum": ["plain"]}


async def test_head_is_get_without_a_body(client: AsyncClient) -> None:
    assert (await client.head("/healthz")).status_code == 200


async def test_a_path_with_a_line_break_is_none(client: AsyncClient) -> None:
    assert (await client.get("/healthz%0A")).status_code == 404


@pytest.mark.parametrize("body", [{"json": {}}, {"content": b"\xff"}, {"content": b"a=1&a=2"}])
async def test_a_token_is_asked_for_by_a_form(client: AsyncClient, body: dict[str, Any]) -> None:
    headers = {} if "json" in body else {"Content-Type": "application/x-www-form-urlencoded"}

    refused = await client.post("/api/v1/auth/token", headers=headers, **body)

    assert refused.status_code == 400
    assert refused.json()["error"] == "invalid_request"
