"""What a violated constraint of the database tells the client."""

from typing import Any

from psycopg import errors
from sqlalchemy.exc import IntegrityError

# By the name of a unique constraint or index, what is told of it.
TAKEN = {
    "uq_books_isbn": "Another book has this ISBN.",
    "uq_users_email": "This email address is taken.",
}


def explain(error: IntegrityError, method: str) -> tuple[int, str, dict[str, Any]] | None:
    """Return the status, detail and further members of the problem; None where it is a bug."""
    violation = error.orig
    if isinstance(violation, errors.UniqueViolation):
        name = violation.diag.constraint_name or ""
        return 409, TAKEN.get(name, "Another one has the same values."), {}
    if isinstance(violation, errors.ForeignKeyViolation | errors.RestrictViolation):
        table, name = violation.diag.table_name, violation.diag.constraint_name or ""
        if method == "DELETE":
            return 409, f"It is in use by {table}.", {}
        prefix = f"fk_{table}_"  # by which app/models.py names them, with the column after it
        field = f"body.{name.removeprefix(prefix)}" if name.startswith(prefix) else "body"
        wrong = {"field": field, "message": "There is no such row."}
        return 422, "The request is not valid; see errors.", {"errors": [wrong]}
    return None
