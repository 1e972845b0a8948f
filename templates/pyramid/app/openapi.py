"""The OpenAPI document, `openapi.yaml`: it comes first, and requests are judged by it."""

import json
import re
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

from openapi_core.datatypes import RequestParameters
from openapi_core.deserializing.styles import style_deserializers
from openapi_core.deserializing.styles.factories import StyleDeserializersFactory
from pyramid.config import Configurator
from pyramid.events import ApplicationCreated
from pyramid.httpexceptions import HTTPBadRequest
from pyramid.request import Request
from pyramid_openapi3.wrappers import PyramidOpenAPIRequest
from webob.multidict import NoVars

from app import addresses, pages

DOCUMENT = Path(__file__).with_name("openapi.yaml")
REMEMBERED = 500  # requests, those of
LONGEST = 500  # characters of the query string, at most
MAX_FIELDS = 1000  # of a form
SURROGATE = re.compile("[\ud800-\udfff]")


def includeme(config: Configurator) -> None:
    """Judge requests by the document, and publish it."""
    config.include("pyramid_openapi3")
    config.pyramid_openapi3_add_formatter("email", is_email)
    config.pyramid_openapi3_add_formatter("isbn", is_isbn)
    config.pyramid_openapi3_add_deserializer("application/json", load_json)
    config.pyramid_openapi3_add_deserializer("application/problem+json", json.loads)
    config.pyramid_openapi3_add_deserializer("application/x-www-form-urlencoded", load_form)
    config.pyramid_openapi3_spec(str(DOCUMENT), route="/openapi.json", route_name="openapi.json")
    config.add_subscriber(wrap_validator, ApplicationCreated)
    for path in pages.FILES:
        config.add_route(path, path)
        config.add_view(".views.docs.show", route_name=path, request_method="GET")


def published(document: dict[str, Any]) -> dict[str, Any]:
    """Return the document as clients are given it, without what stands in its place already."""
    named = {kind: document["components"][kind] for kind in ("schemas", "securitySchemes")}
    return document | {"components": named}


def is_email(value: Any) -> bool:
    """Tell whether a text can be an email address."""
    try:
        return bool(addresses.parse(str(value)))
    except ValueError:
        return False


def is_isbn(value: Any) -> bool:
    """Check the last digit of an ISBN-13 (ISO 2108): weights 1 and 3 alternate, modulo 10."""
    digits = [int(digit) for digit in str(value) if digit.isdecimal()]
    right = (sum(digits[::2]) + 3 * sum(digits[1::2])) % 10 == 0
    return right and not str(value).endswith("\n")  # before which Python's `$` matches too


def load_json(body: bytes, **_: str) -> Any:
    """Parse JSON as RFC 8259 has it: in UTF-8, and without NaN; raise 400 for anything else."""
    try:
        return json.loads(body.decode(), parse_constant=_refuse, object_pairs_hook=_storable)
    except (ValueError, RecursionError) as error:
        raise HTTPBadRequest("The body is not valid JSON.") from error


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is not JSON")


