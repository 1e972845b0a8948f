"""What ends the cached copies of a book: every change, through the API or the admin site."""

from typing import Any

from django.db.models.signals import post_delete, post_save
from django.dispatch import receiver

from books.models import Book
from core.cache import cache


@receiver([post_save, post_delete], sender=Book)
def end_cached_book(instance: Book, **_: Any) -> None:
    """End the cached copies, alone and in lists, once the change is committed."""
    cache.end_after_commit("books", f"book:{instance.pk}")
