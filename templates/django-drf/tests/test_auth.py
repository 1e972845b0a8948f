"""Registration, tokens, and what tokens are worth."""

from datetime import UTC, datetime, timedelta
from threading import BoundedSemaphore
from typing import Any
from uuid import uuid4

import jwt
import pytest
from django.conf import settings
from django.contrib.auth.hashers import make_password
from rest_framework.test import APIClient

from accounts.models import User
from config.environment import SERVICE
from tests.factories import PASSWORD, as_form, bearer

USERS = "/api/v1/users"
TOKEN = "/api/v1/auth/token"
REVOKE = "/api/v1/auth/revoke"


def log_in(client: APIClient, username: str, password: str = PASSWORD) -> Any:
    form = {"grant_type": "password", "username": username, "password": password}
    return client.post(TOKEN, **as_form(form))


def refresh(client: APIClient, token: str) -> Any:
    form = {"grant_type": "refresh_token", "refresh_token": token}
    return client.post(TOKEN, **as_form(form))


def read_me(client: APIClient, token: str) -> Any:
    return client.get(f"{USERS}/me", headers={"Authorization": f"Bearer {token}"})


class TestRegistration:
    def test_a_user_registers_and_logs_in(self, client: APIClient) -> None:
        created = client.post(USERS, {"email": "New@Example.ORG", "password": PASSWORD})
        tokens = log_in(client, "nEW@example.org")
        me = read_me(client, tokens.json()["access_token"])

        assert created.status_code == 201
        assert created.json().keys() == {"id", "email", "created_at"}
        assert created.json()["email"] == "new@example.org"
        assert me.json() == created.json()

    def test_duplicate_email_is_a_conflict(self, client: APIClient, user: User) -> None:
        response = client.post(USERS, {"email": user.email.upper(), "password": PASSWORD})

        assert response.status_code == 409

    @pytest.mark.parametrize(
        ("body", "field"),
        [
            ({"email": "no address"}, "body.email"),
            ({"email": None}, "body.email"),
            ({"password": "x" * 11}, "body.password"),
            ({"password": "x" * 129}, "body.password"),
            ({"password": "nul\0nul\0nul\0"}, "body.password"),
            ({"admin": True}, "body.admin"),
        ],
    )
    def test_a_bad_field_is_named(
        self, client: APIClient, body: dict[str, Any], field: str
    ) -> None:
        account = {"email": "new@example.org", "password": PASSWORD}

        response = client.post(USERS, {**account, **body})

        assert response.status_code == 422
        assert {error["field"] for error in response.json()["errors"]} == {field}

    @pytest.mark.parametrize("length", [12, 128])
    def test_a_password_has_12_to_128_characters(self, client: APIClient, length: int) -> None:
        account = {"email": "new@example.org", "password": "é" * length}

        assert client.post(USERS, account).status_code == 201
        assert log_in(client, "new@example.org", "é" * length).status_code == 200

    def test_only_an_argon2id_hash_is_kept(self, client: APIClient) -> None:
        client.post(USERS, {"email": "new@example.org", "password": PASSWORD})

        kept = User.objects.get().password

        assert kept.startswith("argon2$argon2id$")


