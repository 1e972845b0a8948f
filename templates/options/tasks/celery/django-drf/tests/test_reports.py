"""Reports and the other tasks, run in this process; `integration/` has a real worker."""

from datetime import date, timedelta

import pytest
from django.core.mail import EmailMessage
from django.db import OperationalError, connection
from django.test import Client
from django.utils import timezone
from kombu.pools import producers
from pytest_django import Settings
from rest_framework.test import APIClient
from structlog.testing import capture_logs

from accounts.models import RefreshToken, User
from accounts.tasks import delete_expired_refresh_tokens, send_welcome_email
from config.worker import celery
from reports.models import Report
from reports.tasks import compute_report, finish_lost_reports
from tests.factories import new_book, new_user

URL = "/api/v1/reports"
ADMIN = "/admin/reports/report/"
BROKER_OUT_OF_REACH = "redis://127.0.0.1:1/0"


class TestEndpoints:
    def test_a_requested_report_is_pending(
        self, client: APIClient, auth_headers: dict[str, str]
    ) -> None:
        requested = client.post(URL, headers=auth_headers)

        assert requested.status_code == 202
        fields = {"id", "status", "created_at", "finished_at", "result"}
        assert requested.json().keys() == fields
        assert (
            requested.json().items()
            >= {
                "status": "pending",
                "finished_at": None,
                "result": None,
            }.items()
        )
        read = client.get(requested.headers["Location"], headers=auth_headers)
        assert read.json() == requested.json()

    def test_a_report_is_its_creators_alone(
        self,
        client: APIClient,
        auth_headers: dict[str, str],
        stranger_headers: dict[str, str],
    ) -> None:
        url = client.post(URL, headers=auth_headers).headers["Location"]

        assert client.get(url, headers=stranger_headers).status_code == 404

    def test_an_unknown_report_is_not_found(
        self, client: APIClient, auth_headers: dict[str, str]
    ) -> None:
        assert client.get(f"{URL}/1", headers=auth_headers).status_code == 404

    def test_of_a_user_ten_reports_may_be_unfinished(
        self, client: APIClient, auth_headers: dict[str, str], user: User
    ) -> None:
        Report.objects.bulk_create(Report(owner=user) for _ in range(10))

        refused = client.post(URL, headers=auth_headers)

        assert refused.status_code == 429
        assert int(refused.headers["Retry-After"]) > 0
        Report.objects.update(status=Report.Status.FAILED)
        assert client.post(URL, headers=auth_headers).status_code == 202

    def test_reports_need_a_token(self, client: APIClient) -> None:
        assert client.post(URL).status_code == 401
        assert client.get(f"{URL}/1").status_code == 401


@pytest.mark.django_db(transaction=True)  # a message is sent once its row is committed
class TestBrokerOutOfReach:
    @pytest.fixture(autouse=True)
    def _broker_out_of_reach(self, monkeypatch: pytest.MonkeyPatch) -> None:
        pool = producers[celery.connection_for_write(BROKER_OUT_OF_REACH)]
        monkeypatch.setattr("celery.app.amqp.AMQP.producer_pool", pool)

    def test_a_report_is_refused_and_leaves_no_row(
        self, client: APIClient, auth_headers: dict[str, str]
    ) -> None:
        response = client.post(URL, headers=auth_headers)

        assert response.status_code == 503
        assert int(response.headers["Retry-After"]) > 0
        assert not Report.objects.exists()

    def test_a_registration_succeeds_with_a_log_line(self, client: APIClient) -> None:
        account = {"email": "new@example.org", "password": "twelve or more"}
        with capture_logs() as logs:
            response = client.post("/api/v1/users", account)

        assert response.status_code == 201
        assert [line for line in logs if line["event"].startswith("welcome mail lost")]


