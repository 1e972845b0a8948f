"""The one OpenAPI document: what the contract says of it, and who has written it by hand."""

import json
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import yaml

from combinations import TEMPLATE, render

from .client import BOOKS, ME, REPORTS, REVOKE, TOKEN, USERS
from .service import Target

# Pyramid's document is its code; the others make theirs of their code.
WRITTEN = "app/openapi.yaml"

BOOK = f"{BOOKS}/{{id}}"
REPORT = f"{REPORTS}/{{id}}"
BODY = {400, 413, 415, 422}
CHANGE = {200, 401, 403, 404, 409, 412, 503} | BODY

Operation = tuple[str, str, str, set[int]]
OPERATIONS: dict[str, Operation] = {
    "list_books": ("get", BOOKS, "books", {200, 400, 422, 503}),
    "create_book": ("post", BOOKS, "books", {201, 401, 409, 503} | BODY),
    "read_book": ("get", BOOK, "books", {200, 304, 404, 412, 503}),
    "replace_book": ("put", BOOK, "books", CHANGE),
    "change_book": ("patch", BOOK, "books", CHANGE),
    "delete_book": ("delete", BOOK, "books", {204, 401, 403, 404, 409, 412, 503}),
    "register": ("post", USERS, "users", {201, 409, 503} | BODY),
    "read_current_user": ("get", ME, "users", {200, 401, 503}),
    "grant_token": ("post", TOKEN, "auth", {200, 400, 413, 429, 503}),
    "revoke_token": ("post", REVOKE, "auth", {200, 400, 413, 503}),
    "request_report": ("post", REPORTS, "reports", {202, 401, 429, 503}),
    "read_report": ("get", REPORT, "reports", {200, 401, 404, 503}),
    "liveness": ("get", "/healthz", "operations", {200}),
    "readiness": ("get", "/readyz", "operations", {200, 503}),
    "metrics": ("get", "/metrics", "operations", {200}),
}
"""By its id what an operation is: a method, a path, a tag, and the statuses of its answers."""

OF_REPORTS = {"Report", "Summary", "AuthorCount", "DecadeCount"}
SCHEMAS = {
    *("Book", "BookIn", "BookPatch", "BookPage", "User", "UserIn", "TokenPair", "TokenError"),
    *("Problem", "FieldError", "Health"),
} | OF_REPORTS


def counts_attempts(target: Target) -> bool:
    """Tell whether there is Redis, in which attempts to log in are counted."""
    return target.has_cache or target.has_feed


def operations(target: Target) -> dict[str, Operation]:
    """Return the operations of a service by their ids: without tasks it has no reports."""
    found = dict(OPERATIONS)
    if not target.has_tasks:
        found = {name: told for name, told in found.items() if told[2] != "reports"}
    if not counts_attempts(target):
        method, path, tag, statuses = found["grant_token"]
        found["grant_token"] = (method, path, tag, statuses - {429})
    return found


def written(target: Target) -> dict[str, Any]:
    """Return the document of a service as a project of Pyramid has it."""
    answers = {
        "framework": "pyramid",
        "cache": "redis" if counts_attempts(target) else "none",
        "tasks": "celery" if target.has_tasks else "none",
        "replicas": "streaming" if target.may_have_replica else "none",
    }
    with TemporaryDirectory() as place:
        render(TEMPLATE.root, Path(place), {"written": answers})
        found = yaml.safe_load((Path(place) / "written/shop" / WRITTEN).read_text("utf-8"))
    named = {kind: found["components"][kind] for kind in ("schemas", "securitySchemes")}
    return found | {"components": named}


def in_order(found: Any) -> Any:
    """Return a document with every list sorted: none of them has an order that counts."""
    match found:
        case dict():
            return {name: in_order(value) for name, value in found.items()}
        case list():
            return sorted(map(in_order, found), key=partial(json.dumps, sort_keys=True))
    return found
