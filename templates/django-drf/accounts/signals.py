"""What ends the cached copy of a user: every change, through the API or the admin site."""

from typing import Any

from django.db.models.signals import post_delete, post_save
from django.dispatch import receiver

from accounts.models import User
from core.cache import cache


@receiver([post_save, post_delete], sender=User)
def end_cached_user(instance: User, **_: Any) -> None:
    """End the cached copy once the change is committed."""
    cache.end_after_commit(f"user:{instance.pk}")
