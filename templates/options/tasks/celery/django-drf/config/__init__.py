"""The project: its settings, its URLs, and what serves them."""

from config.worker import celery

__all__ = ["celery"]  # loaded with Django, so that tasks know where they are sent
