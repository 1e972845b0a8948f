"""The application of books."""

from django.apps import AppConfig


class BooksConfig(AppConfig):
    """The catalogue."""

    name = "books"

    def ready(self) -> None:
        """Connect the signals."""
        from books import signals  # noqa: F401 - for its effect
