"""Registration, tokens, and what tokens are worth."""

from concurrent.futures import wait
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import jwt
import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session
from webtest import TestResponse

from app import security
from app.models import User
from app.settings import SERVICE, settings
from tests.factories import PASSWORD, bearer
from tests.fixtures import Client

USERS = "/api/v1/users"
TOKEN = "/api/v1/auth/token"


def log_in(client: Client, username: str, password: str = PASSWORD) -> TestResponse:
    form = {"grant_type": "password", "username": username, "password": password}
    return client.post(TOKEN, form)


def refresh(client: Client, token: str) -> TestResponse:
    return client.post(TOKEN, {"grant_type": "refresh_token", "refresh_token": token})


def read_me(client: Client, token: str) -> TestResponse:
    return client.get(f"{USERS}/me", headers={"Authorization": f"Bearer {token}"})


class TestRegistration:
    def test_a_user_registers_and_logs_in(self, client: Client) -> None:
        created = client.post_json(USERS, {"email": "New@Example.ORG", "password": PASSWORD})
        tokens = log_in(client, "nEW@example.org")
        me = read_me(client, tokens.json["access_token"])

        assert created.status_code == 201
        assert created.json.keys() == {"id", "email", "created_at"}
        assert created.json["email"] == "new@example.org"
        assert me.json == created.json

    def test_duplicate_email_is_a_conflict(self, client: Client, user: User) -> None:
        response = client.post_json(USERS, {"email": user.email.upper(), "password": PASSWORD})

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
    def test_a_bad_field_is_named(self, client: Client, body: dict[str, Any], field: str) -> None:
        account = {"email": "new@example.org", "password": PASSWORD}

        response = client.post_json(USERS, {**account, **body})

        assert response.status_code == 422
        assert [error["field"] for error in response.json["errors"]] == [field]

    @pytest.mark.parametrize("length", [12, 128])
    def test_a_password_has_12_to_128_characters(self, client: Client, length: int) -> None:
        account = {"email": "new@example.org", "password": "é" * length}

        assert client.post_json(USERS, account).status_code == 201
        assert log_in(client, "new@example.org", "é" * length).status_code == 200

    def test_only_an_argon2id_hash_is_kept(self, client: Client, session: Session) -> None:
        client.post_json(USERS, {"email": "new@example.org", "password": PASSWORD})

        kept = session.scalar(select(User.password_hash))

        assert kept is not None
        assert kept.startswith("$argon2id$")


class TestTokenEndpoint:
    def test_a_password_is_traded_for_tokens(self, client: Client, user: User) -> None:
        response = log_in(client, user.email)

        assert response.status_code == 200
        assert response.headers["Cache-Control"] == "no-store"
        tokens = response.json
        assert tokens.keys() == {"access_token", "refresh_token", "token_type", "expires_in"}
        assert (tokens["token_type"], tokens["expires_in"]) == ("bearer", 900)
        claims = jwt.decode(tokens["access_token"], options={"verify_signature": False})
        assert claims["sub"] == str(user.id)
        assert claims["exp"] - claims["iat"] == 900

    def test_a_wrong_password_and_an_unknown_email_are_answered_alike(
        self, client: Client, user: User
    ) -> None:
        wrong = log_in(client, user.email, "not the password")
        unknown = log_in(client, "nobody@example.org")

        assert wrong.status_code == unknown.status_code == 400
        assert wrong.json == unknown.json
        assert wrong.json["error"] == "invalid_grant"

    def test_who_comes_when_many_wait_is_told_to_come_again(
        self, client: Client, user: User
    ) -> None:
        waiting = [security.hash_password(PASSWORD) for _ in range(8)]

        response = log_in(client, user.email)

        assert response.status_code == 503
        assert response.content_type == "application/problem+json"
        assert response.headers["Retry-After"] == "5"
        wait(waiting)
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
        self, client: Client, form: dict[str, Any], error: str
    ) -> None:
        response = client.post(TOKEN, form)

        assert response.status_code == 400
        assert response.headers["Content-Type"] == "application/json"
        assert response.headers["Cache-Control"] == "no-store"
        assert response.json["error"] == error

    def test_a_form_that_cannot_be_read_is_refused_in_oauths_form(self, client: Client) -> None:
        form = {"Content-Type": "application/x-www-form-urlencoded"}

        for body in (b"\xff", b"grant_type=%FF", b"x=1&" * 1001):
            response = client.send("POST", TOKEN, body, headers=form)
            assert (response.status_code, response.json["error"]) == (400, "invalid_request")


