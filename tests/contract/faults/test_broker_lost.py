"""The broker is lost: a report has to wait, a mail may go, a registration may not."""

import secrets
import time

import httpx
import pytest

from ..client import PASSWORD, REPORTS, USERS, login
from ..processes import until
from ..service import Service
from .outages import EVENTUALLY, HOW, ask, create, done, killed, lost, status, unavailable


@pytest.mark.usefixtures("with_tasks")
@HOW
def test_a_report_without_the_broker_is_503(service: Service, user: httpx.Client, how: str) -> None:
    """`POST` while the broker is down is 503, and leaves no row that is pending for ever."""
    with lost(service.broker, how):
        started = time.monotonic()
        unavailable(user.post(REPORTS))
        assert time.monotonic() - started < 10
    until(
        lambda: not any("pending" in row for row in service.rows("report")),
        within=EVENTUALLY,
        failing="a report is pending for ever",
    )


@pytest.mark.usefixtures("with_tasks")
@HOW
def test_without_the_broker_a_user_is_registered_all_the_same(
    service: Service, anonymous: httpx.Client, how: str
) -> None:
    """A broker out of reach costs the mail, with a log line, never the registration."""
    request_id = secrets.token_hex(8)
    account = {"email": f"{secrets.token_hex(8)}@example.org", "password": PASSWORD}

    def told() -> bool:
        lines = [e for e in service.web.events() if e.get("request_id") == request_id]
        return any(e["level"] in {"warning", "error"} for e in lines if "status" not in e)

    with lost(service.broker, how):
        started = time.monotonic()
        response = anonymous.post(USERS, json=account, headers={"X-Request-ID": request_id})
        assert response.status_code == 201
        assert time.monotonic() - started < 10
        until(told, within=20, failing="there is no line about the lost mail")
    login(anonymous, {"username": account["email"], "password": PASSWORD})


@pytest.mark.usefixtures("with_tasks")
def test_a_broker_that_is_back_is_used_again(service: Service, user: httpx.Client) -> None:
    """Once the broker is back reports are taken and computed again, without a restart."""
    with killed(service.broker):
        unavailable(user.post(REPORTS))
    done(user, ask(user))


@pytest.mark.usefixtures("with_tasks")
def test_without_the_broker_the_rest_is_served(service: Service, user: httpx.Client) -> None:
    """Only what needs the broker fails without it."""
    with killed(service.broker):
        assert user.get("/readyz").json()["status"] == "ok"
        assert user.get(create(user)).status_code == 200


@pytest.mark.usefixtures("with_tasks")
def test_a_queued_report_survives_a_broker_that_forgets(
    service: Service, user: httpx.Client
) -> None:
    """Rows live in the database, so a report survives a lost broker."""
    service.worker.stop()
    path = ask(user)
    service.broker.kill()
    service.broker.start()
    assert status(user, path) == "pending"
    service.worker.start()
    done(user, path)
