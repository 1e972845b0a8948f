"""Tokens: how they are given, renewed and revoked, and which of them the service accepts."""

import secrets
import statistics
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from functools import partial
from typing import Any
from uuid import UUID

import httpx
import jwt
import pytest

from .client import (
    REVOKE,
    TOKEN,
    at_once,
    connect,
    eight,
    login,
    oauth_error,
    refresh,
    register,
    token_of,
)
from .databases.database import in_utc
from .service import Service

WEEK, MONTH = timedelta(days=7), timedelta(days=30)


@pytest.fixture(scope="module")
def credentials(anonymous: httpx.Client) -> dict[str, str]:
    return register(anonymous)


@pytest.fixture
def tokens(anonymous: httpx.Client, credentials: dict[str, str]) -> dict[str, Any]:
    """Get a new pair of tokens, the first of a family of its own."""
    return login(anonymous, credentials)


@pytest.mark.smoke
def test_a_password_is_traded_for_tokens(
    anonymous: httpx.Client, credentials: dict[str, str]
) -> None:
    """The password grant is 200 with a pair of tokens, which nobody may keep in a cache."""
    response = anonymous.post(TOKEN, data={"grant_type": "password", **credentials})
    assert response.status_code == 200
    assert response.headers["Content-Type"].split(";")[0] == "application/json"
    assert response.headers["Cache-Control"] == "no-store"
    pair = response.json()
    assert {*pair} == {"access_token", "refresh_token", "token_type", "expires_in"}
    assert pair["token_type"] == "bearer"
    assert pair["expires_in"] == 900


def test_an_access_token_is_a_jwt_of_15_minutes(service: Service, user: httpx.Client) -> None:
    """Access tokens are JWTs (HS256) of 15 minutes, which say who gave them, to whom, for whom."""
    token = token_of(user)
    assert jwt.get_unverified_header(token)["alg"] == "HS256"
    claims = service.claims(token)
    assert {"iss", "aud", "sub", "iat", "exp", "jti", "type"} <= {*claims}
    assert claims["exp"] - claims["iat"] == 900
    assert abs(claims["iat"] - time.time()) < 60


def test_every_access_token_has_an_id_of_its_own(
    service: Service,
    anonymous: httpx.Client,
    credentials: dict[str, str],
    tokens: dict[str, Any],
) -> None:
    """No two access tokens share a `jti`, whether they are given for a password or renewed."""
    renewed = refresh(anonymous, tokens["refresh_token"]).json()
    given = [pair["access_token"] for pair in (tokens, renewed, login(anonymous, credentials))]
    ids = {service.claims(token)["jti"] for token in given}
    assert len(ids) == 3


@pytest.mark.smoke
def test_a_refresh_gives_a_new_pair(anonymous: httpx.Client, tokens: dict[str, Any]) -> None:
    """The refresh grant is 200 with a new pair, which nobody may keep in a cache."""
    response = refresh(anonymous, tokens["refresh_token"])
    assert response.status_code == 200
    assert response.headers["Cache-Control"] == "no-store"
    pair = response.json()
    assert {*pair} == {*tokens}
    assert pair["expires_in"] == 900
    assert not {pair["access_token"], pair["refresh_token"]} & {*tokens.values()}


def test_a_renewed_pair_works(anonymous: httpx.Client, tokens: dict[str, Any]) -> None:
    """Both tokens of a renewed pair work."""
    pair = refresh(anonymous, tokens["refresh_token"]).json()
    with connect(str(anonymous.base_url), pair["access_token"]) as client:
        assert client.get("/api/v1/users/me").status_code == 200
    assert refresh(anonymous, pair["refresh_token"]).status_code == 200


def test_a_refresh_token_works_once(anonymous: httpx.Client, tokens: dict[str, Any]) -> None:
    """A refresh ends the old token."""
    assert refresh(anonymous, tokens["refresh_token"]).status_code == 200
    oauth_error(refresh(anonymous, tokens["refresh_token"]), "invalid_grant")


