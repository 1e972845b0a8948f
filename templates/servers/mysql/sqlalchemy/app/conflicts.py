"""What a violated constraint of the database tells the client."""

import re
from typing import Any

from sqlalchemy.exc import IntegrityError

# By the name of a unique constraint or index, what is told of it.
TAKEN = {
    "uq_books_isbn": "Another book has this ISBN.",
    "uq_users_email": "This email address is taken.",
}

DUPLICATE = 1062
NO_SUCH_ROW = 1452
IN_USE = 1451

# What the messages of these say.
KEY = re.compile(r"for key '(?:.*\.)?(.*)'$")
REFERENCE = re.compile(r"\(`.*?`\.`(?P<table>.*?)`, CONSTRAINT `(?P<name>.*?)`")


def explain(error: IntegrityError, method: str) -> tuple[int, str, dict[str, Any]] | None:
    """Return the status, detail and further members of the problem; None where it is a bug."""
    code, message = error.orig.args if error.orig else (0, "")
    if code == DUPLICATE:
        key = KEY.search(message)
        return 409, TAKEN.get(key[1] if key else "", "Another one has the same values."), {}
    reference = REFERENCE.search(message)
    if code in (NO_SUCH_ROW, IN_USE) and reference:
        table, name = reference.group("table", "name")
        if method == "DELETE":
            return 409, f"It is in use by {table}.", {}
        prefix = f"fk_{table}_"  # by which app/models.py names them, with the column after it
        field = f"body.{name.removeprefix(prefix)}" if name.startswith(prefix) else "body"
        wrong = {"field": field, "message": "There is no such row."}
        return 422, "The request is not valid; see errors.", {"errors": [wrong]}
    return None
