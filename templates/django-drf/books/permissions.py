"""Who may do what with a book."""

from typing import Any

from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from books.models import Book


class IsCreator(BasePermission):
    """Only its creator may change a book."""

    message = "Only its creator may change a book."

    def has_object_permission(self, request: Request, view: Any, obj: Book) -> bool:
        """Tell whether the user has created the book."""
        return obj.creator_id == request.user.pk
