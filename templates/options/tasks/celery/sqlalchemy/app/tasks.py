"""What the worker does. Its database access is synchronous, as Celery's processes are."""

import smtplib
import ssl
from datetime import UTC, datetime
from email.message import EmailMessage
from functools import partial
from typing import Any
from urllib.parse import unquote, urlsplit

import structlog
from celery import signals
from kombu.exceptions import OperationalError
from sqlalchemy import NullPool, create_engine, delete, func, select, update
from sqlalchemy.exc import OperationalError as DatabaseError
from sqlalchemy.orm import Session

from app.models import UNFINISHED, Book, RefreshToken, Report, ReportStatus
from app.postgresql import connect
from app.settings import settings
from app.worker import celery

STATEMENT = 60  # seconds that one may take, as a report reads whole tables

# Each task has a connection of its own: none that was lost in the meantime, or before a fork.
engine = create_engine("postgresql://", creator=partial(connect, STATEMENT), poolclass=NullPool)
logger = structlog.get_logger()


@signals.worker_ready.connect
def _finish_what_was_left(**_: Any) -> None:
    finish_lost_reports.delay()


@celery.task(autoretry_for=(DatabaseError,), retry_backoff=True, max_retries=None)
def compute_report(report_id: int) -> None:
    """Compute a report, unless it is done or another worker is at it."""
    with Session(engine) as session:
        unfinished = Report.status.in_(UNFINISHED)
        session.execute(
            update(Report)
            .where(Report.id == report_id, unfinished)
            .values(status=ReportStatus.running)
        )
        session.commit()
        # The lock says that somebody is at it; it ends with the process that holds it.
        report = session.scalar(
            select(Report)
            .where(Report.id == report_id, unfinished)
            .with_for_update(skip_locked=True)
        )
        if report is None:
            return
        try:
            with session.begin_nested():
                report.result = summarize(session)
            report.status = ReportStatus.done
        except DatabaseError:
            raise  # the database is out of reach: tried again later
        except Exception:
            logger.exception("report failed", report_id=report_id)
            report.status = ReportStatus.failed
        report.finished_at = datetime.now(UTC)
        session.commit()
        logger.info("report finished", report_id=report_id, status=report.status)


@celery.task
def finish_lost_reports() -> None:
    """Compute the reports whose message or worker was lost."""
    with Session(engine) as session:
        lost = session.scalars(
            select(Report.id)
            .where(Report.status.in_(UNFINISHED))
            .order_by(Report.id)
            .with_for_update(skip_locked=True)
        ).all()
    for report_id in lost:
        compute_report(report_id)


@celery.task(autoretry_for=(DatabaseError,), retry_backoff=True)
def delete_expired_refresh_tokens() -> None:
    """Forget the refresh tokens that are past their time."""
    with Session(engine) as session:
        session.execute(delete(RefreshToken).where(RefreshToken.expires_at < func.now()))
        session.commit()


@celery.task(autoretry_for=(OSError, smtplib.SMTPException), retry_backoff=True)
def send_welcome_email(address: str) -> None:
    """Greet a new user; without `SMTP_URL` the mail is only logged."""
    message = EmailMessage()
    message["From"] = settings.mail_from
    message["To"] = address
    message["Subject"] = "Welcome"
    message.set_content("Your account is ready.\n")
    if settings.smtp_url is None:
        logger.info("mail not sent, as SMTP_URL is not set", subject="Welcome")
        return
    url = urlsplit(settings.smtp_url)
    with smtplib.SMTP(url.hostname or "", url.port or 587, timeout=10) as server:
        if url.username:
            server.starttls(context=ssl.create_default_context())
            server.login(unquote(url.username), unquote(url.password or ""))
        try:
            server.send_message(message)
        except smtplib.SMTPNotSupportedError:
            logger.warning("mail not sent: the server takes no such address", subject="Welcome")
            return
    logger.info("mail sent", subject="Welcome")


def enqueue_welcome_email(address: str) -> None:
    """Ask the worker for the mail; a broker out of reach costs the mail, with a log line."""
    try:
        send_welcome_email.delay(address)
    except OperationalError as error:
        logger.warning("welcome mail lost: the broker is out of reach", error=str(error))


def summarize(session: Session) -> dict[str, Any]:
    """Return the totals that a report shows."""
    count = func.count().label("count")
    decade = (func.floor(func.extract("year", Book.publication_date) / 10) * 10).label("decade")
    authors = select(Book.author, count).group_by(Book.author)
    decades = select(decade, count).group_by(decade).order_by(decade)
    return {
        "total_books": session.scalar(select(func.count()).select_from(Book)),
        "books_by_author": [
            {"author": row.author, "count": row[1]}
            for row in session.execute(authors.order_by(count.desc(), Book.author).limit(10))
        ],
        "books_by_decade": [
            {"decade": int(row.decade), "count": row[1]} for row in session.execute(decades)
        ],
    }
