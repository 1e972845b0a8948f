"""Tokens: what they say, and the families of those that are good for a new one."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Literal
from uuid import UUID, uuid4

import jwt
from django.conf import settings
from django.utils import timezone
from django.utils.crypto import constant_time_compare

from accounts.models import RefreshToken, User
from config.environment import SERVICE
from config.environment import settings as environment

ACCESS_LIFETIME = timedelta(minutes=15)
REFRESH_LIFETIME = timedelta(days=7)
LEEWAY = timedelta(seconds=10)  # by which the clock of the host that gave a token may be ahead

_ALGORITHM = "HS256"
_REQUIRED = ["iss", "aud", "sub", "iat", "exp", "jti", "type"]


@dataclass
class Claims:
    """What a valid token says: whom it stands for, and which family it is of."""

    user_id: int
    jti: UUID
    family: UUID | None = None
    auth_time: datetime | None = None  # of the login
    auth_hash: str = ""  # of the password with which it was


def log_in(user: User) -> dict[str, Any]:
    """Return the first tokens of a new family."""
    now = timezone.now()
    token = RefreshToken.objects.create(user=user, expires_at=_expiry(now))
    return _pair(user, token.jti, token.pk, now)


def refresh(refresh_token: str) -> dict[str, Any] | None:
    """Return the next tokens of the family, or None.

    A token used twice ends its family, and a new password ends each, in whatever way it was set.
    """
    claims = decode(refresh_token, "refresh")
    if claims is None or claims.family is None or claims.auth_time is None:
        return None
    expires_at = _expiry(claims.auth_time)
    user = User.objects.filter(pk=claims.user_id).first()
    if user is None or expires_at <= timezone.now():
        return None
    same_password = constant_time_compare(claims.auth_hash, user.get_session_auth_hash())
    # Not `user__is_active`: an UPDATE with a join looks its rows up before it waits for their lock,
    # so that of two uses of a token both would win.
    active = User.objects.filter(is_active=True)
    family = RefreshToken.objects.filter(pk=claims.family, user__in=active)
    current, jti = family.filter(jti=claims.jti), uuid4()
    if not same_password or not current.update(jti=jti, expires_at=expires_at):
        family.delete()
        return None
    return _pair(user, jti, claims.family, claims.auth_time)


def revoke(refresh_token: str) -> None:
    """End the family of a refresh token, if it is one."""
    claims = decode(refresh_token, "refresh")
    if claims and claims.family:
        RefreshToken.objects.filter(pk=claims.family).delete()


def decode(token: str, kind: Literal["access", "refresh"]) -> Claims | None:
    """Return the claims of a valid token of this kind, else None."""
    try:
        payload = jwt.decode(
            token,
            settings.SECRET_KEY,
            algorithms=[_ALGORITHM],
            # Another service's tokens stay its own, also where it has the same key by mistake.
            issuer=SERVICE,
            audience=SERVICE,
            leeway=LEEWAY,
            options={"require": _REQUIRED, "strict_aud": True},
        )
        claims = Claims(int(payload["sub"]), UUID(payload["jti"]))
        ended = int(payload["exp"]) <= timezone.now().timestamp()  # no leeway makes it last longer
        if kind == "refresh":
            claims.family = UUID(payload["family"])
            claims.auth_time = datetime.fromtimestamp(payload["auth_time"], UTC)
            claims.auth_hash = str(payload["auth_hash"])
    except (jwt.InvalidTokenError, ValueError, TypeError, AttributeError, LookupError):
        return None
    return claims if payload["type"] == kind and not ended else None


def access_token(user_id: int) -> str:
    """Return a JWT that stands for the user for 15 minutes."""
    return _encode("access", user_id, uuid4(), timezone.now() + ACCESS_LIFETIME)


def _expiry(auth_time: datetime) -> datetime:
    last = auth_time + timedelta(days=environment.login_lifetime_days)
    return min(timezone.now() + REFRESH_LIFETIME, last)


def _pair(user: User, jti: UUID, family: UUID, auth_time: datetime) -> dict[str, Any]:
    claims = {
        "family": str(family),
        "auth_time": int(auth_time.timestamp()),
        "auth_hash": user.get_session_auth_hash(),
    }
    return {
        "access_token": access_token(user.pk),
        "refresh_token": _encode("refresh", user.pk, jti, _expiry(auth_time), **claims),
        "token_type": "bearer",
        "expires_in": int(ACCESS_LIFETIME.total_seconds()),
    }


def _encode(kind: str, user_id: int, jti: UUID, expires_at: datetime, **claims: Any) -> str:
    claims |= {"iss": SERVICE, "aud": SERVICE, "sub": str(user_id), "jti": str(jti), "type": kind}
    payload = {**claims, "iat": timezone.now(), "exp": expires_at}
    return jwt.encode(payload, settings.SECRET_KEY, algorithm=_ALGORITHM)
