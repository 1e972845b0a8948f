"""Flask's extensions, made to take ids and bodies strictly and to answer with problems."""

import json
from itertools import islice
from typing import Any, NoReturn
from urllib.parse import parse_qsl

import flask_smorest
from flask import Flask, Request, Response, abort
from marshmallow import Schema, ValidationError
from webargs.flaskparser import FlaskParser
from werkzeug.datastructures import MultiDict
from werkzeug.exceptions import HTTPException, NotFound
from werkzeug.routing import IntegerConverter, Map

from app import openapi
from app.problems import DETAILS, MAX_ERRORS, Problem, field_errors, problem, token_error

MAX_ID = 2**63 - 1


class IdConverter(IntegerConverter):
    """The id of a row, in the path of a URL: a positive integer of 64 bits."""

    regex = "[1-9][0-9]{0,18}"

    def __init__(self, url_map: Map) -> None:
        super().__init__(url_map, min=1, max=MAX_ID)

    def to_python(self, value: str) -> int:
        """Return the id; raise 404 for one beyond 64 bits, which no method is allowed for."""
        if (number := int(value)) > MAX_ID:
            raise NotFound
        return number


class StrictParser(FlaskParser):
    """Reads bodies as `application/json` in UTF-8, and as nothing else; queries as strictly."""

    def load_json(self, req: Request, _: Schema) -> Any:
        """Return the parsed body; raise 415 for another type and 400 when it does not parse."""
        if req.mimetype != "application/json":
            abort(415, "The body must be application/json.")
        try:
            return json.loads(req.get_data().decode(), parse_constant=_refuse)
        except (ValueError, RecursionError):
            abort(400, "The body is not valid JSON.")

    def load_querystring(self, req: Request, _: Schema) -> dict[str, Any]:
        """Return the parameters, one that is given twice as a list, which no field takes.

        Raises 400 for a query that is not UTF-8.
        """
        try:
            query = parameters(req.query_string)
        except ValueError:
            abort(400, "The query is not UTF-8.")
        return {name: found[0] if len(found) == 1 else found for name, found in query.lists()}


def parameters(encoded: bytes, most: int | None = None) -> MultiDict[str, str]:
    """Return the parameters of a query or a form; raise `ValueError` for no UTF-8, or too many."""
    text = encoded.decode()
    return MultiDict(parse_qsl(text, keep_blank_values=True, errors="strict", max_num_fields=most))


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is not JSON")


class Blueprint(flask_smorest.Blueprint):
    """A blueprint that OpenAPI describes, and that reads bodies strictly."""

    ARGUMENTS_PARSER: FlaskParser = StrictParser()


class OAuthParser(FlaskParser):
    """Answers malformed requests in OAuth's form, not as problems."""

    def load_form(self, req: Request, _: Schema) -> dict[str, str]:
        """Return the parameters without empty ones, which count as left out (RFC 6749, 3.2).

        Raises `ValidationError` when one is given twice, or for what is no form in UTF-8.
        """
        if req.mimetype != "application/x-www-form-urlencoded":
            raise ValidationError("The body is no form.")
        try:
            form = parameters(req.get_data(), 1000)
        except ValueError as error:
            raise ValidationError("The form is not UTF-8, or too long.") from error
        if any(len(values) > 1 for values in form.listvalues()):
            raise ValidationError("A parameter is given twice.")
        return {name: value for name, value in form.items() if value}

    def handle_error(self, *_: Any, **__: Any) -> NoReturn:
        """Answer with 400."""
        abort(token_error("invalid_request", "A parameter is missing, malformed or given twice."))


class OAuthBlueprint(Blueprint):
    """A blueprint whose views take OAuth's forms."""

    ARGUMENTS_PARSER = OAuthParser()


class Api(flask_smorest.Api):
    """Flask-smorest, with problems for errors."""

    DEFAULT_ERROR_RESPONSE_NAME = None
    ERROR_SCHEMA = Problem

    def handle_http_exception(self, error: HTTPException) -> Response:
        """Answer what is raised by `abort`, by webargs, and by the routing."""
        headers = dict(error.get_headers())
        del headers["Content-Type"]
        status = error.code or 500
        messages = getattr(error, "data", {}).get("messages")
        if messages is None:
            # Werkzeug's own words are those of the class, ours those of the instance.
            own = vars(error).get("description")
            detail = own or DETAILS.get(status) or error.description or ""
            return problem(status, detail, headers)
        location, wrong = next(iter(messages.items()))
        source = "body" if location == "json" else location
        detail = "The request is not valid; see errors."
        errors = [*islice(field_errors(wrong, source), MAX_ERRORS)]
        return problem(status, detail, headers, errors=errors)


api = Api(spec_kwargs=openapi.PLUGINS)


def init_app(app: Flask) -> None:
    """Set the extensions up for the application."""
    app.url_map.converters["id"] = IdConverter
    api.init_app(app)
    token_url = "/api/v1/auth/token"
    flow = {"tokenUrl": token_url, "refreshUrl": token_url, "scopes": {}}
    api.spec.components.security_scheme("bearer", {"type": "oauth2", "flows": {"password": flow}})
    del api.spec.components.schemas["PaginationMetadataSchema"]  # of headers that no view has
