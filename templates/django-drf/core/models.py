"""What the tables of the resources have in common."""

from typing import Any

from django.db import models


class ChangeTimeField(models.DateTimeField):
    """When a row was changed last, which at first is when it was created, to the microsecond."""

    def pre_save(self, model_instance: Any, add: bool) -> Any:
        """Return the time to store."""
        if not add:
            return super().pre_save(model_instance, add)
        model_instance.updated_at = model_instance.created_at
        return model_instance.updated_at

    def deconstruct(self) -> Any:
        """Describe the field for migrations, to which it is one like any."""
        name, _, *rest = super().deconstruct()
        return name, "django.db.models.DateTimeField", *rest


class Resource(models.Model):
    """A row that the API shows; each has a `creator` too, who alone may change it."""

    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = ChangeTimeField(auto_now=True)

    class Meta:
        abstract = True