class TestTokenEndpoint:
    def test_a_password_is_traded_for_tokens(self, client: APIClient, user: User) -> None:
        response = log_in(client, user.email)

        assert response.status_code == 200
        assert response.headers["Cache-Control"] == "no-store"
        tokens = response.json()
        assert tokens.keys() == {"access_token", "refresh_token", "token_type", "expires_in"}
        assert (tokens["token_type"], tokens["expires_in"]) == ("bearer", 900)
        claims = jwt.decode(tokens["access_token"], options={"verify_signature": False})
        assert claims["sub"] == str(user.id)
        assert claims["exp"] - claims["iat"] == 900

    def test_a_wrong_password_and_an_unknown_email_are_answered_alike(
        self, client: APIClient, user: User
    ) -> None:
        wrong = log_in(client, user.email, "not the password")
        unknown = log_in(client, "nobody@example.org")

        assert wrong.status_code == unknown.status_code == 400
        assert wrong.json() == unknown.json()
        assert wrong.json()["error"] == "invalid_grant"

    def test_who_comes_when_many_wait_is_told_to_come_again(
        self, client: APIClient, user: User, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with monkeypatch.context() as patch:
            patch.setattr("accounts.hashers._places", BoundedSemaphore(0))
            response = log_in(client, user.email)
            form = {"username": user.email, "password": PASSWORD}
            page = client.post("/admin/login/", form, format="multipart")

        assert response.status_code == page.status_code == 503
        assert response.headers["Content-Type"] == "application/problem+json"
        assert response.headers["Retry-After"] == page.headers["Retry-After"] == "5"
        assert log_in(client, user.email).status_code == 200

    @pytest.mark.parametrize(
        ("form", "error"),
        [
            ({}, "invalid_request"),
            ({"grant_type": "password"}, "invalid_request"),
            ({"grant_type": "password", "username": "x"}, "invalid_request"),
            ({"grant_type": "refresh_token"}, "invalid_request"),
            ({"grant_type": ["password", "password"]}, "invalid_request"),
            (
                {"grant_type": "password", "username": "\0", "password": "x"},
                "invalid_request",
            ),
            ({"grant_type": "client_credentials"}, "unsupported_grant_type"),
            ({"grant_type": "refresh_token", "refresh_token": "x"}, "invalid_grant"),
        ],
    )
    def test_a_bad_request_is_refused_in_oauths_form(
        self, client: APIClient, form: dict[str, Any], error: str
    ) -> None:
        response = client.post(TOKEN, **as_form(form))

        assert response.status_code == 400
        assert response.headers["Content-Type"] == "application/json"
        assert response.headers["Cache-Control"] == "no-store"
        assert response.json()["error"] == error


class TestRefreshTokens:
    @pytest.fixture
    def tokens(self, client: APIClient, user: User) -> dict[str, str]:
        tokens: dict[str, str] = log_in(client, user.email).json()
        return tokens

    def test_a_refresh_returns_a_new_pair(self, client: APIClient, tokens: dict[str, str]) -> None:
        response = refresh(client, tokens["refresh_token"])

        assert response.status_code == 200
        assert response.headers["Cache-Control"] == "no-store"
        assert response.json()["refresh_token"] != tokens["refresh_token"]
        assert read_me(client, response.json()["access_token"]).status_code == 200

    def test_using_an_ended_token_again_ends_the_family(
        self, client: APIClient, tokens: dict[str, str]
    ) -> None:
        newer = refresh(client, tokens["refresh_token"]).json()

        reused = refresh(client, tokens["refresh_token"])
        descendant = refresh(client, newer["refresh_token"])

        assert reused.status_code == descendant.status_code == 400
        assert reused.json()["error"] == descendant.json()["error"] == "invalid_grant"

    def test_another_login_is_another_family(
        self, client: APIClient, user: User, tokens: dict[str, str]
    ) -> None:
        other = log_in(client, user.email).json()
        refresh(client, tokens["refresh_token"])
        refresh(client, tokens["refresh_token"])

        assert refresh(client, other["refresh_token"]).status_code == 200

    def test_a_login_ends_after_thirty_days_however_often_renewed(
        self, client: APIClient, tokens: dict[str, str]
    ) -> None:
        key = settings.SECRET_KEY
        claims = jwt.decode(tokens["refresh_token"], key, ["HS256"], audience=SERVICE)
        login = datetime.now(UTC) - timedelta(days=30, minutes=1)
        token = jwt.encode({**claims, "auth_time": int(login.timestamp())}, key, "HS256")

        assert refresh(client, token).status_code == 400

    @pytest.mark.parametrize("in_bulk", [False, True])
    def test_a_new_password_ends_every_login(
        self, client: APIClient, user: User, tokens: dict[str, str], in_bulk: bool
    ) -> None:
        other = log_in(client, user.email).json()

        if in_bulk:
            User.objects.update(password=make_password("another password"))
        else:
            user.set_password("another password")
            user.save()

        for pair in (tokens, other):
            response = refresh(client, pair["refresh_token"])
            assert (response.status_code, response.json()["error"]) == (400, "invalid_grant")

    def test_a_revoked_token_is_of_no_use(self, client: APIClient, tokens: dict[str, str]) -> None:
        revoked = client.post(REVOKE, **as_form({"token": tokens["refresh_token"]}))

        assert revoked.status_code == 200
        assert refresh(client, tokens["refresh_token"]).status_code == 400

    def test_revoking_an_unknown_token_succeeds(self, client: APIClient) -> None:
        response = client.post(REVOKE, **as_form({"token": "unknown"}))

        assert response.status_code == 200

    def test_revoking_without_a_token_is_an_invalid_request(self, client: APIClient) -> None:
        response = client.post(REVOKE)

        assert (response.status_code, response.json()["error"]) == (400, "invalid_request")

    def test_an_access_token_is_no_refresh_token(
        self, client: APIClient, tokens: dict[str, str]
    ) -> None:
        assert refresh(client, tokens["access_token"]).status_code == 400


def forge(user: User, key: str, algorithm: str = "HS256", **claims: Any) -> str:
    now = datetime.now(UTC)
    valid = {
        "iss": SERVICE,
        "aud": SERVICE,
        "sub": str(user.id),
        "iat": now,
        "exp": now + timedelta(minutes=1),
        "jti": str(uuid4()),
        "type": "access",
    }
    payload = {name: value for name, value in {**valid, **claims}.items() if value is not None}
    return jwt.encode(payload, key, algorithm)


class TestAccessTokens:
    def test_a_token_with_the_right_claims_and_signature_is_accepted(
        self, client: APIClient, user: User
    ) -> None:
        token = forge(user, settings.SECRET_KEY)

        assert read_me(client, token).json()["email"] == user.email

    @pytest.mark.parametrize(
        "claims",
        [
            {"exp": datetime(2020, 1, 1, tzinfo=UTC)},
            {"exp": None},
            {"iat": None},
            {"jti": None},
            {"type": None},
            {"type": "refresh"},
            {"iss": "another"},
            {"iss": None},
            {"aud": "another"},
            {"aud": [SERVICE, "another"]},
            {"aud": None},
            {"sub": "0"},
            {"sub": str(2**63)},
            {"sub": str(2**63 - 1)},
            {"sub": "me"},
            {"algorithm": "HS384"},
            {"algorithm": "none", "key": ""},
            {"key": "another key that is long enough to sign with" * 2},
        ],
        ids=str,
    )
    def test_any_other_token_is_refused(
        self, client: APIClient, user: User, claims: dict[str, Any]
    ) -> None:
        token = forge(user, **{"key": settings.SECRET_KEY, **claims})

        response = read_me(client, token)

        assert response.status_code == 401
        assert response.headers["WWW-Authenticate"] == "Bearer"

    @pytest.mark.parametrize("header", ["", "Bearer", "Bearer a b", "Basic eDp5", "Bearer é"])
    def test_a_malformed_header_is_refused(self, client: APIClient, header: str) -> None:
        response = client.get(f"{USERS}/me", headers={"Authorization": header})

        assert response.status_code == 401
        assert response.headers["WWW-Authenticate"] == "Bearer"

    def test_the_token_of_a_user_who_is_gone_is_refused(
        self, client: APIClient, user: User
    ) -> None:
        headers = bearer(user)
        user.delete()

        assert client.get(f"{USERS}/me", headers=headers).status_code == 401
