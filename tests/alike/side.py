"""One of the services that are asked side by side, and what of its answers has to be alike."""

import base64
import itertools
import json
import re
import socket
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from http.client import HTTPException, HTTPResponse
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from contract.client import BOOKS, PASSWORD, REPORTS, TOKEN, USERS, connect

from .request import Request

TIME = rb'(?<=_at":")\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z(?=")'
IDS = rb'(?<="id":)\d+(?=[,}])'
IN_PATH = rb'(?<=/api/v1/)(?:books|reports)/\d+(?="|$)'
TOKENS = rb'(?<=_token":")[\w-]+\.[\w-]+\.[\w-]+(?=")'
MESSAGE = rb'(?<="message": )"(?:[^"\\]|\\.)+"'
SHELF = [
    ("A", "Zoé Émond", "1885-03-02"),
    ("B 100% true_story", "Ann Leckie", "2013-10-01"),
    ("C", "Ann Leckie", "2013-10-01"),
    ("D", "N. K. Jemisin", "2015-08-04"),
    ("E 図書館", "N. K. Jemisin", "2015-08-05"),
]

Headers = list[tuple[str, str]]


@dataclass(frozen=True)
class Answer:
    """A status line, headers without regard to case and order, and a body."""

    status: str
    headers: tuple[str, ...] = ()
    body: bytes = b""


def shared(run: str) -> Iterator[dict[str, str]]:
    """Give what a request may need that nobody has used yet, the same for every service."""
    for number in itertools.count():
        yield {
            "number": str(number),
            "new": f"{run}-{number}",
            "isbn": isbn(f"978{int(run, 16) % 10**5:05d}{2 * number % 10**4:04d}"),
            "taken": isbn(f"978{int(run, 16) % 10**5:05d}{(2 * number + 1) % 10**4:04d}"),
        }


def isbn(digits: str) -> str:
    weighed = zip(digits, itertools.cycle((1, 3)), strict=False)
    return f"{digits}{-sum(int(digit) * weight for digit, weight in weighed) % 10}"


