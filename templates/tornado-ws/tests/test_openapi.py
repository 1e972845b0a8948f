"""The OpenAPI document: whole, and at one with the routes."""

import re

from httpx import AsyncClient
from tornado.httputil import HTTPHeaders, HTTPServerRequest, RequestStartLine

from app.app import ROUTES, Path
from app.pages import FILES

UNDESCRIBED = {"/openapi.json", "/ws/books", *FILES}


async def test_every_route_of_the_api_is_described(client: AsyncClient) -> None:
    document = (await client.get("/openapi.json")).json()

    assert document["paths"].keys() == ROUTES.keys() - UNDESCRIBED


async def test_what_needs_a_token_may_refuse_it_and_nothing_else_does(client: AsyncClient) -> None:
    document = (await client.get("/openapi.json")).json()

    operations = [one for path in document["paths"].values() for one in path.values()]
    needing = [one["operationId"] for one in operations if "security" in one]
    assert needing
    assert needing == [one["operationId"] for one in operations if "401" in one["responses"]]


async def test_what_is_referred_to_is_there(client: AsyncClient) -> None:
    response = await client.get("/openapi.json")

    referred = set(re.findall(r'"#/components/schemas/(\w+)"', response.text))
    assert referred <= response.json()["components"]["schemas"].keys()


def test_a_path_may_have_other_names_than_id() -> None:
    line = RequestStartLine("GET", "/authors/le-guin/books/7", "HTTP/1.1")
    asked = HTTPServerRequest(start_line=line, headers=HTTPHeaders({"Host": "test"}))

    found = Path("/authors/{author}/books/{id}").match(asked)

    assert found == {"path_args": [], "path_kwargs": {"author": b"le-guin", "id": b"7"}}
