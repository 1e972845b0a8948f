"""A request, byte for byte, with places for what is each service's own."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

JSON = "Content-Type: application/json"
FORM = "Content-Type: application/x-www-form-urlencoded"
HOST = "Host: test"


@dataclass(frozen=True)
class Request:
    """What is sent, and in whose name.

    Places in its target, its headers and its body: `{book}`, `{tag}` and `{taken}` stand for the
    id, the `ETag` and the ISBN of a book that the owner has just made, `{gone}` for the id of a
    book that was deleted, `{report}` for that of a report of the owner's. `{owner}` is the owner's
    address, `{new}` and `{isbn}` are what nobody has used yet, `{shelf}` is a word in the titles of
    the books that are there from the start. `{access}`, `{refresh}` and `{used}` are tokens.
    """

    method: str
    target: str
    headers: tuple[str, ...] = ()
    body: bytes = b""
    who: str = "nobody"

    def has(self, *places: str) -> bool:
        whole = "\n".join((self.target, *self.headers, self.body.decode("latin-1")))
        return any(place in whole for place in places)

    def sent(self, values: Mapping[str, str]) -> bytes:
        """Return what goes to a service that has these values in those places."""

        def filled(text: str) -> str:
            for place, value in values.items():
                text = text.replace(f"{{{place}}}", value)
            return text

        body = filled(self.body.decode("latin-1")).encode("latin-1")
        lines = [f"{self.method} {filled(self.target)} HTTP/1.1", *map(filled, self.headers)]
        has_length = any(line.startswith(("Content-Length", "Transfer-Encoding")) for line in lines)
        if not has_length and (body or self.method in {"POST", "PUT", "PATCH"}):
            lines.append(f"Content-Length: {len(body)}")
        return "\r\n".join([*lines, "", ""]).encode("latin-1") + body


def ask(
    method: str, target: str, *headers: str, body: Any = None, who: str = "nobody", host: str = HOST
) -> Request:
    """Make a request; a body that is no bytes is sent as JSON."""
    lines = [host] if host else []
    if body is not None and not isinstance(body, bytes):
        body = json.dumps(body).encode()
        lines.append(JSON)
    return Request(method, target, (*lines, *headers), body or b"", who)


def form(target: str, body: str, *headers: str, who: str = "nobody") -> Request:
    """Make a request with a form, as it is written."""
    return ask("POST", target, FORM, *headers, body=body.encode("latin-1"), who=who)