@pytest.mark.smoke
def test_using_an_ended_token_ends_its_family(
    anonymous: httpx.Client, tokens: dict[str, Any]
) -> None:
    """Using an ended refresh token again ends every token that came from it."""
    second = refresh(anonymous, tokens["refresh_token"]).json()["refresh_token"]
    third = refresh(anonymous, second).json()["refresh_token"]
    oauth_error(refresh(anonymous, tokens["refresh_token"]), "invalid_grant")
    oauth_error(refresh(anonymous, third), "invalid_grant")


def test_a_family_ends_alone(
    anonymous: httpx.Client, credentials: dict[str, str], tokens: dict[str, Any]
) -> None:
    """A reused token does not end the user's other sessions."""
    other = login(anonymous, credentials)
    refresh(anonymous, tokens["refresh_token"])
    oauth_error(refresh(anonymous, tokens["refresh_token"]), "invalid_grant")
    assert refresh(anonymous, other["refresh_token"]).status_code == 200


def test_of_eight_refreshes_at_once_one_wins(
    base_url: str, anonymous: httpx.Client, tokens: dict[str, Any]
) -> None:
    """A refresh token works once also when it is used eight times at the same moment."""
    with eight(base_url) as clients:
        calls = [partial(refresh, client, tokens["refresh_token"]) for client in clients]
        answers = at_once(calls)
    won = [answer for answer in answers if answer.status_code == 200]
    assert len(won) == 1
    for answer in answers:
        if answer is not won[0]:
            oauth_error(answer, "invalid_grant")
    oauth_error(refresh(anonymous, won[0].json()["refresh_token"]), "invalid_grant")


@contextmanager
def later(service: Service, by: timedelta) -> Iterator[None]:
    """Let the stored tokens be older for a while."""
    service.database.age_tokens(by)
    try:
        yield
    finally:
        service.database.age_tokens(-by)


def aged(service: Service, token: str, by: timedelta) -> str:
    """Make a token as old as it will be where it carries its own times."""
    try:
        claims = service.claims(token)
    except jwt.DecodeError:
        return token
    times = {"iat", "exp", "auth_time"} & {*claims}
    moved = {key: claims[key] - int(by.total_seconds()) for key in times}
    return jwt.encode(claims | moved, service.secret_key, "HS256")


def test_a_refresh_token_lasts_seven_days(
    anonymous: httpx.Client, service: Service, tokens: dict[str, Any]
) -> None:
    """A refresh token works for seven days."""
    age = WEEK - timedelta(minutes=5)
    with later(service, age):
        token = aged(service, tokens["refresh_token"], age)
        assert refresh(anonymous, token).status_code == 200


def test_a_refresh_token_ends_after_seven_days(
    anonymous: httpx.Client, service: Service, tokens: dict[str, Any]
) -> None:
    """A refresh token past its seven days is an invalid grant."""
    age = WEEK + timedelta(minutes=5)
    with later(service, age):
        token = aged(service, tokens["refresh_token"], age)
        oauth_error(refresh(anonymous, token), "invalid_grant")


def test_a_refresh_token_of_a_clock_that_is_ahead_is_renewed(
    anonymous: httpx.Client, service: Service, tokens: dict[str, Any]
) -> None:
    """A host renews what another has given whose clock is seconds ahead."""
    token = aged(service, tokens["refresh_token"], timedelta(seconds=-5))
    assert refresh(anonymous, token).status_code == 200


def of_a_login(service: Service, token: str, ago: timedelta) -> str:
    """Make a token one of a login of then, renewed ever since: as good as new."""
    claims = service.claims(token)
    login = {"auth_time": int(time.time() - ago.total_seconds())}
    return jwt.encode(claims | login, service.secret_key, "HS256")


def test_a_login_ends_after_thirty_days(
    anonymous: httpx.Client, service: Service, tokens: dict[str, Any]
) -> None:
    """However often it was renewed, a login of 30 days ago is an invalid grant."""
    token = of_a_login(service, tokens["refresh_token"], MONTH + timedelta(minutes=5))
    oauth_error(refresh(anonymous, token), "invalid_grant")


