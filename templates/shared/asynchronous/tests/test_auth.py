"""Registration, tokens, and what tokens are worth."""

from concurrent.futures import wait
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import jwt
import pytest
from httpx import AsyncClient, Response
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from app import security
from app.models import User
from app.settings import SERVICE, settings
from tests.factories import PASSWORD, bearer

USERS = "/api/v1/users"
TOKEN = "/api/v1/auth/token"


async def log_in(client: AsyncClient, username: str, password: str = PASSWORD) -> Response:
    form = {"grant_type": "password", "username": username, "password": password}
    return await client.post(TOKEN, data=form)


async def refresh(client: AsyncClient, token: str) -> Response:
    return await client.post(TOKEN, data={"grant_type": "refresh_token", "refresh_token": token})


async def read_me(client: AsyncClient, token: str) -> Response:
    return await client.get(f"{USERS}/me", headers={"Authorization": f"Bearer {token}"})


class TestRegistration:
    async def test_a_user_registers_and_logs_in(self, client: AsyncClient) -> None:
        created = await client.post(USERS, json={"email": "New@Example.ORG", "password": PASSWORD})
        tokens = await log_in(client, "nEW@example.org")
        me = await read_me(client, tokens.json()["access_token"])

        assert created.status_code == 201
        assert created.json().keys() == {"id", "email", "created_at"}
        assert created.json()["email"] == "new@example.org"
        assert me.json() == created.json()

    async def test_duplicate_email_is_a_conflict(self, client: AsyncClient, user: User) -> None:
        response = await client.post(
            USERS, json={"email": user.email.upper(), "password": PASSWORD}
        )

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
    async def test_a_bad_field_is_named(
        self, client: AsyncClient, body: dict[str, Any], field: str
    ) -> None:
        account = {"email": "new@example.org", "password": PASSWORD}

        response = await client.post(USERS, json={**account, **body})

        assert response.status_code == 422
        assert [error["field"] for error in response.json()["errors"]] == [field]

    @pytest.mark.parametrize("length", [12, 128])
    async def test_a_password_has_12_to_128_characters(
        self, client: AsyncClient, length: int
    ) -> None:
        account = {"email": "new@example.org", "password": "é" * length}

        assert (await client.post(USERS, json=account)).status_code == 201
        assert (await log_in(client, "new@example.org", "é" * length)).status_code == 200

    async def test_only_an_argon2id_hash_is_kept(
        self, client: AsyncClient, session: AsyncSession
    ) -> None:
        await client.post(USERS, json={"email": "new@example.org", "password": PASSWORD})

        kept = await session.scalar(select(User.password_hash))

        assert kept is not None
        assert kept.startswith("$argon2id$")


class TestTokenEndpoint:
    async def test_a_password_is_traded_for_tokens(self, client: AsyncClient, user: User) -> None:
        response = await log_in(client, user.email)

        assert response.status_code == 200
        assert response.headers["Cache-Control"] == "no-store"
        tokens = response.json()
        assert tokens.keys() == {"access_token", "refresh_token", "token_type", "expires_in"}
        assert (tokens["token_type"], tokens["expires_in"]) == ("bearer", 900)
        claims = jwt.decode(tokens["access_token"], options={"verify_signature": False})
        assert claims["sub"] == str(user.id)
        assert claims["exp"] - claims["iat"] == 900

    async def test_a_wrong_password_and_an_unknown_email_are_answered_alike(
        self, client: AsyncClient, user: User
    ) -> None:
        wrong = await log_in(client, user.email, "not the password")
        unknown = await log_in(client, "nobody@example.org")

        assert wrong.status_code == unknown.status_code == 400
        assert wrong.json() == unknown.json()
        assert wrong.json()["error"] == "invalid_grant"

    async def test_who_comes_when_many_wait_is_told_to_come_again(
        self, client: AsyncClient, user: User
    ) -> None:
        waiting = [security.hash_password(PASSWORD) for _ in range(8)]

        response = await log_in(client, user.email)

        assert response.status_code == 503
        assert response.headers["Content-Type"] == "application/problem+json"
        assert response.headers["Retry-After"] == "5"
        wait(waiting)
        assert (await log_in(client, user.email)).status_code == 200

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
    async def test_a_bad_request_is_refused_in_oauths_form(
        self, client: AsyncClient, form: dict[str, Any], error: str
    ) -> None:
        response = await client.post(TOKEN, data=form)

        assert response.status_code == 400
        assert response.headers["Content-Type"] == "application/json"
        assert response.headers["Cache-Control"] == "no-store"
        assert response.json()["error"] == error


