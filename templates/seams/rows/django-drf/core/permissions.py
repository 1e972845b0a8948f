"""Who may do what with a row."""

from typing import Any

from rest_framework.permissions import BasePermission
from rest_framework.request import Request


class IsCreator(BasePermission):
    """Only its creator may change a row."""

    def has_object_permission(self, request: Request, view: Any, obj: Any) -> bool:
        """Tell whether the user has created the row."""
        self.message = f"Only its creator may change a {obj._meta.verbose_name}."
        return bool(obj.creator_id == request.user.pk)
