"""The broker can be read but not written: what has to be queued waits, and nothing ends."""

import secrets
import time
from contextlib import ExitStack

import httpx
import pytest

from ..client import PASSWORD, REPORTS, USERS
from ..processes import until
from ..service import Service
from .outages import EVENTUALLY, ask, done, unavailable


@pytest.mark.usefixtures("with_tasks")
def test_a_report_while_the_broker_refuses_is_503(
    service: Service, user: httpx.Client, refusal: str
) -> None:
    """`POST` while nothing can be queued is 503, and leaves no row that is pending for ever.

    A registration costs it no more than the mail.
    """
    account = {"email": f"{secrets.token_hex(8)}@example.org", "password": PASSWORD}
    with service.broker.refusing(refusal):
        unavailable(user.post(REPORTS))
        assert user.post(USERS, json=account).status_code == 201
        assert user.get("/readyz").json()["status"] == "ok"
    until(
        lambda: not any("pending" in row for row in service.rows("report")),
        within=EVENTUALLY,
        failing="a report is pending for ever",
    )


@pytest.mark.usefixtures("with_tasks")
def test_worker_and_beat_outlive_a_broker_that_refuses(
    service: Service, user: httpx.Client, refusal: str
) -> None:
    """A broker that takes no writes ends no process; once it does reports are computed again.

    It begins to refuse while a report is under way, whose message is still to be acknowledged.
    """
    worker, beat = service.worker, service.beat
    assert worker
    assert beat
    before = [worker.tree()[0], beat.tree()[0]]
    with ExitStack() as stack:
        with service.database.counted_slowly("book"):
            path = ask(user)
            until(service.waiting, within=20, failing="the report is not begun")
            stack.enter_context(service.broker.refusing(refusal))
        time.sleep(5)
        assert worker.running, worker.output()
        assert beat.running, beat.output()
    for report in (path, ask(user)):
        done(user, report)
    assert [worker.tree()[0], beat.tree()[0]] == before
