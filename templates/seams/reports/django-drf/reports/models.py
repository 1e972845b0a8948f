"""The table of reports."""

from django.conf import settings
from django.db import models


class Report(models.Model):
    """A summary of the catalogue that the worker computes for its owner."""

    class Status(models.TextChoices):
        """How far a report is."""

        PENDING = "pending"
        RUNNING = "running"
        DONE = "done"
        FAILED = "failed"

    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="reports"
    )
    status = models.CharField(max_length=7, choices=Status, default=Status.PENDING)
    result = models.JSONField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return f"Report {self.pk}"
