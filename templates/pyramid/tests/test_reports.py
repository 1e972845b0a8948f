"""Reports: who may ask for one, and what happens without a broker."""

import pytest
from kombu.pools import producers
from sqlalchemy import func, select
from sqlalchemy.orm import Session
from structlog.testing import capture_logs

from app.models import Report
from app.worker import celery
from tests.fixtures import Client

URL = "/api/v1/reports"
BROKER_OUT_OF_REACH = "redis://127.0.0.1:1/0"


@pytest.fixture
def tm(committed: None) -> None:
    """Give no transaction: a report is committed before the worker is asked for it."""


class TestEndpoints:
    def test_a_requested_report_is_pending(
        self, client: Client, auth_headers: dict[str, str]
    ) -> None:
        requested = client.post(URL, headers=auth_headers)

        assert requested.status_code == 202
        fields = {"id", "status", "created_at", "finished_at", "result"}
        assert requested.json.keys() == fields
        assert (
            requested.json.items()
            >= {
                "status": "pending",
                "finished_at": None,
                "result": None,
            }.items()
        )
        read = client.get(requested.headers["Location"], headers=auth_headers)
        assert read.json == requested.json

    def test_a_report_is_its_creators_alone(
        self,
        client: Client,
        auth_headers: dict[str, str],
        stranger_headers: dict[str, str],
    ) -> None:
        url = client.post(URL, headers=auth_headers).headers["Location"]

        assert client.get(url, headers=stranger_headers).status_code == 404

    def test_an_unknown_report_is_not_found(
        self, client: Client, auth_headers: dict[str, str]
    ) -> None:
        assert client.get(f"{URL}/1", headers=auth_headers).status_code == 404

    def test_reports_need_a_token(self, client: Client) -> None:
        assert client.post(URL).status_code == 401
        assert client.get(f"{URL}/1").status_code == 401


class TestBrokerOutOfReach:
    @pytest.fixture(autouse=True)
    def _broker_out_of_reach(self, monkeypatch: pytest.MonkeyPatch) -> None:
        pool = producers[celery.connection_for_write(BROKER_OUT_OF_REACH)]
        monkeypatch.setattr("celery.app.amqp.AMQP.producer_pool", pool)

    def test_a_report_is_refused_and_leaves_no_row(
        self, client: Client, auth_headers: dict[str, str], session: Session
    ) -> None:
        response = client.post(URL, headers=auth_headers)

        assert response.status_code == 503
        assert int(response.headers["Retry-After"]) > 0
        assert session.scalar(select(func.count()).select_from(Report)) == 0

    def test_a_registration_succeeds_with_a_log_line(self, client: Client) -> None:
        account = {"email": "new@example.org", "password": "twelve or more"}
        with capture_logs() as logs:
            response = client.post_json("/api/v1/users", account)

        assert response.status_code == 201
        assert [line for line in logs if line["event"].startswith("welcome mail lost")]
