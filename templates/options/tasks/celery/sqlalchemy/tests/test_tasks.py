"""What the worker does, in this process; `integration/` has a real worker."""

import asyncio
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from uuid import uuid4

import pytest
from aiosmtpd.smtp import Envelope
from sqlalchemy import create_engine, select, text
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session
from structlog.testing import capture_logs

from app import tasks
from app.models import RefreshToken, Report, ReportStatus, User
from app.settings import settings
from tests.factories import DATABASE_OUT_OF_REACH, new_book, new_user
from tests.mail import mail_server


class TestTasks:
    @pytest.fixture
    def session(self, database: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[Session]:
        """Give a session in the same transaction as the tasks', which is rolled back."""
        with tasks.engine.connect() as connection, Session(connection) as session:
            connection.begin()
            connection.begin_nested()  # from here on, a commit only ends a savepoint
            monkeypatch.setattr(tasks, "engine", connection)
            yield session

    @pytest.fixture
    def owner(self, session: Session) -> User:
        owner = new_user("owner@example.org")
        session.add(owner)
        session.commit()
        return owner

    @pytest.fixture
    def report(self, session: Session, owner: User) -> Report:
        report = Report(owner_id=owner.id)
        session.add(report)
        session.commit()
        return report

    def test_a_report_counts_the_catalogue(
        self, session: Session, owner: User, report: Report
    ) -> None:
        years = [1899, 1900, 1909, 1910]
        for year in years:
            session.add(new_book(owner, author="Busy", publication_date=date(year, 1, 1)))
        for letter in "kjihgfedcba":
            session.add(new_book(owner, author=letter, publication_date=date(1910, 1, 1)))
        session.commit()

        tasks.compute_report(report.id)

        session.refresh(report)
        assert report.status == ReportStatus.done
        assert report.finished_at is not None
        assert report.result == {
            "total_books": 15,
            "books_by_author": [
                {"author": "Busy", "count": 4},
                *({"author": letter, "count": 1} for letter in "abcdefghi"),
            ],
            "books_by_decade": [
                {"decade": 1890, "count": 1},
                {"decade": 1900, "count": 2},
                {"decade": 1910, "count": 12},
            ],
        }

    def test_a_finished_report_is_not_computed_again(
        self, session: Session, owner: User, report: Report
    ) -> None:
        tasks.compute_report(report.id)
        session.add(new_book(owner))
        session.commit()

        tasks.compute_report(report.id)

        session.refresh(report)
        assert report.result is not None
        assert report.result["total_books"] == 0

    def test_a_report_that_cannot_be_computed_has_failed(
        self, session: Session, report: Report
    ) -> None:
        session.execute(text("ALTER TABLE books RENAME TO tomes"))
        session.commit()

        with capture_logs() as logs:
            tasks.compute_report(report.id)

        session.refresh(report)
        assert (report.status, report.result) == (ReportStatus.failed, None)
        assert report.finished_at is not None
        assert "report failed" in {line["event"] for line in logs}

    def test_lost_reports_are_finished(self, session: Session, owner: User) -> None:
        lost = [
            Report(owner_id=owner.id, status=status)
            for status in (ReportStatus.pending, ReportStatus.running)
        ]
        session.add_all(lost)
        session.commit()

        tasks.finish_lost_reports()

        session.expire_all()
        assert {report.status for report in lost} == {ReportStatus.done}

    def test_only_expired_refresh_tokens_are_deleted(self, session: Session, owner: User) -> None:
        now = datetime.now(UTC)
        for expires_at in (now - timedelta(minutes=1), now + timedelta(minutes=1)):
            token = RefreshToken(id=uuid4(), jti=uuid4(), user_id=owner.id, expires_at=expires_at)
            session.add(token)
        session.commit()

        tasks.delete_expired_refresh_tokens()

        left = session.scalars(select(RefreshToken.expires_at)).all()
        assert left == [now + timedelta(minutes=1)]


def test_a_lost_database_is_not_a_failed_report(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tasks, "engine", create_engine(DATABASE_OUT_OF_REACH))

    with pytest.raises(OperationalError):
        tasks.compute_report(1)


class TestWelcomeMail:
    def test_it_is_sent(self, monkeypatch: pytest.MonkeyPatch) -> None:
        async def receive() -> Envelope:
            async with mail_server() as inbox:
                monkeypatch.setattr(settings, "smtp_url", inbox.url)
                await asyncio.to_thread(tasks.send_welcome_email, "new@example.org")
                return inbox.mails.get_nowait()

        mail = asyncio.run(receive())

        assert (mail.mail_from, mail.rcpt_tos) == (settings.mail_from, ["new@example.org"])
        assert b"Subject: Welcome" in (mail.original_content or b"")

    def test_a_server_that_cannot_is_told_in_the_log(self, monkeypatch: pytest.MonkeyPatch) -> None:
        async def send() -> None:
            async with mail_server() as inbox:  # without SMTPUTF8
                monkeypatch.setattr(settings, "smtp_url", inbox.url)
                await asyncio.to_thread(tasks.send_welcome_email, "zoé@example.org")

        with capture_logs() as logs:
            asyncio.run(send())

        assert logs[0]["event"].startswith("mail not sent")

    def test_without_a_server_it_is_only_logged(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(settings, "smtp_url", None)

        with capture_logs() as logs:
            tasks.send_welcome_email("new@example.org")

        assert logs[0]["event"].startswith("mail not sent")
        assert "new@example.org" not in str(logs)
