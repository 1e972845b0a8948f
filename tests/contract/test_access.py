"""Access: which bearer tokens open a door, and which never do."""

import base64
import hashlib
import hmac
import json
import secrets
import time
from collections.abc import Callable
from typing import Any

import httpx
import jwt
import pytest

from .client import BOOKS, ME, REPORTS, bearer, book, problem, renew
from .service import Service, Target

Claims = dict[str, Any]
Forge = Callable[[str, Claims], str]

CHANGED: dict[str, Callable[[Claims], Claims]] = {
    "expired": lambda claims: claims | {"iat": claims["iat"] - 901, "exp": claims["iat"] - 1},
    "of no type": lambda claims: without(claims, "type"),
    "of another type": lambda claims: claims | {"type": "refresh"},
    "of a type that is no text": lambda claims: claims | {"type": ["access"]},
    "without an end": lambda claims: without(claims, "exp"),
    "without a start": lambda claims: without(claims, "iat"),
    "without an id": lambda claims: without(claims, "jti"),
    "of nobody": lambda claims: without(claims, "sub"),
    "of an unknown user": lambda claims: claims | {"sub": "0"},
    "of a user beyond 64 bits": lambda claims: claims | {"sub": "9" * 30},
    "of a user with a NUL": lambda claims: claims | {"sub": "1\0"},
    "of a user who is a number": lambda claims: claims | {"sub": 1},
    "of a user who is a list": lambda claims: claims | {"sub": [claims["sub"]]},
    "of another service": lambda claims: claims | {"iss": "another", "aud": "another"},
    "by another service": lambda claims: claims | {"iss": "another"},
    "by nobody": lambda claims: without(claims, "iss"),
    "for another service": lambda claims: claims | {"aud": "another"},
    "for several services": lambda claims: claims | {"aud": [claims.get("aud"), "another"]},
    "for a list of one": lambda claims: claims | {"aud": [claims.get("aud")]},
    "for nobody": lambda claims: without(claims, "aud"),
    "that ends in words": lambda claims: claims | {"exp": "tomorrow"},
}


def without(claims: Claims, name: str) -> Claims:
    return {key: value for key, value in claims.items() if key != name}


def part(value: Any) -> str:
    """Encode one part of a JWT."""
    text = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(text).rstrip(b"=").decode()


def unsigned(algorithm: str) -> Forge:
    return lambda _, claims: f"{part({'alg': algorithm, 'typ': 'JWT'})}.{part(claims)}."


def confused(algorithm: str) -> Forge:
    """Sign as HS256 does, and claim another algorithm."""

    def forge(key: str, claims: Claims) -> str:
        message = f"{part({'alg': algorithm, 'typ': 'JWT'})}.{part(claims)}"
        signature = hmac.digest(key.encode(), message.encode(), hashlib.sha256)
        return f"{message}.{part(signature)}"

    return forge


def flipped(key: str, claims: Claims) -> str:
    """Change one bit of the signature."""
    head, _, signature = jwt.encode(claims, key, "HS256").rpartition(".")
    raw = bytearray(base64.urlsafe_b64decode(signature + "=="))
    raw[0] ^= 1
    return f"{head}.{part(bytes(raw))}"


FORGED: dict[str, Forge] = {
    "alg none": unsigned("none"),
    "alg None": unsigned("None"),
    "alg HS256 without a signature": unsigned("HS256"),
    "alg none with a signature": confused("none"),
    "alg RS256": confused("RS256"),
    "alg HS384": lambda key, claims: jwt.encode(claims, key, "HS384"),
    "alg HS512": lambda key, claims: jwt.encode(claims, key, "HS512"),
    "another key": lambda _, claims: jwt.encode(claims, secrets.token_hex(32), "HS256"),
    "an empty key": lambda key, claims: f"{unsigned('HS256')(key, claims)}{part(b'')}",
    "a bad signature": flipped,
    "other claims": lambda key, claims: ".".join(
        [
            *jwt.encode(claims, key, "HS256").split(".")[:1],
            part(claims | {"exp": claims["exp"] + 60}),
            *jwt.encode(claims, key, "HS256").split(".")[2:],
        ]
    ),
}


@pytest.fixture(scope="module")
def pair(anonymous: httpx.Client, pairs: list[dict[str, Any]]) -> dict[str, Any]:
    return renew(anonymous, pairs[0])


@pytest.fixture
def claims(pair: dict[str, Any], service: Service) -> Claims:
    return service.claims(pair["access_token"])


def refused(response: httpx.Response) -> None:
    problem(response, 401)
    assert response.headers["WWW-Authenticate"].startswith("Bearer")