class TestRefreshTokens:
    @pytest.fixture
    async def tokens(self, client: AsyncClient, user: User) -> dict[str, str]:
        tokens: dict[str, str] = (await log_in(client, user.email)).json()
        return tokens

    async def test_a_refresh_returns_a_new_pair(
        self, client: AsyncClient, tokens: dict[str, str]
    ) -> None:
        response = await refresh(client, tokens["refresh_token"])

        assert response.status_code == 200
        assert response.headers["Cache-Control"] == "no-store"
        assert response.json()["refresh_token"] != tokens["refresh_token"]
        assert (await read_me(client, response.json()["access_token"])).status_code == 200

    async def test_using_an_ended_token_again_ends_the_family(
        self, client: AsyncClient, tokens: dict[str, str]
    ) -> None:
        newer = (await refresh(client, tokens["refresh_token"])).json()

        reused = await refresh(client, tokens["refresh_token"])
        descendant = await refresh(client, newer["refresh_token"])

        assert reused.status_code == descendant.status_code == 400
        assert reused.json()["error"] == descendant.json()["error"] == "invalid_grant"

    async def test_another_login_is_another_family(
        self, client: AsyncClient, user: User, tokens: dict[str, str]
    ) -> None:
        other = (await log_in(client, user.email)).json()
        await refresh(client, tokens["refresh_token"])
        await refresh(client, tokens["refresh_token"])

        assert (await refresh(client, other["refresh_token"])).status_code == 200

    async def test_a_login_ends_after_thirty_days_however_often_renewed(
        self, client: AsyncClient, tokens: dict[str, str]
    ) -> None:
        key = settings.secret_key.get_secret_value()
        claims = jwt.decode(tokens["refresh_token"], key, ["HS256"], audience=SERVICE)
        login = datetime.now(UTC) - timedelta(days=30, minutes=1)
        token = jwt.encode({**claims, "auth_time": int(login.timestamp())}, key, "HS256")

        assert (await refresh(client, token)).status_code == 400

    async def test_a_revoked_token_is_of_no_use(
        self, client: AsyncClient, tokens: dict[str, str]
    ) -> None:
        revoked = await client.post("/api/v1/auth/revoke", data={"token": tokens["refresh_token"]})

        assert revoked.status_code == 200
        assert (await refresh(client, tokens["refresh_token"])).status_code == 400

    async def test_revoking_an_unknown_token_succeeds(self, client: AsyncClient) -> None:
        response = await client.post("/api/v1/auth/revoke", data={"token": "unknown"})

        assert response.status_code == 200

    async def test_revoking_without_a_token_is_an_invalid_request(
        self, client: AsyncClient
    ) -> None:
        response = await client.post("/api/v1/auth/revoke")

        assert (response.status_code, response.json()["error"]) == (400, "invalid_request")

    async def test_an_access_token_is_no_refresh_token(
        self, client: AsyncClient, tokens: dict[str, str]
    ) -> None:
        assert (await refresh(client, tokens["access_token"])).status_code == 400


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
    async def test_a_token_with_the_right_claims_and_signature_is_accepted(
        self, client: AsyncClient, user: User
    ) -> None:
        token = forge(user, settings.secret_key.get_secret_value())

        assert (await read_me(client, token)).json()["email"] == user.email

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
    async def test_any_other_token_is_refused(
        self, client: AsyncClient, user: User, claims: dict[str, Any]
    ) -> None:
        token = forge(user, **{"key": settings.secret_key.get_secret_value(), **claims})

        response = await read_me(client, token)

        assert response.status_code == 401
        assert response.headers["WWW-Authenticate"] == "Bearer"

    @pytest.mark.parametrize("header", ["", "Bearer", "Bearer a b", "Basic eDp5", "Bearer é"])
    async def test_a_malformed_header_is_refused(self, client: AsyncClient, header: str) -> None:
        response = await client.get(f"{USERS}/me", headers=[(b"Authorization", header.encode())])

        assert response.status_code == 401
        assert response.headers["WWW-Authenticate"] == "Bearer"

    async def test_the_token_of_a_user_who_is_gone_is_refused(
        self, client: AsyncClient, session: AsyncSession, user: User
    ) -> None:
        headers = bearer(user)
        await session.delete(user)
        await session.commit()

        assert (await client.get(f"{USERS}/me", headers=headers)).status_code == 401
