"""What a violated constraint of the database tells the client."""

from typing import Any

from sqlalchemy.exc import IntegrityError

# By the column that must be unique, what is told of it.
TAKEN = {
    "books.isbn": "Another book has this ISBN.",
    "users.email": "This email address is taken.",
}


def explain(error: IntegrityError, method: str) -> tuple[int, str, dict[str, Any]] | None:
    """Return the status, detail and further members of the problem; None where it is a bug."""
    kind, _, where = str(error.orig).partition(" constraint failed")
    where = where.removeprefix(": ")
    if kind == "UNIQUE":
        return 409, TAKEN.get(where, "Another one has the same values."), {}
    if kind == "FOREIGN KEY":
        table, _, column = where.partition(".")
        if method == "DELETE":
            return 409, f"It is in use by {table or 'another table'}.", {}
        wrong = {"field": f"body.{column}", "message": "There is no such row."}
        return 422, "The request is not valid; see errors.", {"errors": [wrong]}
    return None
