"""What is read of a request, and told of it in the document: for the endpoints to come."""

from typing import Any

import pytest
from django.urls import path
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.test import APIClient

from accounts.serializers import UserSerializer
from config.environment import settings
from core.proxies import ProxyMiddleware
from core.serializers import StrictFieldsMixin, TextField
from core.views import APIView

FORM = "application/x-www-form-urlencoded"


class NoteSerializer(StrictFieldsMixin):
    """What an endpoint could take and show."""

    text = TextField(max_length=200, allow_null=True)
    kind = serializers.ChoiceField(["own", "shared"])
    link = serializers.URLField(allow_blank=True)
    reader = UserSerializer(allow_null=True, read_only=True)


class NoteView(APIView):
    """Notes."""

    @extend_schema("write_note", request=NoteSerializer, responses={201: NoteSerializer})
    def post(self, request: Request) -> Response:
        """Write a note."""
        serializer = NoteSerializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        return Response(serializer.data, 201)


@pytest.fixture
def schemas() -> dict[str, Any]:
    """Give what the document has of the bodies of notes."""
    patterns = [path("notes", NoteView.as_view())]
    document = SchemaGenerator(patterns=patterns).get_schema(request=None, public=True)
    found: dict[str, Any] = document["components"]["schemas"]
    return found


def test_a_body_is_described_as_it_has_to_be_sent(schemas: dict[str, Any]) -> None:
    note = schemas["NoteIn"]

    assert note["additionalProperties"] is False
    assert set(note["required"]) == {"text", "kind", "link"}
    assert note["properties"]["text"]["maxLength"] == 200
    assert note["properties"]["kind"]["enum"] == ["own", "shared"]
    assert note["properties"]["link"]["type"] == "string"


def test_an_answer_is_described_by_what_readers_may_rely_on(schemas: dict[str, Any]) -> None:
    note = schemas["Note"]

    assert "additionalProperties" not in note
    assert note["properties"]["text"]["type"] == ["string", "null"]
    assert "maxLength" not in note["properties"]["text"]
    assert len(note["properties"]["reader"]["anyOf"]) == 2


def test_a_text_is_no_number() -> None:
    read = NoteSerializer(data={"text": 7, "kind": "own", "link": ""})

    assert not read.is_valid()
    assert set(read.errors) == {"text"}


@pytest.mark.parametrize("body", [b"grant_type=%FF", b"&".join([b"a=1"] * 1001)])
def test_a_form_is_in_utf8_and_not_endless(client: APIClient, body: bytes) -> None:
    response = client.post("/api/v1/auth/token", body, content_type=FORM)

    assert response.status_code == 400
    assert response.json()["error"] == "invalid_request"


def test_a_method_that_nobody_knows_is_counted_with_its_like(client: APIClient) -> None:
    assert client.generic("BREW", "/healthz").status_code == 405

    assert 'method="other",route="/healthz"' in client.get("/metrics").text


def test_a_page_of_another_site_may_read_what_it_is_told(client: APIClient) -> None:
    response = client.get("/healthz", headers={"Origin": "https://shop.example"})

    assert response.headers["Access-Control-Allow-Origin"] == "https://shop.example"
    assert "ETag" in response.headers["Access-Control-Expose-Headers"]


def test_without_other_sites_nothing_is_told_to_any(
    client: APIClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settings, "cors_origins", [])

    response = client.get("/healthz", headers={"Origin": "https://shop.example"})

    assert not [name for name in response.headers if name.startswith("Access-Control")]


def test_a_proxy_says_who_asks_by_which_scheme_and_under_which_path(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(settings, "trusted_proxies", 1)
    told: dict[str, Any] = {
        "REMOTE_ADDR": "192.0.2.1",
        "wsgi.url_scheme": "http",
        "HTTP_X_FORWARDED_FOR": "192.0.2.2",
        "HTTP_X_FORWARDED_PROTO": "https",
        "HTTP_X_FORWARDED_PREFIX": "/shop",
    }

    ProxyMiddleware(lambda environ, _: [])(told, lambda *_: lambda _: None)

    assert told["REMOTE_ADDR"] == "192.0.2.2"
    assert (told["wsgi.url_scheme"], told["SCRIPT_NAME"]) == ("https", "/shop")


def test_the_document_is_of_the_path_that_a_proxy_shows_it_at(client: APIClient) -> None:
    document = client.get("/openapi.json", SCRIPT_NAME="/shop").json()

    assert document["servers"] == [{"url": "/shop"}]
