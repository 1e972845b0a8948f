"""Logins leave no tokens behind, where there is no worker to delete them."""

from datetime import timedelta

from django.utils import timezone

from accounts import tokens
from accounts.models import RefreshToken, User
from tests.factories import new_user


def test_a_login_deletes_what_is_expired_of_its_user(user: User) -> None:
    stranger = new_user("stranger@example.org")
    for owner, days in [(user, -1), (user, 1), (stranger, -1)]:
        expires_at = timezone.now() + timedelta(days=days)
        RefreshToken.objects.create(user=owner, expires_at=expires_at)

    tokens.log_in(user)

    expired = RefreshToken.objects.filter(expires_at__lt=timezone.now())
    assert [token.user for token in expired] == [stranger]
    assert RefreshToken.objects.filter(user=user).count() == 2
