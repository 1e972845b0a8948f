"""Text beyond ASCII: case as Unicode has it, and email addresses in their one form."""

from typing import Any

from django.db import migrations, models

import accounts.models
from accounts.addresses import lookup_form

# Case is the same whatever the locale of the database: with C, only ASCII has any.
UNICODE_CASE = """
DO $$
BEGIN
    IF current_setting('server_version_num')::int >= 180000 THEN
        CREATE COLLATION unicode_case (provider = builtin, locale = 'PG_UNICODE_FAST');
    ELSE
        CREATE COLLATION unicode_case (provider = icu, locale = 'und');
    END IF;
END
$$
"""


def bring_into_form(apps: Any, _: Any) -> None:
    """Change addresses beyond ASCII; one whose form another user has stays as it is."""
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
        migrations.RunSQL(UNICODE_CASE, "DROP COLLATION unicode_case"),
        migrations.AlterField(
            model_name="user",
            name="email",
            field=models.CharField(
                max_length=254, unique=True, validators=[accounts.models.validate_address]
            ),
        ),
        migrations.RunPython(bring_into_form, migrations.RunPython.noop),
    ]
