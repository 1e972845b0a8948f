"""The Celery application: its settings are Django's that begin with `CELERY_`."""

import os
from typing import Any

from celery import Celery, beat, signals
from django.conf import settings

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

STATEMENT = 60  # seconds that one may take, as a report reads whole tables


class Scheduler(beat.Scheduler):
    """Sends by the pool, which replaces a connection that was refused: beat would keep its own."""

    producer = None  # type: ignore[assignment]


celery = Celery("config")
celery.config_from_object("django.conf:settings", namespace="CELERY")
celery.autodiscover_tasks()


@signals.setup_logging.connect
def _leave_logging_alone(**_: Any) -> None:
    """Keep Celery from setting up what the settings have set up already."""


@signals.worker_init.connect
def _give_silent_servers_up(**_: Any) -> None:
    settings.DATABASES["default"]["STATEMENT"] = STATEMENT
