"""How bodies are read: as strict JSON, and as nothing else."""

import json
from collections.abc import Iterable
from typing import Any

from rest_framework.exceptions import ParseError
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.parsers import BaseParser, JSONParser
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


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is not JSON")
