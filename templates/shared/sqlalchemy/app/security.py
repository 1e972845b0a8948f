"""Passwords and tokens."""

import secrets
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from threading import BoundedSemaphore
from typing import Annotated, Any, Literal, TypeVar
from uuid import UUID, uuid4

import jwt
from argon2 import PasswordHasher
from argon2.exceptions import VerifyMismatchError
from pydantic import BaseModel, Field, ValidationError

from app.settings import SERVICE, settings

ACCESS_LIFETIME = timedelta(minutes=15)
REFRESH_LIFETIME = timedelta(days=7)
LEEWAY = timedelta(seconds=10)  # by which the clock of the host that gave a token may be ahead

_ALGORITHM = "HS256"
_REQUIRED = ["iss", "aud", "sub", "iat", "exp", "jti", "type"]
_hasher = PasswordHasher()  # Argon2id with the parameters of RFC 9106, section 4: 64 MiB a hash
_threads = ThreadPoolExecutor(2, thread_name_prefix="hash")  # so many hashes at once, and no more
_places = BoundedSemaphore(8)  # those and who waits: where threads serve requests, fewer than these
_NOBODYS_HASH = _hasher.hash(secrets.token_hex())

Result = TypeVar("Result")


class TryLaterError(Exception):
    """A request that is refused with this status, to be tried again after so many seconds."""

    def __init__(self, status: int, detail: str, retry_after: int) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.retry_after = retry_after


class Claims(BaseModel):
    """What a valid token says: whom it stands for, and what it is good for."""

    sub: Annotated[int, Field(ge=1, le=2**63 - 1)]
    exp: datetime
    jti: UUID
    type: Literal["access", "refresh"]
    family: UUID | None = None
    auth_time: datetime | None = None


def hash_password(password: str) -> Future[str]:
    """Return a future of the Argon2id hash of a password, in PHC string format.

    Raises `TryLaterError` when too many wait already.
    """
    return _in_turn(lambda: _hasher.hash(password))


def verify_password(password: str, password_hash: str | None) -> Future[bool]:
    """Return a future that tells whether the password is right.

    It takes as long when there is no hash to compare with. Raises `TryLaterError` when too many
    wait already.
    """
    return _in_turn(lambda: _verify(password, password_hash))


def _verify(password: str, password_hash: str | None) -> bool:
    try:
        _hasher.verify(password_hash or _NOBODYS_HASH, password)
    except VerifyMismatchError:
        return False
    return password_hash is not None


def _in_turn(task: Callable[[], Result]) -> Future[Result]:
    if not _places.acquire(blocking=False):
        raise TryLaterError(503, "Too many log in or register at once; try again.", 5)
    result = _threads.submit(task)
    result.add_done_callback(lambda _: _places.release())
    return result


def create_access_token(user_id: int) -> str:
    """Return a JWT that stands for the user for 15 minutes."""
    return _encode("access", user_id, uuid4(), datetime.now(UTC) + ACCESS_LIFETIME)


def refresh_expiry(auth_time: datetime) -> datetime:
    """Return until when a refresh token is good that is given now, for a login of that time.

    That is 7 days, but no more than LOGIN_LIFETIME_DAYS since the login, however often renewed.
    """
    last = auth_time + timedelta(days=settings.login_lifetime_days)
    return min(datetime.now(UTC) + REFRESH_LIFETIME, last)


def create_refresh_token(
    user_id: int, jti: UUID, family: UUID, auth_time: datetime, expires_at: datetime
) -> str:
    """Return a JWT that can be traded once for a new pair of its family."""
    claims = {"family": str(family), "auth_time": int(auth_time.timestamp())}
    return _encode("refresh", user_id, jti, expires_at, **claims)


def decode_token(token: str, kind: Literal["access", "refresh"]) -> Claims | None:
    """Return the claims of a valid token of this kind, else None."""
    try:
        claims = Claims.model_validate(
            jwt.decode(
                token,
                settings.secret_key.get_secret_value(),
                algorithms=[_ALGORITHM],
                # Another service's tokens stay its own, also where it has the same key by mistake.
                issuer=SERVICE,
                audience=SERVICE,
                leeway=LEEWAY,
                options={"require": _REQUIRED, "strict_aud": True},
            )
        )
    except (jwt.InvalidTokenError, ValidationError):
        return None
    ended = claims.exp <= datetime.now(UTC)  # the leeway makes no token last longer
    return claims if claims.type == kind and not ended else None


def _encode(kind: str, user_id: int, jti: UUID, expires_at: datetime, **claims: Any) -> str:
    claims |= {"iss": SERVICE, "aud": SERVICE, "sub": str(user_id), "jti": str(jti), "type": kind}
    payload = {**claims, "iat": datetime.now(UTC), "exp": expires_at}
    return jwt.encode(payload, settings.secret_key.get_secret_value(), algorithm=_ALGORITHM)
