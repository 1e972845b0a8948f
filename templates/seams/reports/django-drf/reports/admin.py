"""Reports in the admin site, where they are read and not written."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from reports.models import Report


@admin.register(Report)
class ReportAdmin(admin.ModelAdmin):
    """Reports, found by their owner and how far they are."""

    list_display = ["id", "owner", "status", "created_at", "finished_at"]
    list_filter = ["status", "created_at"]
    list_select_related = ["owner"]
    search_fields = ["owner__email"]
    date_hierarchy = "created_at"

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Leave it to the API to ask for reports."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Leave it to the worker to write them."""
        return False
