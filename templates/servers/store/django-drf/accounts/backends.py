"""Who logs in, through the API or the admin site."""

from typing import Any

from django.contrib.auth.backends import ModelBackend
from django.http import HttpRequest

from accounts import attempts
from accounts.models import User


class LimitedBackend(ModelBackend):
    """Django's, but for who has tried too often: to them `TryLaterError` is raised."""

    def authenticate(
        self,
        request: HttpRequest | None,
        username: str | None = None,
        password: str | None = None,
        **credentials: Any,
    ) -> User | None:
        """Return the user whose credentials these are, or None."""
        if request is None or username is None:
            return super().authenticate(request, username, password, **credentials)
        address = request.META["REMOTE_ADDR"]
        with attempts.counted(User.normalize_username(username), address) as attempt:
            user = super().authenticate(request, username, password, **credentials)
            attempt.failed = user is None
        return user
