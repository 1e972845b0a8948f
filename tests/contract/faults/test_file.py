"""A database that is a file: it is in use, or not there, and then it is served again."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import httpx
import pytest

from ..client import BOOKS, book, connect, token_of
from ..processes import until
from ..service import Service
from .outages import ask, create, done, status, unavailable, unread

pytestmark = pytest.mark.database("sqlite")


def test_while_another_writes_for_long_a_write_is_503_and_reads_go_on(
    service: Service, user: httpx.Client
) -> None:
    """Who cannot write for 5 seconds is 503 with `Retry-After`; then writes are served again."""
    path = create(user)
    with service.database.written(), ThreadPoolExecutor(1) as pool:
        write = pool.submit(user.post, BOOKS, json=book(), timeout=30)
        with connect(service.base_url) as reader:
            assert reader.get(path).status_code == 200
            assert reader.get(unread()).status_code == 200
            assert reader.get("/readyz").json()["checks"]["database"] == "ok"
        unavailable(write.result())
    create(user)


def test_a_file_that_is_not_there_is_503_until_it_is(service: Service, user: httpx.Client) -> None:
    """503 with `Retry-After`, `/readyz` too; no empty file is made, and none is waited for."""
    url = service.database.create_database("later")
    with ExitStack() as stack:
        _, base_url = stack.enter_context(service.another_web(DATABASE_URL=url))
        client = stack.enter_context(connect(base_url, token_of(user)))
        for response in (client.get(unread()), client.post(BOOKS, json=book())):
            unavailable(response)
        ready = client.get("/readyz")
        assert (ready.status_code, ready.json()["checks"]["database"]) == (503, "error")
        assert client.get("/healthz").status_code == 200
        release = service.process("release", "release-later", DATABASE_URL=url)
        release.start()
        assert release.wait(60) == 0, release.output()
        assert client.get(unread()).status_code == 200
        assert client.get("/readyz").status_code == 200


@pytest.mark.usefixtures("with_tasks")
def test_a_report_waits_until_it_can_be_written(service: Service, user: httpx.Client) -> None:
    """A worker that cannot write what it has counted does so once it can; nothing is lost."""
    with service.database.counted_slowly("book"):
        path = ask(user)
        until(lambda: status(user, path) == "running", within=20, failing="the report never runs")
        with service.database.written():
            assert status(user, path) == "running"
    done(user, path)