class TestRefreshTokens:
    @pytest.fixture
    def tokens(self, client: Client, user: User) -> dict[str, str]:
        tokens: dict[str, str] = log_in(client, user.email).json
        return tokens

    def test_a_refresh_returns_a_new_pair(self, client: Client, tokens: dict[str, str]) -> None:
        response = refresh(client, tokens["refresh_token"])

        assert response.status_code == 200
        assert response.headers["Cache-Control"] == "no-store"
        assert response.json["refresh_token"] != tokens["refresh_token"]
        assert read_me(client, response.json["access_token"]).status_code == 200

    def test_using_an_ended_token_again_ends_the_family(
        self, client: Client, tokens: dict[str, str]
    ) -> None:
        newer = refresh(client, tokens["refresh_token"]).json

        reused = refresh(client, tokens["refresh_token"])
        descendant = refresh(client, newer["refresh_token"])

        assert reused.status_code == descendant.status_code == 400
        assert reused.json["error"] == descendant.json["error"] == "invalid_grant"

    def test_another_login_is_another_family(
        self, client: Client, user: User, tokens: dict[str, str]
    ) -> None:
        other = log_in(client, user.email).json
        refresh(client, tokens["refresh_token"])
        refresh(client, tokens["refresh_token"])

        assert refresh(client, other["refresh_token"]).status_code == 200

    def test_a_login_ends_after_thirty_days_however_often_renewed(
        self, client: Client, tokens: dict[str, str]
    ) -> None:
        key = settings.secret_key.get_secret_value()
        claims = jwt.decode(tokens["refresh_token"], key, ["HS256"], audience=SERVICE)
        login = datetime.now(UTC) - timedelta(days=30, minutes=1)
        token = jwt.encode({**claims, "auth_time": int(login.timestamp())}, key, "HS256")

        assert refresh(client, token).status_code == 400

    def test_a_revoked_token_is_of_no_use(self, client: Client, tokens: dict[str, str]) -> None:
        revoked = client.post("/api/v1/auth/revoke", {"token": tokens["refresh_token"]})

        assert (revoked.status_code, revoked.body) == (200, b"")
        assert "Content-Type" not in revoked.headers
        assert refresh(client, tokens["refresh_token"]).status_code == 400

    def test_revoking_an_unknown_token_succeeds(self, client: Client) -> None:
        response = client.post("/api/v1/auth/revoke", {"token": "unknown"})

        assert response.status_code == 200

    def test_revoking_without_a_token_is_an_invalid_request(self, client: Client) -> None:
        response = client.post("/api/v1/auth/revoke")

        assert (response.status_code, response.json["error"]) == (400, "invalid_request")

    def test_an_access_token_is_no_refresh_token(
        self, client: Client, tokens: dict[str, str]
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
        self, client: Client, user: User
    ) -> None:
        token = forge(user, settings.secret_key.get_secret_value())

        assert read_me(client, token).json["email"] == user.email

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
        self, client: Client, user: User, claims: dict[str, Any]
    ) -> None:
        token = forge(user, **{"key": settings.secret_key.get_secret_value(), **claims})

        response = read_me(client, token)

        assert response.status_code == 401
        assert response.headers["WWW-Authenticate"] == "Bearer"

    @pytest.mark.parametrize("header", ["", "Bearer", "Bearer a b", "Basic eDp5", "Bearer é"])
    def test_a_malformed_header_is_refused(self, client: Client, header: str) -> None:
        response = client.get(f"{USERS}/me", headers={"Authorization": header})

        assert response.status_code == 401
        assert response.headers["WWW-Authenticate"] == "Bearer"

    def test_the_token_of_a_user_who_is_gone_is_refused(
        self, client: Client, session: Session, user: User
    ) -> None:
        headers = bearer(user)
        session.delete(user)
        session.flush()

        assert client.get(f"{USERS}/me", headers=headers).status_code == 401
