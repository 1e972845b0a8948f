"""The database takes no writes: its server is not the primary any more, or was told not to."""

import re
import secrets
from typing import Any

import httpx
import pytest

from ..client import BOOKS, PASSWORD, REPORTS, TOKEN, USERS, bearer, book, token_of
from ..processes import until
from ..service import Service
from .outages import ask, create, done, status, unavailable, unread

DEMOTED = pytest.mark.parametrize("demoted", ["read_only_sessions", "read_only"])


def writes(service: Service, path: str) -> list[tuple[str, str, dict[str, Any]]]:
    """Return one request for each way in which the service writes."""
    account = {"email": f"{secrets.token_hex(8)}@example.org", "password": PASSWORD}
    found: list[tuple[str, str, dict[str, Any]]] = [
        ("POST", BOOKS, {"json": book()}),
        ("PATCH", path, {"json": {"title": "Kindred"}}),
        ("PUT", path, {"json": book()}),
        ("DELETE", path, {}),
        ("POST", USERS, {"json": account}),
    ]
    return [*found, ("POST", REPORTS, {})] if service.has_tasks else found


@DEMOTED
def test_a_write_without_a_primary_is_503(
    service: Service, anonymous: httpx.Client, user: httpx.Client, demoted: str
) -> None:
    """A write is 503 with `Retry-After`, and reads go on; the first write after it is served.

    Nobody keeps a session that could not write: the one after it may be of a server that can.
    """
    path, token = create(user), token_of(user)
    credentials = {"username": f"{secrets.token_hex(8)}@example.org", "password": PASSWORD}
    anonymous.post(USERS, json={"email": credentials["username"], "password": PASSWORD})
    with getattr(service.database, demoted)():
        for process in service.web_processes():
            with service.only(process) as client:
                client.headers.update(bearer(token))
                for method, where, body in writes(service, path):
                    unavailable(client.request(method, where, **body))
                    assert client.get(unread()).status_code == 200
                answer = client.post(TOKEN, data={"grant_type": "password", **credentials})
                assert (answer.status_code, "Retry-After" in answer.headers) == (503, True)
                # Until the end there are sessions that were given back after a read.
                assert client.get(unread()).status_code == 200
    for process in service.web_processes():
        with service.only(process) as client:
            client.headers.update(bearer(token))
            for _ in range(3):
                assert client.post(BOOKS, json=book()).status_code == 201
            assert client.get("/readyz").status_code == 200


@DEMOTED
def test_a_service_that_cannot_write_is_not_ready(service: Service, demoted: str) -> None:
    """`/readyz` is 503 with the database as `"error"` for as long as it takes no writes."""
    with getattr(service.database, demoted)():
        for process in service.web_processes():
            with service.only(process) as client:
                for _ in range(2):
                    response = client.get("/readyz")
                    assert response.status_code == 503
                    assert response.json()["checks"]["database"] == "error"
    for process in service.web_processes():
        with service.only(process) as client:
            assert client.get("/readyz").status_code == 200


@pytest.mark.usefixtures("with_tasks")
@DEMOTED
def test_a_report_waits_until_it_can_be_written(
    service: Service, user: httpx.Client, demoted: str
) -> None:
    """What the worker cannot write is tried again: it fails no report, and is in the log."""
    service.worker.stop()
    service.beat.stop()  # which would have it found as a report that was lost
    path, logged = ask(user), len(service.worker.lines())
    says = re.compile("read.only", re.IGNORECASE)
    with getattr(service.database, demoted)():
        service.worker.start()
        until(
            lambda: any(says.search(line) for line in service.worker.lines()[logged:]),
            within=20,
            failing="the worker does not tell",
        )
        assert status(user, path) == "pending"
    done(user, path)
