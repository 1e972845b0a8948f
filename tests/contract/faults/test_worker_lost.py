"""The worker and beat: what they were at is done in the end, and what they owe is sent."""

import json
import os
from datetime import timedelta

import httpx
import pytest

from ..client import login, refresh, register
from ..processes import IN_ORDER, until
from ..service import Service
from .outages import EVENTUALLY, ask, done, status


@pytest.mark.usefixtures("with_tasks")
def test_a_report_and_a_welcome_mail_wait_for_a_worker(
    service: Service, anonymous: httpx.Client, user: httpx.Client
) -> None:
    """What is asked for while no worker is there is done once one is.

    The welcome mail is sent from the worker: without one it waits, and nobody else sends it.
    """
    service.worker.stop()
    path = ask(user)
    email = register(anonymous)["username"]
    assert service.mailbox.to(email) == []
    service.worker.start()
    done(user, path)
    until(lambda: service.mailbox.to(email), within=30, failing="there is no mail")


@pytest.mark.usefixtures("with_tasks")
def test_a_worker_killed_in_mid_report_loses_nothing(service: Service, user: httpx.Client) -> None:
    """A worker killed with SIGKILL in mid-report: it is computed once another one is there."""
    with service.database.counted_slowly("book"):
        path = ask(user)
        until(lambda: status(user, path) == "running", within=20, failing="the report never runs")
        service.worker.kill()
        assert status(user, path) == "running"
    service.worker.start()
    done(user, path)


@pytest.mark.usefixtures("with_tasks")
def test_only_the_process_in_mid_report_killed_loses_nothing(
    service: Service, user: httpx.Client
) -> None:
    """Where a part of the worker is killed with SIGKILL, the rest of it finishes the report."""
    with service.database.counted_slowly("book"):
        path = ask(user)
        until(lambda: status(user, path) == "running", within=20, failing="the report never runs")
        for child in service.worker.tree()[1:]:
            child.kill()
    done(user, path)


@pytest.mark.usefixtures("with_tasks")
def test_a_worker_finishes_what_it_does_before_it_ends(
    service: Service, user: httpx.Client
) -> None:
    """On SIGTERM the worker ends within 30 s, with 0 or by that signal; the report is done."""
    with service.database.counted_slowly("book"):
        path = ask(user)
        until(lambda: status(user, path) == "running", within=20, failing="the report never runs")
        service.worker.terminate()
    assert service.worker.wait(30) in IN_ORDER
    service.worker.start()
    done(user, path)


@pytest.mark.usefixtures("with_tasks")
def test_a_report_that_cannot_be_computed_is_failed(service: Service, user: httpx.Client) -> None:
    """A report whose computation fails is `failed`, with no result, and others are done later.

    What fails it is a column that the worker expects and the table has no longer.
    """
    with service.renamed("book", "publication_date", "published_once"):
        path = ask(user)
        until(
            lambda: status(user, path) == "failed",
            within=EVENTUALLY,
            failing="the report does not fail",
        )
    report = user.get(path).json()
    assert report["result"] is None
    done(user, ask(user))


@pytest.mark.usefixtures("with_tasks")
def test_beat_ends_on_sigterm(service: Service) -> None:
    """On SIGTERM beat ends within 30 s, with 0 or by that signal."""
    service.beat.terminate()
    assert service.beat.wait(30) in IN_ORDER


# What beat's schedule is, is Celery's to say: each entry's task and its period in seconds.
SCHEDULE = """
import json, sys
from celery.app.utils import find_app
from celery.schedules import crontab, maybe_schedule
app = find_app(sys.argv[1])
app.finalize()
def period(schedule):
    if isinstance(schedule, crontab):
        return 86400 / (len(schedule.hour) * len(schedule.minute))
    return schedule.seconds
entries = app.conf.beat_schedule.values()
print(json.dumps([[e["task"], period(maybe_schedule(e["schedule"]))] for e in entries]))
"""


def scheduled(service: Service, period: float) -> list[str]:
    """Return the tasks that beat sends each so many seconds."""
    [application] = [word for word in service.celery if "." in word]
    printed = service.run(["python", "-c", SCHEDULE, application])
    return [task for task, seconds in json.loads(printed.splitlines()[-1]) if seconds == period]


@pytest.mark.usefixtures("with_tasks")
def test_tasks_for_later_keep_no_other_waiting(service: Service, user: httpx.Client) -> None:
    """As those that have failed, and are tried again: no worker waits for them."""
    [hourly] = scheduled(service, 3600)
    for _ in range(2 * (os.cpu_count() or 1)):
        service.run([*service.celery, "call", hourly, "--countdown", "60"])
    path = ask(user)
    until(lambda: status(user, path) == "done", within=20, failing="the worker waits")


@pytest.mark.usefixtures("with_tasks")
def test_what_beat_does_hourly_deletes_expired_refresh_tokens(
    service: Service, anonymous: httpx.Client
) -> None:
    """Celery beat deletes refresh tokens past their time, hourly; the others stay."""
    hourly = scheduled(service, 3600)
    assert hourly
    credentials = register(anonymous)
    login(anonymous, credentials)
    service.database.age_tokens(timedelta(days=7, minutes=5))
    expired = {*service.rows("token")}
    kept = login(anonymous, credentials)["refresh_token"]
    for task in hourly:
        service.run([*service.celery, "call", task])
    until(
        lambda: not expired & {*service.rows("token")},
        within=15,
        failing="expired refresh tokens stay",
    )
    assert refresh(anonymous, kept).status_code == 200