class Side:
    """A service with two users, some books and a report, each its own yet named alike."""

    def __init__(self, base_url: str, run: str) -> None:
        self.url = urlsplit(base_url)
        self.client = connect(base_url)
        self.names: dict[bytes, bytes] = {}
        """What each value of this service's own is called, whichever service it is."""
        self.values = {"shelf": f"Shelf{run}", "owner": f"owner-{run}@example.org"}
        self.tokens = {"nobody": ""}
        for who in ("owner", "another"):
            email = f"{who}-{run}@example.org"
            self.made(USERS, {"email": email, "password": PASSWORD})
            self.tokens[who] = f"Bearer {self.pair(email)['access_token']}"
        self.values["access"] = self.tokens["owner"].removeprefix("Bearer ")
        self.tokens |= bad_tokens(self.values["access"])
        for title, author, day in SHELF:
            body = {"title": f"{self.values['shelf']} {title}", "author": author}
            made = self.made(BOOKS, body | {"publication_date": day})
            self.learn(BOOKS, compact(made), title[0])
        self.values["report"] = str(self.made(REPORTS, None)["id"])
        self.names[b"reports/" + self.values["report"].encode()] = b"reports/<report>"
        self.values["gone"] = str(self.book(isbn(f"979{int(run, 16) % 10**9:09d}"))["id"])
        self.names[b"books/" + self.values["gone"].encode()] = b"books/<gone>"
        self.delete(self.values["gone"])

    def delete(self, book: str) -> None:
        headers = {"Authorization": self.tokens["owner"]}
        assert self.client.delete(f"{BOOKS}/{book}", headers=headers).status_code == 204

    def made(self, path: str, body: Any) -> dict[str, Any]:
        headers = {"Authorization": self.tokens["owner"]} if "owner" in self.tokens else {}
        response = self.client.post(path, json=body, headers=headers)
        assert response.is_success, response.text
        return response.json()

    def pair(self, email: str) -> dict[str, Any]:
        data = {"grant_type": "password", "username": email, "password": PASSWORD}
        return self.client.post(TOKEN, data=data).raise_for_status().json()

    def book(self, isbn: str) -> dict[str, Any]:
        body = {"title": "The Dispossessed", "author": "Ursula K. Le Guin"}
        return self.made(BOOKS, body | {"publication_date": "1974-05-01", "isbn": isbn})

    def ask(self, request: Request, given: Mapping[str, str]) -> Answer:
        """Send a request on a connection of its own; return the answer with names for values."""
        number, values = given["number"], {**self.values, **given}
        if request.has("{book}", "{tag}", "{taken}"):
            book = self.book(given["taken"])
            self.learn(BOOKS, compact(book), f"{number} before")
            values["book"] = str(book["id"])
            if request.has("{tag}"):
                values["tag"] = self.client.get(f"{BOOKS}/{book['id']}").headers["ETag"]
                self.names[values["tag"].encode()] = b"<tag of %s>" % number.encode()
        if request.has("{refresh}", "{used}"):
            first = self.pair(self.values["owner"])["refresh_token"]
            data = {"grant_type": "refresh_token", "refresh_token": first}
            pair = self.client.post(TOKEN, data=data).raise_for_status().json()
            values |= {"used": first, "refresh": pair["refresh_token"]}
        if token := self.tokens[request.who]:
            headers = (*request.headers, f"Authorization: {token}")
            request = Request(request.method, request.target, headers, request.body)
        found = self.talk(request.sent(values), request.method)
        if found is None:
            return Answer("no answer")
        return self.alike(request, number, *found)

    def talk(self, sent: bytes, method: str) -> tuple[str, Headers, bytes] | None:
        with socket.create_connection((self.url.hostname, self.url.port), timeout=15) as peer:
            with suppress(ConnectionError):  # from who has answered before it has read all
                peer.sendall(sent)
            answer = HTTPResponse(peer, method=method)
            try:
                answer.begin()
                body = answer.read()
            except (ConnectionError, HTTPException):
                return None
            # What a reason says is ignored by every client (RFC 9112, section 4).
            status = f"HTTP/{answer.version / 10} {answer.status}"
            return status, answer.getheaders(), body

    def alike(
        self, request: Request, number: str, status: str, headers: Headers, body: bytes
    ) -> Answer:
        """Put names in the place of values that are the service's own; what is wrong stays."""
        fields = [(name.lower(), value) for name, value in headers]
        told = dict(fields)
        self.learn(request.target, body, number, tag=told.get("etag", ""))
        identifier = told.get("x-request-id", "")
        if not any(identifier in line for line in request.headers) and is_uuid(identifier):
            self.names[identifier.encode()] = b"<request id>"
        lines = [f"{name}: {self.header(name, value, request, body)}" for name, value in fields]
        return Answer(status, tuple(sorted(lines)), self.body(request, told, body))

    def header(self, name: str, value: str, request: Request, body: bytes) -> str:
        match name:
            case "date" if parsedate_to_datetime(value):
                return "<date>"
            case "content-length" if value == str(len(body)) and body:
                return "<length>"
            case "content-length" if request.method == "HEAD" and value.isdigit():
                return "<length>"
            case "location":
                return self.named(value.encode("latin-1"), IN_PATH).decode("latin-1")
            case "etag" | "x-request-id":
                given = value.encode("latin-1")
                return self.names.get(given, given).decode("latin-1")
        return value

    def body(self, request: Request, told: dict[str, str], body: bytes) -> bytes:
        if body.startswith(b"# HELP"):
            return b"\n".join(sorted({line.rsplit(b" ", 1)[0] for line in body.splitlines()}))
        if body and request.target == "/openapi.json" and is_json(told):
            document = json.loads(body)
            document["info"]["title"] = "<title>"
            return json.dumps(ordered(document), indent=1).encode()
        identifier = told.get("x-request-id", "").encode()
        if identifier in self.names:
            body = body.replace(identifier, self.names[identifier])
        if told.get("content-type", "").startswith("application/problem+json"):
            return self.named(re.sub(MESSAGE, b"<message>", body), IN_PATH)
        body = re.sub(IDS, lambda found: self.id(kind_of(request.target), found[0]), body)
        return re.sub(TOKENS, b"<token>", self.named(body, TIME))

    def learn(self, target: str, body: bytes, number: str, tag: str = "") -> None:
        """Name the ids, the times and the tag that are seen for the first time."""
        kind = kind_of(target)
        ids = [kind + value for value in re.findall(IDS, body)]
        for what, found in (("id", ids), ("time", re.findall(TIME, body))):
            fresh = [value for value in dict.fromkeys(found) if value not in self.names]
            for place, value in enumerate(fresh):
                self.names[value] = f"<{what} {place} of {number}>".encode()
        if tag:
            self.names.setdefault(tag.encode(), f"<tag of {number}>".encode())

    def named(self, text: bytes, pattern: bytes) -> bytes:
        return re.sub(pattern, lambda found: self.names.get(found[0], found[0]), text)

    def id(self, kind: bytes, value: bytes) -> bytes:
        return self.names.get(kind + value, value)


def kind_of(target: str) -> bytes:
    """Return what the ids of an answer are of: each has numbers of its own."""
    return next(
        (kind for kind in (b"users/", b"reports/") if kind[:-1].decode() in target), b"books/"
    )


def is_json(told: Mapping[str, str]) -> bool:
    return told.get("content-type") == "application/json"


def ordered(value: Any) -> Any:
    """Sort a document: neither names nor what is in its lists has an order that means something."""
    if isinstance(value, dict):
        return {key: ordered(value[key]) for key in sorted(value)}
    if isinstance(value, list):
        return sorted(map(ordered, value), key=json.dumps)
    return value


def compact(body: Any) -> bytes:
    return json.dumps(body, separators=(",", ":")).encode()


def bad_tokens(good: str) -> dict[str, str]:
    """Return what is no access token, by its name."""
    head, payload, signature = good.split(".")
    none = base64.urlsafe_b64encode(b'{"alg": "none", "typ": "JWT"}').rstrip(b"=").decode()
    other = ("B" if signature[0] == "A" else "A") + signature[1:]
    return {
        "an empty header": " ",
        "a scheme alone": "Bearer",
        "another scheme": "Basic YTpi",
        "no JWT": "Bearer x",
        "three parts of nothing": "Bearer a.b.c",
        "a bad signature": f"Bearer {head}.{payload}.{other}",
        "no algorithm": f"Bearer {none}.{payload}.",
        "two tokens": f"Bearer {good}, Bearer {good}",
        "a blank more": f"Bearer  {good}",
        "small letters": f"bearer {good}",
        "Latin-1": "Bearer \xff\xfe",
        "a long one": f"Bearer {'x' * 4000}",
    }


def is_uuid(text: str) -> bool:
    with suppress(ValueError):
        return str(UUID(text)) == text
    return False
