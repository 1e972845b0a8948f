"""The application of what every part has in common."""

from django.apps import AppConfig, apps
from django.db.models.signals import post_delete, post_save


class CoreConfig(AppConfig):
    """Has every change of a row, through the API or the admin site, end its cached copies."""

    name = "core"

    def ready(self) -> None:
        """Connect the signals."""
        from accounts.models import User
        from core.models import Resource
        from core.signals import end_copies

        for model in apps.get_models():
            if issubclass(model, Resource | User):
                post_save.connect(end_copies, sender=model)
                post_delete.connect(end_copies, sender=model)
