"""The bodies of requests and responses about books."""

from drf_spectacular.utils import extend_schema_field

from books.models import ISBN_VALIDATORS, Book
from core.serializers import ModelSerializer, TextField


@extend_schema_field({"type": "string", "format": "isbn", "pattern": "^[0-9]{13}$"})
class ISBNField(TextField):
    """An ISBN-13; nobody is asked whether it is taken, as the table alone can tell."""


class BookSerializer(ModelSerializer):
    """A book as the API shows and takes one."""

    isbn = ISBNField(
        allow_null=True, default=None, trim_whitespace=False, validators=ISBN_VALIDATORS
    )

    class Meta:
        model = Book
        fields = [
            "id",
            "title",
            "author",
            "publication_date",
            "isbn",
            "created_at",
            "updated_at",
        ]
