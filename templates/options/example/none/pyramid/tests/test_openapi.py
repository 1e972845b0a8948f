"""What judges requests by the document, and publishes it: for the endpoints to come."""

import gc
import tracemalloc
from pathlib import Path

import pytest
from pyramid.config import Configurator
from pyramid.httpexceptions import HTTPNotFound
from pyramid.request import Request

from app.settings import settings
from tests.fixtures import Client

URL = "/notes"
DOCUMENT = """
openapi: 3.1.0
info: {title: Notes, version: "1"}
paths:
  /notes:
    get:
      parameters:
        - {name: page, in: query, schema: {type: integer, minimum: 1, default: 1}}
        - {name: search, in: query, schema: {type: string, maxLength: 9}}
      responses: {"200": {description: OK}}
    post:
      responses: {"201": {description: Created}}
  /notes/1:
    get:
      responses: {"404": {description: There is none}}
"""


def list_notes(request: Request) -> dict[str, int | str]:
    query: dict[str, int | str] = request.openapi_validated.parameters.query
    return query


def create_note(request: Request) -> None:
    request.response.status = 201
    request.response.headers["Location"] = request.route_path("note")


def read_note(_: Request) -> None:
    raise HTTPNotFound("No such note.")


@pytest.fixture
def notes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Client:
    """Give a client of a service that has these endpoints alone."""
    document = tmp_path / "openapi.yaml"
    document.write_text(DOCUMENT)
    monkeypatch.setattr("app.openapi.DOCUMENT", document)
    with Configurator(settings={"pyramid_openapi3.enable_response_validation": False}) as config:
        for concern in ("db", "openapi", "renderers", "middleware"):
            config.include(f"app.{concern}")
        config.scan("app.problems")
        config.add_route("notes", URL)
        config.add_route("note", f"{URL}/1")
        for view, route, method in [
            (list_notes, "notes", "GET"),
            (create_note, "notes", "POST"),
            (read_note, "note", "GET"),
        ]:
            config.add_view(
                view, route_name=route, request_method=method, openapi=True, renderer="json"
            )
    return Client(config.make_wsgi_app())


def test_a_query_is_what_the_document_says(notes: Client) -> None:
    assert notes.get(f"{URL}?search=%C3%A9").json == {"page": 1, "search": "é"}
    assert notes.get(f"{URL}?search=&page=2&unknown=x").json == {"page": 2}


@pytest.mark.parametrize(
    ("query", "name"),
    [("page=0", "page"), ("page=+1", "page"), ("page=", "page"), ("search=0123456789", "search")],
)
def test_a_bad_parameter_is_named(notes: Client, query: str, name: str) -> None:
    response = notes.get(f"{URL}?{query}")

    assert response.status_code == 422
    assert [error["field"] for error in response.json["errors"]] == [f"query.{name}"]


def test_a_parameter_that_is_given_twice_is_named(notes: Client) -> None:
    response = notes.get(f"{URL}?search=a&page=1&search=a")

    assert response.status_code == 422
    assert [error["field"] for error in response.json["errors"]] == ["query.search"]


def test_a_query_that_is_not_utf8_is_a_bad_request(notes: Client) -> None:
    assert notes.get(f"{URL}?unknown=%FF").status_code == 400


def test_what_is_known_of_a_query_is_good_for_no_other(
    notes: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.openapi.REMEMBERED", 1)

    for _ in range(2):
        assert notes.get(f"{URL}?page=2").json["page"] == 2
        assert notes.get(f"{URL}?page=3").json["page"] == 3
        assert notes.get(f"{URL}?page=0").status_code == 422


def test_long_queries_are_not_remembered(notes: Client) -> None:
    notes.get(URL)
    tracemalloc.start()

    for number in range(100):
        assert notes.get(URL, params={"unknown": f"{number:0100000}"}).status_code == 200

    gc.collect()
    kept, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert kept < 5_000_000  # bytes, of the 10 million that were sent


def test_a_location_does_not_believe_what_host_says(notes: Client) -> None:
    created = notes.send("POST", URL, headers={"Host": "evil.example"})

    assert created.headers["Location"] == f"{URL}/1"


def test_what_is_not_there_is_told_in_the_words_of_the_view(notes: Client) -> None:
    response = notes.get(f"{URL}/1")

    assert (response.status_code, response.json["detail"]) == (404, "No such note.")


def test_the_document_begins_where_the_proxy_shows_the_service(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settings, "trusted_proxies", 1)

    document = client.get("/openapi.json", headers={"X-Forwarded-Prefix": "/shop"}).json

    assert document["servers"] == [{"url": "/shop"}]
