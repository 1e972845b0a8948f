"""The application of users."""

from django.apps import AppConfig


class AccountsConfig(AppConfig):
    """Users, their passwords and their tokens."""

    name = "accounts"

    def ready(self) -> None:
        """Connect the signals."""
        from accounts import signals  # noqa: F401 - for its effect
