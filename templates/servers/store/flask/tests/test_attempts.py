"""How often somebody may try to log in."""

import pytest

from app.models import User
from app.settings import settings
from tests.fixtures import AuthActions


def test_after_too_many_failures_the_right_password_is_refused_too(
    auth: AuthActions, user: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settings, "login_attempts", 2)
    for _ in range(2):
        assert auth.login(user.email, "not the password").status_code == 400

    response = auth.login(user.email.upper())

    assert response.status_code == 429
    assert response.headers["Content-Type"] == "application/problem+json"
    assert 0 < int(response.headers["Retry-After"]) <= 900


def test_what_succeeds_is_not_counted(
    auth: AuthActions, user: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settings, "login_attempts", 1)
    for _ in range(3):
        assert auth.login(user.email).status_code == 200


def test_there_may_be_no_limit(
    auth: AuthActions, user: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settings, "login_attempts", 0)
    for _ in range(3):
        assert auth.login(user.email, "not the password").status_code == 400
