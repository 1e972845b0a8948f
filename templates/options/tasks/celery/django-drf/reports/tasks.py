"""What the worker does about reports."""

from typing import Any

import structlog
from celery import shared_task, signals
from django.db import InterfaceError, OperationalError, transaction
from django.db.models import Count
from django.db.models.functions import ExtractYear, Floor
from django.utils import timezone

from books.models import Book
from reports.models import Report

UNFINISHED = [Report.Status.PENDING, Report.Status.RUNNING]

logger = structlog.get_logger()


@signals.worker_ready.connect
def _finish_what_was_left(**_: Any) -> None:
    finish_lost_reports.delay()


@shared_task(autoretry_for=(OperationalError, InterfaceError), retry_backoff=True, max_retries=None)
def compute_report(report_id: int) -> None:
    """Compute a report, unless it is done or another worker is at it."""
    unfinished = Report.objects.filter(pk=report_id, status__in=UNFINISHED)
    unfinished.update(status=Report.Status.RUNNING)
    with transaction.atomic():
        # The lock says that somebody is at it; it ends with the process that holds it.
        report = unfinished.select_for_update(skip_locked=True).first()
        if report is None:
            return
        try:
            with transaction.atomic():
                report.result = summarize()
            report.status = Report.Status.DONE
        except (OperationalError, InterfaceError):
            raise  # the database is out of reach: tried again later
        except Exception:
            logger.exception("report failed", report_id=report_id)
            report.status = Report.Status.FAILED
        report.finished_at = timezone.now()
        report.save()
    logger.info("report finished", report_id=report_id, status=report.status)


@shared_task
def finish_lost_reports() -> None:
    """Compute the reports whose message or worker was lost."""
    unfinished = Report.objects.filter(status__in=UNFINISHED).order_by("pk")
    with transaction.atomic():
        lost = list(unfinished.select_for_update(skip_locked=True).values_list("pk", flat=True))
    for report_id in lost:
        compute_report(report_id)


def summarize() -> dict[str, Any]:
    """Return the totals that a report shows."""
    decade = Floor(ExtractYear("publication_date") / 10.0) * 10
    authors = Book.objects.values("author").annotate(count=Count("id"))
    decades = Book.objects.values(decade=decade).annotate(count=Count("id"))
    return {
        "total_books": Book.objects.count(),
        "books_by_author": list(authors.order_by("-count", "author")[:10]),
        "books_by_decade": [
            {"decade": int(row["decade"]), "count": row["count"]}
            for row in decades.order_by("decade")
        ],
    }
