"""How often somebody may try to log in."""

import pytest
from webtest import TestResponse

from app.models import User
from app.settings import settings
from tests.factories import PASSWORD
from tests.fixtures import Client


def log_in(client: Client, username: str, password: str) -> TestResponse:
    form = {"grant_type": "password", "username": username, "password": password}
    return client.post("/api/v1/auth/token", form)


def test_after_too_many_failures_the_right_password_is_refused_too(
    client: Client, user: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settings, "login_attempts", 2)
    for _ in range(2):
        assert log_in(client, user.email, "not the password").status_code == 400

    response = log_in(client, user.email.upper(), PASSWORD)

    assert response.status_code == 429
    assert response.content_type == "application/problem+json"
    assert 0 < int(response.headers["Retry-After"]) <= 900


def test_what_succeeds_is_not_counted(
    client: Client, user: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settings, "login_attempts", 1)
    for _ in range(3):
        assert log_in(client, user.email, PASSWORD).status_code == 200


def test_there_may_be_no_limit(client: Client, user: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "login_attempts", 0)
    for _ in range(3):
        assert log_in(client, user.email, "not the password").status_code == 400