class TestTasks:
    @pytest.fixture
    def owner(self, db: None) -> User:
        return new_user("owner@example.org")

    @pytest.fixture
    def report(self, owner: User) -> Report:
        return Report.objects.create(owner=owner)

    def test_a_report_counts_the_catalogue(self, owner: User, report: Report) -> None:
        years = [1899, 1900, 1909, 1910]
        for year in years:
            new_book(owner, author="Busy", publication_date=date(year, 1, 1))
        for letter in "kjihgfedcba":
            new_book(owner, author=letter, publication_date=date(1910, 1, 1))

        compute_report(report.pk)

        report.refresh_from_db()
        assert report.status == Report.Status.DONE
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

    def test_a_finished_report_is_not_computed_again(self, owner: User, report: Report) -> None:
        compute_report(report.pk)
        new_book(owner)

        compute_report(report.pk)

        report.refresh_from_db()
        assert report.result is not None
        assert report.result["total_books"] == 0

    def test_a_report_that_cannot_be_computed_has_failed(self, report: Report) -> None:
        with connection.cursor() as cursor:
            cursor.execute("ALTER TABLE books_book RENAME TO tomes")

        with capture_logs() as logs:
            compute_report(report.pk)

        report.refresh_from_db()
        assert (report.status, report.result) == (Report.Status.FAILED, None)
        assert report.finished_at is not None
        assert "report failed" in {line["event"] for line in logs}

    def test_lost_reports_are_finished(self, owner: User) -> None:
        for status in (Report.Status.PENDING, Report.Status.RUNNING):
            Report.objects.create(owner=owner, status=status)

        finish_lost_reports()

        assert {report.status for report in Report.objects.all()} == {Report.Status.DONE}

    def test_only_expired_refresh_tokens_are_deleted(self, owner: User) -> None:
        now = timezone.now()
        for expires_at in (now - timedelta(minutes=1), now + timedelta(minutes=1)):
            RefreshToken.objects.create(user=owner, expires_at=expires_at)

        delete_expired_refresh_tokens()

        assert RefreshToken.objects.get().expires_at == now + timedelta(minutes=1)


def test_a_lost_database_is_not_a_failed_report(database_out_of_reach: None) -> None:
    with pytest.raises(OperationalError):
        compute_report(1)


class TestWelcomeMail:
    def test_it_is_sent(self, settings: Settings, mailoutbox: list[EmailMessage]) -> None:
        settings.EMAIL_HOST = "mail.example"

        send_welcome_email("new@example.org")

        (mail,) = mailoutbox
        assert (mail.from_email, mail.to) == (settings.DEFAULT_FROM_EMAIL, ["new@example.org"])
        assert mail.subject == "Welcome"

    def test_an_address_beyond_ascii_is_told_in_the_log(
        self, settings: Settings, mailoutbox: list[EmailMessage]
    ) -> None:
        settings.EMAIL_HOST = "mail.example"

        with capture_logs() as logs:
            send_welcome_email("zoé@example.org")

        assert mailoutbox == []
        assert logs[0]["event"].startswith("mail not sent")

    def test_without_a_server_it_is_only_logged(
        self, settings: Settings, mailoutbox: list[EmailMessage]
    ) -> None:
        settings.EMAIL_HOST = ""

        with capture_logs() as logs:
            send_welcome_email("new@example.org")

        assert mailoutbox == []
        assert logs[0]["event"].startswith("mail not sent")
        assert "new@example.org" not in str(logs)


class TestAdmin:
    @pytest.fixture
    def report(self, user: User) -> Report:
        return Report.objects.create(owner=user)

    @pytest.mark.parametrize("parameters", [{"q": "reader@"}, {"status__exact": "pending"}])
    def test_a_report_is_found(
        self, admin_client: Client, report: Report, parameters: dict[str, str]
    ) -> None:
        response = admin_client.get(ADMIN, parameters)

        assert f"{ADMIN}{report.pk}/change/" in response.text

    @pytest.mark.parametrize("parameters", [{"q": "writer@"}, {"status__exact": "done"}])
    def test_no_other_report_is_found(
        self, admin_client: Client, report: Report, parameters: dict[str, str]
    ) -> None:
        response = admin_client.get(ADMIN, parameters)

        assert "0 reports" in response.text

    def test_a_report_can_be_read_and_not_changed(
        self, admin_client: Client, report: Report
    ) -> None:
        url = f"{ADMIN}{report.pk}/change/"

        assert admin_client.get(url).status_code == 200
        assert admin_client.post(url, {"status": "done"}).status_code == 403

    def test_a_report_cannot_be_added(self, admin_client: Client, user: User) -> None:
        response = admin_client.post(f"{ADMIN}add/", {"owner": user.pk, "status": "pending"})

        assert response.status_code == 403
