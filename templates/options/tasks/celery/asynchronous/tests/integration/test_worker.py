"""A worker as it is deployed: a process of its own, on the real broker."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from typing import Any

import pytest
from httpx import AsyncClient
from sqlalchemy import text

from app.db import engine
from app.worker import celery
from tests.mail import Inbox, mail_server

# Nobody else is there to mingle with: it is ready a second earlier.
COMMAND = "--quiet --app app.worker worker --concurrency 1 --without-mingle --without-gossip"


class Worker:
    """A worker process that can be killed and started again."""

    def __init__(self, inbox: Inbox) -> None:
        self.inbox = inbox
        self.start()

    def start(self) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "celery", *COMMAND.split()],
            env={**os.environ, "SMTP_URL": self.inbox.url},
            start_new_session=True,  # a group of its own, to kill with its children
        )

    def kill(self) -> None:
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()


@pytest.fixture(scope="module")
async def worker(anyio_backend: str) -> AsyncIterator[Worker]:
    celery.control.purge()  # what other tests have asked for
    async with mail_server() as inbox:
        worker = Worker(inbox)
        yield worker
        worker.kill()


async def wait_until(
    status: str, client: AsyncClient, url: str, headers: dict[str, str]
) -> dict[str, Any]:
    """Return the report at this URL once it has this status."""
    async with asyncio.timeout(30):
        while True:
            report: dict[str, Any] = (await client.get(url, headers=headers)).json()
            if report["status"] == status:
                return report
            await asyncio.sleep(0.05)


async def test_a_report_is_computed(
    client: AsyncClient, auth_headers: dict[str, str], worker: Worker
) -> None:
    url = (await client.post("/api/v1/reports", headers=auth_headers)).headers["Location"]

    report = await wait_until("done", client, url, auth_headers)

    assert report["finished_at"] > report["created_at"]
    assert report["result"] == {"total_books": 0, "books_by_author": [], "books_by_decade": []}


async def test_a_new_user_is_welcomed_by_mail(client: AsyncClient, worker: Worker) -> None:
    account = {"email": "new@example.org", "password": "twelve or more"}
    await client.post("/api/v1/users", json=account)

    async with asyncio.timeout(30):
        mail = await worker.inbox.mails.get()

    assert mail.rcpt_tos == ["new@example.org"]


async def test_a_worker_killed_in_mid_report_loses_nothing(
    client: AsyncClient, auth_headers: dict[str, str], worker: Worker
) -> None:
    async with engine.begin() as connection:  # keeps the worker in mid-report
        await connection.execute(text("LOCK TABLE books IN ACCESS EXCLUSIVE MODE"))
        url = (await client.post("/api/v1/reports", headers=auth_headers)).headers["Location"]
        await wait_until("running", client, url, auth_headers)
        worker.kill()

    worker.start()

    await wait_until("done", client, url, auth_headers)
