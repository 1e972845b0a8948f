"""How often somebody may try to log in."""

from typing import Any

import pytest
from rest_framework.test import APIClient

from accounts.models import User
from config.environment import settings
from tests.factories import PASSWORD, as_form


def log_in(client: APIClient, username: str, password: str) -> Any:
    form = {"grant_type": "password", "username": username, "password": password}
    return client.post("/api/v1/auth/token", **as_form(form))


def test_after_too_many_failures_the_right_password_is_refused_too(
    client: APIClient, user: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settings, "login_attempts", 2)
    for _ in range(2):
        assert log_in(client, user.email, "not the password").status_code == 400

    response = log_in(client, user.email.upper(), PASSWORD)

    assert response.status_code == 429
    assert response.headers["Content-Type"] == "application/problem+json"
    assert 0 < int(response.headers["Retry-After"]) <= 900


def test_what_succeeds_is_not_counted(
    client: APIClient, user: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settings, "login_attempts", 1)
    for _ in range(3):
        assert log_in(client, user.email, PASSWORD).status_code == 200


def test_there_may_be_no_limit(
    client: APIClient, user: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settings, "login_attempts", 0)
    for _ in range(3):
        assert log_in(client, user.email, "not the password").status_code == 400


def test_the_admin_site_counts_too(
    client: APIClient, admin_user: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settings, "login_attempts", 1)
    form = {"username": admin_user.email, "password": "not the password"}
    assert client.post("/admin/login/", form, format="multipart").status_code == 200

    response = client.post("/admin/login/", {**form, "password": PASSWORD}, format="multipart")

    assert response.status_code == 429
    assert 0 < int(response.headers["Retry-After"]) <= 900
    assert log_in(client, admin_user.email, PASSWORD).status_code == 429
