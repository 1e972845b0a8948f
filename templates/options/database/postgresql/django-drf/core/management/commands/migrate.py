"""`migrate`, which several hosts may run at once."""

from typing import Any

from django.core.management.commands import migrate
from django.db import connections

from core.postgresql.base import RequestConnection
from core.postgresql.connections import one_at_a_time


class Command(migrate.Command):
    """Django's own command, one at a time."""

    def handle(self, *args: Any, **options: Any) -> None:
        """Apply the migrations that nobody else has applied meanwhile."""
        parameters = connections[options["database"]].get_connection_params()
        with one_at_a_time(RequestConnection.connect(**parameters)):
            super().handle(*args, **options)
