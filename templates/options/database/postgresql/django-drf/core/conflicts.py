"""What the constraints of the database refuse, in the words of the API."""

from django.db import IntegrityError
from django.db.models import ProtectedError, RestrictedError
from psycopg.errors import ForeignKeyViolation, RestrictViolation, UniqueViolation
from rest_framework.exceptions import APIException, ValidationError

# What is told of a value that must be unique, by its constraint: `\d books_book` in psql.
TAKEN = {
    "accounts_user_email_key": "This email address is taken.",
    "books_book_isbn_key": "Another book has this ISBN.",
}


class Conflict(APIException):
    """What is to be unique is taken, or others refer to the row."""

    status_code = 409
    default_detail = "Another one has the same values."


def refusal(error: IntegrityError, method: str | None) -> APIException | None:
    """Return what to answer to a request of this method; None if the error is a bug of ours."""
    match error:
        case ProtectedError(protected_objects=rows) | RestrictedError(restricted_objects=rows):
            table = min(row._meta.db_table for row in rows)
            return Conflict(f"It is in use by {table}.")
    match error.__cause__:
        case UniqueViolation(diag=found):
            return Conflict(TAKEN.get(found.constraint_name or ""))
        case ForeignKeyViolation(diag=found) | RestrictViolation(diag=found) if method == "DELETE":
            return Conflict(f"It is in use by {found.table_name}.")
        case ForeignKeyViolation():
            return ValidationError("There is no such row.")
    return None
