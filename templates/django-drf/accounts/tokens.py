"""Tokens: what they say, and the families of those that are good for a new one."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Literal
from uuid import UUID, uuid4

import jwt
from django.conf import settings
from django.utils import timezone

from accounts.models import RefreshToken, User
from config.environment import SERVICE

ACCESS_LIFETIME = timedelta(minutes=15)
REFRESH_LIFETIME = timedelta(days=7)

_ALGORITHM = "HS256"
_REQUIRED = ["iss", "aud", "sub", "iat", "exp", "jti", "type"]


@dataclass
class Claims:
    """What a valid token says: whom it stands for, and which family it is of."""

    user_id: int
    jti: UUID
    family: UUID | None = None


def log_in(user: User) -> dict[str, Any]:
    """Return the first tokens of a new family."""
    token = RefreshToken.objects.create(user=user, expires_at=timezone.now() + REFRESH_LIFETIME)
    return _pair(user.pk, token.jti, token.pk)


def refresh(refresh_token: str) -> dict[str, Any] | None:
    """Return the next tokens of the family, or None; a token used twice ends its family."""
    claims = decode(refresh_token, "refresh")
    if claims is None or claims.family is None:
        return None
    # Not `user__is_active`: an UPDATE with a join looks its rows up before it waits for their lock,
    # so that of two uses of a token both would win.
    active = User.objects.filter(is_active=True)
    family = RefreshToken.objects.filter(pk=claims.family, user__in=active)
    jti = uuid4()
    if not family.filter(jti=claims.jti).update(
        jti=jti, expires_at=timezone.now() + REFRESH_LIFETIME
    ):
        family.delete()
        return None
    return _pair(claims.user_id, jti, claims.family)


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
            options={"require": _REQUIRED, "strict_aud": True},
        )
        family = UUID(payload["family"]) if "family" in payload else None
        claims = Claims(int(payload["sub"]), UUID(payload["jti"]), family)
    except (jwt.InvalidTokenError, ValueError, TypeError, AttributeError):
        return None
    return claims if payload["type"] == kind else None


def access_token(user_id: int) -> str:
    """Return a JWT that stands for the user for 15 minutes."""
    return _encode("access", user_id, uuid4(), ACCESS_LIFETIME)


def _pair(user_id: int, jti: UUID, family: UUID) -> dict[str, Any]:
    return {
        "access_token": access_token(user_id),
        "refresh_token": _encode("refresh", user_id, jti, REFRESH_LIFETIME, family=str(family)),
        "token_type": "bearer",
        "expires_in": int(ACCESS_LIFETIME.total_seconds()),
    }


def _encode(kind: str, user_id: int, jti: UUID, lifetime: timedelta, **claims: str) -> str:
    now = datetime.now(UTC)
    claims |= {"iss": SERVICE, "aud": SERVICE, "sub": str(user_id), "jti": str(jti), "type": kind}
    payload = {**claims, "iat": now, "exp": now + lifetime}
    return jwt.encode(payload, settings.SECRET_KEY, algorithm=_ALGORITHM)
