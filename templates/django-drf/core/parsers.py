"""How bodies are read: as strict JSON or as a form, in UTF-8."""

import json
from collections.abc import Iterable
from typing import Any
from urllib.parse import unquote_to_bytes

from django.core.exceptions import TooManyFieldsSent
from django.http import QueryDict
from rest_framework.exceptions import ParseError
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.parsers import BaseParser, FormParser, JSONParser
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request


class JSONNegotiation(BaseContentNegotiation):
    """Takes the one media type that a parser names, and answers in the one that there is."""

    def select_parser(self, request: Request, parsers: Iterable[BaseParser]) -> BaseParser | None:
        """Return the parser for exactly this media type; None is answered with 415."""
        media_type = request.content_type.partition(";")[0].strip().lower()
        return next((parser for parser in parsers if parser.media_type == media_type), None)

    def select_renderer(
        self, request: Request, renderers: Iterable[BaseRenderer], format_suffix: str | None = None
    ) -> tuple[BaseRenderer, str]:
        """Return the first renderer: what the client accepts changes nothing."""
        renderer = next(iter(renderers))
        return renderer, str(renderer.media_type)


class StrictJSONParser(JSONParser):
    """Parses JSON as RFC 8259 has it: in UTF-8, and without NaN."""

    def parse(self, stream: Any, *_: Any, **__: Any) -> Any:
        """Return the parsed body; raise 400 when it does not parse."""
        try:
            return json.loads(stream.read().decode(), parse_constant=_refuse)
        except (ValueError, RecursionError) as error:
            raise ParseError("The body is not valid JSON.") from error


class StrictFormParser(FormParser):
    """Parses a form in UTF-8; of others Django would make something else."""

    def parse(self, stream: Any, *_: Any, **__: Any) -> Any:
        """Return the parameters; raise 400 when they are not UTF-8, or too many."""
        body = stream.read()
        check_encoding(body, "The form is not UTF-8.")
        try:
            return QueryDict(body, encoding="utf-8")
        except TooManyFieldsSent as error:
            raise ParseError(str(error)) from error


def check_encoding(form: bytes, detail: str) -> None:
    """Raise 400, with this detail, if a form or a query is not UTF-8."""
    try:
        unquote_to_bytes(form).decode()
    except UnicodeDecodeError as error:
        raise ParseError(detail) from error


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is not JSON")
