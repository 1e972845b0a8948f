"""The bodies of requests and responses about books."""

from books.models import ISBN_VALIDATORS, Book
from core.serializers import ModelSerializer


class BookSerializer(ModelSerializer):
    """A book as the API shows and takes one."""

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
        extra_kwargs = {
            # Without the validator that asks whether it is taken: the table alone can tell.
            "isbn": {
                "allow_blank": False,
                "default": None,
                "trim_whitespace": False,
                "validators": ISBN_VALIDATORS,
            },
        }
