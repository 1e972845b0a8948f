"""The OpenAPI document: whole, and at one with the routes."""

import re

from httpx import AsyncClient

from app.app import ROUTES
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
