"""Email addresses in the one form in which they are looked up."""

from typing import Any

from django.db import migrations, models

import accounts.models
from accounts.addresses import lookup_form


def bring_into_form(apps: Any, _: Any) -> None:
    """Change addresses beyond ASCII, of two that come to one only the first."""
    users = apps.get_model("accounts", "User").objects
    for user in users.filter(email__regex="[^ -~]").order_by("pk"):
        form = lookup_form(user.email)
        if not users.filter(email=form).exists():
            users.filter(pk=user.pk).update(email=form)


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0001_initial"),
    ]

    operations = [
        migrations.AlterField(
            model_name="user",
            name="email",
            field=models.CharField(
                max_length=254, unique=True, validators=[accounts.models.validate_address]
            ),
        ),
        migrations.RunPython(bring_into_form, migrations.RunPython.noop),
    ]