def test_a_renewed_login_ends_with_the_first(
    anonymous: httpx.Client, service: Service, tokens: dict[str, Any]
) -> None:
    """Renewed shortly before, it lasts no longer for that, nor do the rows that are kept of it."""
    token = of_a_login(service, tokens["refresh_token"], MONTH - timedelta(minutes=5))
    for _ in range(2):
        response = refresh(anonymous, token)
        assert response.status_code == 200
        token = response.json()["refresh_token"]
        claims = service.claims(token)
        assert claims["exp"] - claims["auth_time"] <= MONTH.total_seconds()
    [table] = service.database.tables("token", "expires_at")
    query = f"SELECT expires_at FROM {table} WHERE id = %s"
    family = UUID(claims["family"]).hex  # as a database stores it, or reads it
    [(ends,)] = service.database.execute(query, family)
    assert abs(in_utc(ends).timestamp() - claims["exp"]) <= 1


def test_a_login_lasts_as_long_as_it_is_told(service: Service, credentials: dict[str, str]) -> None:
    """`LOGIN_LIFETIME_DAYS` ends a login before the seven days of its refresh token."""
    with (
        service.another_web(LOGIN_LIFETIME_DAYS="1", WEB_CONCURRENCY="1") as (_, base_url),
        connect(base_url) as client,
    ):
        pair = login(client, credentials)
        claims = service.claims(pair["refresh_token"])
        assert 86_395 <= claims["exp"] - claims["iat"] <= 86_400
        old = of_a_login(service, pair["refresh_token"], timedelta(days=1, minutes=5))
        oauth_error(refresh(client, old), "invalid_grant")
        assert refresh(client, pair["refresh_token"]).status_code == 200


@pytest.mark.smoke
def test_a_revoked_token_renews_nothing(anonymous: httpx.Client, tokens: dict[str, Any]) -> None:
    """`POST /api/v1/auth/revoke` is 200 and ends the refresh token."""
    response = anonymous.post(REVOKE, data={"token": tokens["refresh_token"]})
    assert response.status_code == 200
    oauth_error(refresh(anonymous, tokens["refresh_token"]), "invalid_grant")


@pytest.mark.smoke
def test_revoking_an_unknown_token_is_no_error(anonymous: httpx.Client) -> None:
    """RFC 7009: 200 whether or not the token was known."""
    response = anonymous.post(REVOKE, data={"token": secrets.token_urlsafe(32)})
    assert response.status_code == 200


def test_revoking_twice_is_no_error(anonymous: httpx.Client, tokens: dict[str, Any]) -> None:
    """RFC 7009: a token that is revoked already is 200 again."""
    for _ in range(2):
        response = anonymous.post(REVOKE, data={"token": tokens["refresh_token"]})
        assert response.status_code == 200


def test_revoking_an_access_token_is_no_error(
    anonymous: httpx.Client, tokens: dict[str, Any]
) -> None:
    """RFC 7009: 200 for whatever token a client wants to be rid of."""
    form = {"token": tokens["access_token"], "token_type_hint": "access_token"}
    assert anonymous.post(REVOKE, data=form).status_code == 200


def test_revoking_nothing_is_an_invalid_request(anonymous: httpx.Client) -> None:
    """RFC 7009 section 2.1: `token` is required."""
    oauth_error(anonymous.post(REVOKE, data={"token_type_hint": "access_token"}), "invalid_request")


@pytest.mark.parametrize(
    ("form", "code"),
    [
        ({}, "invalid_request"),
        ({"username": "a@example.org", "password": "x" * 12}, "invalid_request"),
        ({"grant_type": "", "username": "a@example.org", "password": "x" * 12}, "invalid_request"),
        ({"grant_type": "password"}, "invalid_request"),
        ({"grant_type": "password", "username": "a@example.org"}, "invalid_request"),
        ({"grant_type": "password", "password": "x" * 12}, "invalid_request"),
        ({"grant_type": "password", "username": "", "password": ""}, "invalid_request"),
        ({"grant_type": "refresh_token"}, "invalid_request"),
        ({"grant_type": "refresh_token", "refresh_token": ""}, "invalid_request"),
        pytest.param(
            {"grant_type": "client_credentials"},
            "unsupported_grant_type",
            marks=pytest.mark.smoke,
        ),
        ({"grant_type": "Password"}, "unsupported_grant_type"),
        ({"grant_type": "refresh_token", "refresh_token": "unheard-of"}, "invalid_grant"),
        ({"grant_type": ["password", "password"], "username": "a"}, "invalid_request"),
    ],
)
def test_a_wrong_token_request_is_an_oauth_error(
    anonymous: httpx.Client, form: dict[str, Any], code: str
) -> None:
    """The token endpoint's errors are those of RFC 6749 section 5.2, with status 400."""
    oauth_error(anonymous.post(TOKEN, data=form), code)