def _storable(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return an object, with NUL for a text that has no UTF-8 form: the document allows neither."""
    return {
        name: "\0" if isinstance(value, str) and SURROGATE.search(value) else value
        for name, value in pairs
    }


def load_form(body: bytes, **_: str) -> dict[str, str]:
    """Parse a form; raise 400 for one that is not UTF-8, too full, or has a parameter twice.

    One without a value counts as left out (RFC 6749, section 3.2).
    """
    try:
        pairs = parse_qsl(body.decode(), errors="strict", max_num_fields=MAX_FIELDS)
    except ValueError as error:
        raise HTTPBadRequest("The body is not a form.") from error
    if len(pairs) > len(dict(pairs)):
        raise HTTPBadRequest("A parameter is given twice.")
    return dict(pairs)


def given(request: Request) -> dict[str, Any]:
    """Return the fields that a valid body gives, without the blanks around texts."""
    return {
        field: value.strip() if isinstance(value, str) else value
        for field, value in request.openapi_validated.body.items()
    }


class RequestValidator:
    """Judges requests as openapi-core does, but does not judge the same one again and again.

    That takes openapi-core milliseconds, many times as long as the rest of a request. What it
    makes of a GET follows from the route and the query string alone: the resource has judged
    the id in the path already, and headers may be any text. So neither is part of what is kept.
    """

    def __init__(self, validator: Any) -> None:
        self._validator = validator
        # Who asks, and with which right, is the security policy's business.
        validator.security_provider_factory = NoSecurity()
        validator.style_deserializers_factory = StyleDeserializersFactory(
            validator.schema_casters_factory, {**style_deserializers, "form": load_parameter}
        )
        self._valid: dict[tuple[str, str], Any] = {}

    def unmarshal(self, openapi_request: PyramidOpenAPIRequest) -> Any:
        """Return what the request is made of, and its errors."""
        request = openapi_request.request
        if request.method != "GET":
            return self._judge(request)
        key = (request.matched_route.name, request.query_string)
        result = self._valid.get(key)
        if result is None:
            result = self._judge(request)
            result.parameters.path.clear()
            if not result.errors and len(request.query_string) <= LONGEST:
                if len(self._valid) >= REMEMBERED:
                    self._valid.clear()
                self._valid[key] = result
        return result

    def _judge(self, request: Request) -> Any:
        try:
            return self._validator.unmarshal(PlainRequest(request))
        except RecursionError as error:
            raise HTTPBadRequest("The body is not valid JSON.") from error


class PlainRequest(PyramidOpenAPIRequest):
    """A request without what has no say in whether it is valid."""

    host_url = "http://localhost"  # whatever `Host` says: it may be no host at all

    def __init__(self, request: Request) -> None:
        self.request = request
        self.parameters = RequestParameters(path=request.matchdict, query=request.GET)

    @property
    def body(self) -> bytes:
        """The body; none is no JSON, but of the wrong type before that."""
        return self.request.body or b" "

    @property
    def path(self) -> str:
        """The path without the prefix that a proxy has taken from it: the document knows none."""
        return str(self.request.path_info)

    @property
    def path_pattern(self) -> str:
        """The pattern of the route, likewise."""
        return str(self.request.matched_route.pattern)

    @property
    def content_type(self) -> str:
        """The media type, whose parameters may be malformed."""
        return str(self.request.content_type)


def load_parameter(_explode: bool, name: str, kind: str, query: Any) -> str:
    """Return a parameter; raise `KeyError` for none, `ValueError` for one that is malformed."""
    if isinstance(query, NoVars):
        raise HTTPBadRequest("The query is not UTF-8.")
    values = query.getall(name)
    if not values or (values == [""] and name in {"author", "search"}):
        raise KeyError(name)
    [value] = values
    if kind == "integer" and not re.fullmatch("[0-9]+", value):
        raise ValueError("no digits")
    return value


class ResponseValidator:
    """Judges responses as openapi-core does, under whatever prefix they were asked for."""

    def __init__(self, validator: Any) -> None:
        self._validator = validator

    def iter_errors(self, request: PyramidOpenAPIRequest, response: Any) -> Any:
        """Return what is wrong with a response."""
        return self._validator.iter_errors(PlainRequest(request.request), response)


class NoSecurity:
    """Takes every request for one that is allowed."""

    def create(self, _: Any) -> Any:
        """Return what finds the credentials of a request: none."""
        return lambda _: None


def wrap_validator(event: ApplicationCreated) -> None:
    """Put our validators in front of openapi-core's."""
    settings = event.app.registry.settings["pyramid_openapi3"]
    settings["request_validator"] = RequestValidator(settings["request_validator"])
    settings["response_validator"] = ResponseValidator(settings["response_validator"])