def test_a_token_made_with_the_key_is_accepted(
    anonymous: httpx.Client, service: Service, claims: Claims
) -> None:
    """The key of these tests is the service's: what follows is refused for its own reason."""
    token = jwt.encode(claims, service.secret_key, "HS256")
    assert anonymous.get(ME, headers=bearer(token)).status_code == 200


@pytest.mark.parametrize("how", CHANGED)
def test_a_token_with_wrong_claims_is_refused(
    anonymous: httpx.Client, service: Service, claims: Claims, how: str
) -> None:
    """A token that is expired, of another type or service, or short of a claim is 401.

    However well it is signed: services that share a key by mistake share no users.
    """
    wrong = json.dumps(CHANGED[how](claims)).encode()
    token = jwt.api_jws.encode(wrong, service.secret_key, "HS256", headers={"typ": "JWT"})
    refused(anonymous.get(ME, headers=bearer(token)))


@pytest.mark.parametrize("how", FORGED)
def test_a_forged_token_is_refused(
    anonymous: httpx.Client, service: Service, claims: Claims, how: str
) -> None:
    """`alg: none`, another algorithm and a bad signature are 401."""
    refused(anonymous.get(ME, headers=bearer(FORGED[how](service.secret_key, claims))))


@pytest.mark.smoke
def test_a_refresh_token_opens_nothing(anonymous: httpx.Client, pair: dict[str, Any]) -> None:
    """A refresh token sent as an access token is 401."""
    refused(anonymous.get(ME, headers=bearer(pair["refresh_token"])))


def test_an_access_token_of_15_minutes_ago_is_refused(
    anonymous: httpx.Client, service: Service, claims: Claims
) -> None:
    """An access token ends with its 15 minutes, without a leeway of its own."""
    now = int(time.time())
    token = jwt.encode(
        claims | {"iat": now - 905, "exp": now - 5}, service.secret_key, algorithm="HS256"
    )
    refused(anonymous.get(ME, headers=bearer(token)))


@pytest.mark.parametrize(
    ("ahead", "status"), [(1, 200), (8, 200), (60, 401)], ids=["1 s", "8 s", "a minute"]
)
def test_a_token_of_a_clock_that_is_ahead_is_accepted(
    anonymous: httpx.Client, service: Service, claims: Claims, ahead: int, status: int
) -> None:
    """A token may have been given up to 10 s from now, as the clocks of several hosts differ.

    That is a leeway for `iat` alone (RFC 7519, section 4.1): no token ends later for it.
    """
    now = int(time.time()) + ahead
    token = jwt.encode(claims | {"iat": now, "exp": now + 900}, service.secret_key, "HS256")
    assert anonymous.get(ME, headers=bearer(token)).status_code == status


@pytest.mark.parametrize(
    "value",
    [
        b"",
        b"Bearer",
        b"Bearer x",
        b"Bearer a.b.c",
        b"Bearer ..",
        b"Bearer \xff\xfe",
        b"Basic YTpi",
        b"Token abc",
        b"Bearer " + b"x" * 4000,
    ],
    ids=repr,
)
def test_what_is_no_token_is_refused(anonymous: httpx.Client, value: bytes) -> None:
    """A header that holds no token is 401, never a 500."""
    refused(anonymous.get(ME, headers={b"Authorization": value}))


def test_the_scheme_is_written_in_any_case(anonymous: httpx.Client, pair: dict[str, Any]) -> None:
    """RFC 9110 section 11.1: the scheme's name is case-insensitive."""
    headers = {"Authorization": f"bearer {pair['access_token']}"}
    assert anonymous.get(ME, headers=headers).status_code == 200


def test_a_token_in_the_query_opens_nothing(anonymous: httpx.Client, pair: dict[str, Any]) -> None:
    """Only the header carries a token: a URL ends up in logs."""
    refused(anonymous.get(ME, params={"access_token": pair["access_token"]}))


@pytest.mark.smoke
@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", ME),
        ("POST", BOOKS),
        ("PUT", f"{BOOKS}/1"),
        ("PATCH", f"{BOOKS}/1"),
        ("DELETE", f"{BOOKS}/1"),
        ("POST", REPORTS),
        ("GET", f"{REPORTS}/1"),
    ],
)
def test_what_needs_a_token_is_401_without(
    anonymous: httpx.Client, target: Target, method: str, path: str
) -> None:
    """Every request marked "bearer" is 401 without a token, whatever else is wrong with it."""
    if path.startswith(REPORTS) and not target.has_tasks:
        pytest.skip("generated without tasks")
    body = book() if method in {"POST", "PUT", "PATCH"} and path != REPORTS else None
    refused(anonymous.request(method, path, json=body))