def test_a_token_request_in_json_is_an_oauth_error(
    anonymous: httpx.Client, credentials: dict[str, str]
) -> None:
    """The token endpoint takes forms: JSON is an invalid request, and never a session."""
    response = anonymous.post(TOKEN, json={"grant_type": "password", **credentials})
    oauth_error(response, "invalid_request")


@pytest.mark.parametrize("name", ["iss", "aud"])
def test_a_refresh_token_of_another_service_renews_nothing(
    anonymous: httpx.Client, service: Service, tokens: dict[str, Any], name: str
) -> None:
    """A refresh token that another service has issued, or for another, is an invalid grant.

    Also where both have one key, by mistake; and the family goes on.
    """
    claims = service.claims(tokens["refresh_token"]) | {name: "another"}
    foreign = jwt.encode(claims, service.secret_key, "HS256")
    oauth_error(refresh(anonymous, foreign), "invalid_grant")
    assert refresh(anonymous, tokens["refresh_token"]).status_code == 200


def test_an_access_token_renews_nothing(anonymous: httpx.Client, user: httpx.Client) -> None:
    """An access token is no refresh token."""
    oauth_error(refresh(anonymous, token_of(user)), "invalid_grant")


@pytest.mark.smoke
def test_a_wrong_password_and_an_unknown_email_answer_alike(
    anonymous: httpx.Client, credentials: dict[str, str]
) -> None:
    """Nobody learns from the answer whether an email is registered."""
    guesses = [
        credentials | {"password": "not the password"},
        {"username": "unheard-of@example.org", "password": "not the password"},
    ]
    wrong, unknown = (
        anonymous.post(TOKEN, data={"grant_type": "password", **guess}) for guess in guesses
    )
    oauth_error(wrong, "invalid_grant")
    assert unknown.status_code == wrong.status_code
    assert unknown.content == wrong.content
    own = {"x-request-id", "date"}
    assert {k: v for k, v in unknown.headers.items() if k not in own} == {
        k: v for k, v in wrong.headers.items() if k not in own
    }


def test_a_wrong_password_and_an_unknown_email_take_alike_long(
    anonymous: httpx.Client, credentials: dict[str, str]
) -> None:
    """Nobody learns from the time of the answer whether an email is registered.

    The two are asked in turn, so that what else the machine does weighs on both, until they agree.
    The medians differ by a factor of ten or more where an unknown email costs no hash.
    """
    spent: dict[str, list[float]] = {"wrong": [], "unknown": []}
    ratio = 0.0
    for asked in range(1, 16):
        guesses = {"wrong": credentials["username"], "unknown": "unheard-of@example.org"}
        for kind, username in guesses.items():
            form = {"grant_type": "password", "username": username, "password": "not this one"}
            response = anonymous.post(TOKEN, data=form)
            spent[kind].append(response.elapsed.total_seconds())
        ratio = statistics.median(spent["unknown"]) / statistics.median(spent["wrong"])
        if asked >= 5 and 0.67 < ratio < 1.5:
            break
    assert 0.67 < ratio < 1.5


def test_an_unknown_email_of_any_kind_is_an_invalid_grant(anonymous: httpx.Client) -> None:
    """What is no address, or too long for one, is an unknown user like any other."""
    for username in ("nobody", "x" * 10_000, "\N{BOOKS}@example.org"):
        form = {"grant_type": "password", "username": username, "password": "not this one"}
        oauth_error(anonymous.post(TOKEN, data=form), "invalid_grant")
