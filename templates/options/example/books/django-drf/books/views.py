"""The catalogue."""

from drf_spectacular.utils import extend_schema, extend_schema_view

from books.filters import BookFilter
from books.models import Book
from books.serializers import BookSerializer
from core.viewsets import ModelViewSet


@extend_schema_view(
    list=extend_schema("list_books", summary="List books, a page at a time"),
    retrieve=extend_schema(
        "read_book", summary="Show a book, or say that the client's copy of it is current"
    ),
    create=extend_schema("create_book", summary="Add a book; whoever adds it may change it"),
    update=extend_schema("replace_book", summary="Replace a book"),
    partial_update=extend_schema("change_book", summary="Change some fields of a book"),
    destroy=extend_schema("delete_book", summary="Delete a book"),
)
@extend_schema(tags=["books"])
class BookViewSet(ModelViewSet):
    """Books: everybody may read them, and their creator may change them."""

    queryset = Book.objects.order_by("-created_at", "id")
    serializer_class = BookSerializer
    filterset_class = BookFilter
