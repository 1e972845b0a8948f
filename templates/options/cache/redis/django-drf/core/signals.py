"""What ends the cached copies of a row, alone and in lists."""

from functools import partial
from typing import Any

from django.db import transaction
from django.db.models import Model

from core.cache import cache


def entries_of(row: Model) -> list[str]:
    """Return the names of the entries of the cache that may hold the row."""
    name = row._meta.model_name
    return [f"{name}s", f"{name}:{row.pk}"]


def end_copies(instance: Model, **_: Any) -> None:
    """End the cached copies of a row once its change is committed, before the answer."""
    transaction.on_commit(partial(cache.end, *entries_of(instance)))
