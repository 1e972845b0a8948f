"""What reads ids and queries, and describes them: for the endpoints to come."""

import pytest
from flask import Flask, request
from marshmallow import Schema
from werkzeug.exceptions import HTTPException, NotFound
from werkzeug.routing import Map

from app.extensions import IdConverter, StrictParser
from app.settings import settings
from tests.fixtures import Client


def test_an_id_has_64_bits() -> None:
    converter = IdConverter(Map())

    assert converter.to_python(str(2**63 - 1)) == 2**63 - 1
    with pytest.raises(NotFound):
        converter.to_python(str(2**63))


def test_a_parameter_that_is_given_twice_is_a_list(app: Flask) -> None:
    with app.test_request_context("/?page=1&page=2&search=%C3%A9"):
        query = StrictParser().load_querystring(request, Schema())

    assert query == {"page": ["1", "2"], "search": "é"}


def test_a_query_that_is_not_utf8_is_a_bad_request(app: Flask) -> None:
    with app.test_request_context("/?search=%FF"), pytest.raises(HTTPException) as refused:
        StrictParser().load_querystring(request, Schema())

    assert refused.value.code == 400


def test_the_document_begins_where_the_proxy_shows_the_service(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settings, "trusted_proxies", 1)

    document = client.get("/openapi.json", headers={"X-Forwarded-Prefix": "/shop"}).json

    assert document["servers"] == [{"url": "/shop"}]
