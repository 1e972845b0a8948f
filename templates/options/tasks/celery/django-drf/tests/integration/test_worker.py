"""A worker as it is deployed: a process of its own, on the real broker."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from threading import Thread
from typing import Any
from urllib.parse import urlsplit

import psycopg
import pytest
from django.db import connection
from rest_framework.test import APIClient

from config.worker import celery
from tests.mail import Inbox, mail_server

# Nobody else is there to mingle with: it is ready a second earlier.
COMMAND = "--quiet --app config.worker worker --concurrency 1 --without-mingle --without-gossip"


class Worker:
    """A worker process that can be killed and started again."""

    def __init__(self, database_url: str, inbox: Inbox) -> None:
        self.database_url = database_url
        self.inbox = inbox
        self.start()

    def start(self) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "celery", *COMMAND.split()],
            env={**os.environ, "DATABASE_URL": self.database_url, "SMTP_URL": self.inbox.url},
            start_new_session=True,  # a group of its own, to kill with its children
        )

    def kill(self) -> None:
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()


@pytest.fixture(scope="module")
def database_url(django_db_setup: None) -> str:
    """Give the URL of the database that pytest-django has made."""
    url = urlsplit(os.environ["DATABASE_URL"])
    return url._replace(path=f"/{connection.settings_dict['NAME']}").geturl()


@pytest.fixture(scope="module")
def loop() -> Iterator[asyncio.AbstractEventLoop]:
    """Give an event loop that runs beside the tests."""
    loop = asyncio.new_event_loop()
    thread = Thread(target=loop.run_forever)
    thread.start()
    yield loop
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
    loop.close()


@pytest.fixture(scope="module")
def worker(database_url: str, loop: asyncio.AbstractEventLoop) -> Iterator[Worker]:
    celery.control.purge()  # what other tests have asked for
    server = mail_server()
    inbox = asyncio.run_coroutine_threadsafe(server.__aenter__(), loop).result()
    worker = Worker(database_url, inbox)
    yield worker
    worker.kill()
    asyncio.run_coroutine_threadsafe(server.__aexit__(None, None, None), loop).result()


def wait_until(status: str, client: APIClient, url: str, headers: dict[str, str]) -> dict[str, Any]:
    """Return the report at this URL once it has this status."""
    end = time.monotonic() + 30
    while True:
        report: dict[str, Any] = client.get(url, headers=headers).json()
        if report["status"] == status:
            return report
        assert time.monotonic() < end, report
        time.sleep(0.05)


def test_a_report_is_computed(
    client: APIClient, auth_headers: dict[str, str], worker: Worker
) -> None:
    url = client.post("/api/v1/reports", headers=auth_headers).headers["Location"]

    report = wait_until("done", client, url, auth_headers)

    assert report["finished_at"] > report["created_at"]
    assert report["result"] == {"total_books": 0, "books_by_author": [], "books_by_decade": []}


def test_a_new_user_is_welcomed_by_mail(
    client: APIClient, worker: Worker, loop: asyncio.AbstractEventLoop
) -> None:
    account = {"email": "new@example.org", "password": "twelve or more"}
    client.post("/api/v1/users", account)

    mail = asyncio.run_coroutine_threadsafe(worker.inbox.mails.get(), loop).result(timeout=30)

    assert mail.rcpt_tos == ["new@example.org"]


def test_a_worker_killed_in_mid_report_loses_nothing(
    client: APIClient, auth_headers: dict[str, str], worker: Worker
) -> None:
    with psycopg.connect(worker.database_url) as other:  # keeps the worker in mid-report
        other.execute("LOCK TABLE books_book IN ACCESS EXCLUSIVE MODE")
        url = client.post("/api/v1/reports", headers=auth_headers).headers["Location"]
        wait_until("running", client, url, auth_headers)
        worker.kill()

    worker.start()

    wait_until("done", client, url, auth_headers)
