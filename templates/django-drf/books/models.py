"""The table of books."""

from collections.abc import Callable

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator
from django.db import models
from django.db.models.functions import Upper

from core.lookups import UnicodeCase
from core.models import Resource


def validate_check_digit(isbn: str) -> None:
    """Check the last digit of an ISBN-13 (ISO 2108): weights 1 and 3 alternate, modulo 10."""
    digits = [int(digit) for digit in isbn if "0" <= digit <= "9"]
    if (sum(digits[::2]) + 3 * sum(digits[1::2])) % 10:
        raise ValidationError("Must end in the right check digit.")


ISBN_VALIDATORS: list[Callable[[str], None]] = [
    RegexValidator(r"^[0-9]{13}\Z", "Must be 13 digits."),
    validate_check_digit,
]


class Book(Resource):
    """A book of the catalogue; only its creator may change it."""

    title = models.CharField(max_length=200)
    author = models.CharField(max_length=200)
    publication_date = models.DateField()
    isbn = models.CharField(
        "ISBN",
        max_length=13,
        unique=True,
        null=True,
        blank=True,
        validators=ISBN_VALIDATORS,
    )
    creator = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="books"
    )

    class Meta:
        indexes = [
            models.Index(fields=["-created_at", "id"], name="books_book_newest_first"),
            models.Index(Upper(UnicodeCase("author")), name="books_book_author_caseless"),
        ]

    def __str__(self) -> str:
        return self.title
