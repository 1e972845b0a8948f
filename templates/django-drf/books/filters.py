"""Which books to list, and in which order."""

from django.db.models import Q, QuerySet
from drf_spectacular.utils import extend_schema_field

from books.models import Book
from core.filters import ChoiceFilter, DateFilter, FilterSet, TextFilter

ORDERINGS = [
    sign + field
    for field in ("title", "author", "publication_date", "created_at")
    for sign in ("", "-")
]


class BookFilter(FilterSet):
    """The list parameters of books."""

    author = TextFilter(lookup_expr="unicode_case__iexact")
    published_from = DateFilter("publication_date", "gte")
    published_to = DateFilter("publication_date", "lte")
    search = TextFilter(method="find")
    ordering = ChoiceFilter(
        method="order", choices=[(name, name) for name in ORDERINGS], initial="-created_at"
    )

    def find(self, books: QuerySet[Book], _: str, value: str) -> QuerySet[Book]:
        """Return the books with this text in their title or author, in whatever case."""
        return books.filter(
            Q(title__unicode_case__icontains=value) | Q(author__unicode_case__icontains=value)
        )

    @extend_schema_field({"type": "string", "enum": ORDERINGS, "default": "-created_at"})
    def order(self, books: QuerySet[Book], _: str, value: str) -> QuerySet[Book]:
        """Return the books in this order, ties by id."""
        return books.order_by(value, "id")
