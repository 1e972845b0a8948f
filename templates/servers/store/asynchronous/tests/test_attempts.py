"""How often somebody may try to log in."""

import asyncio

import pytest
from httpx import AsyncClient, Response

from app import attempts
from app.attempts import counted
from app.models import User
from app.security import TryLaterError
from app.settings import settings
from tests.factories import PASSWORD


async def log_in(client: AsyncClient, username: str, password: str) -> Response:
    form = {"grant_type": "password", "username": username, "password": password}
    return await client.post("/api/v1/auth/token", data=form)


async def test_after_too_many_failures_the_right_password_is_refused_too(
    client: AsyncClient, user: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settings, "login_attempts", 2)
    for _ in range(2):
        assert (await log_in(client, user.email, "not the password")).status_code == 400

    response = await log_in(client, user.email.upper(), PASSWORD)

    assert response.status_code == 429
    assert response.headers["Content-Type"] == "application/problem+json"
    assert 0 < int(response.headers["Retry-After"]) <= 900


async def test_what_succeeds_is_not_counted(
    client: AsyncClient, user: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settings, "login_attempts", 1)
    for _ in range(3):
        assert (await log_in(client, user.email, PASSWORD)).status_code == 200


async def test_there_may_be_no_limit(
    client: AsyncClient, user: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settings, "login_attempts", 0)
    for _ in range(3):
        assert (await log_in(client, user.email, "not the password")).status_code == 400


@pytest.mark.usefixtures("client")
async def test_of_many_at_once_no_more_get_through(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "login_attempts", 2)
    # They are counted, no matter how long this machine has them wait for a connection.
    monkeypatch.setattr(attempts._redis.connection_pool, "timeout", 30)

    async def fail() -> bool:
        try:
            async with counted("reader@example.org", "192.0.2.1") as attempt:
                attempt.failed = True
        except TryLaterError:
            return False
        return True

    assert sum(await asyncio.gather(*(fail() for _ in range(200)))) == 2
