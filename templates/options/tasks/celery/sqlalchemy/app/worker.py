"""The Celery application: where its messages go, and what runs on a schedule."""

from typing import Any

from celery import Celery, beat, signals
from celery.schedules import crontab

from app.logs import configure_logging
from app.settings import settings


class Scheduler(beat.Scheduler):
    """Sends by the pool, which replaces a connection that was refused: beat would keep its own."""

    producer = None  # type: ignore[assignment]


celery = Celery("app", broker=settings.celery_broker_url.unicode_string(), include=["app.tasks"])
celery.conf.update(
    # A task is done when it has run, not when it was fetched: a killed worker loses none.
    task_acks_late=True,
    task_reject_on_worker_lost=True,
    worker_prefetch_multiplier=1,
    worker_cancel_long_running_tasks_on_connection_loss=True,
    task_ignore_result=True,
    # An endpoint that cannot enqueue says so at once.
    task_publish_retry=False,
    broker_transport_options={"max_retries": 0, "socket_connect_timeout": 2, "socket_timeout": 5},
    broker_connection_retry_on_startup=True,
    broker_connection_max_retries=None,
    # A broker that refuses, as a replica does, is waited for as one that is lost.
    broker_channel_error_retry=True,
    # Of what is in the broker only tasks of ours are obeyed, and only JSON is read.
    accept_content=["json"],
    task_serializer="json",
    worker_enable_remote_control=False,
    worker_redirect_stdouts=False,
    beat_scheduler="app.worker:Scheduler",  # keeps no file: each run is due by the clock
    beat_schedule={
        "delete expired refresh tokens": {
            "task": "app.tasks.delete_expired_refresh_tokens",
            "schedule": crontab(minute="0"),
        },
        "finish lost reports": {
            "task": "app.tasks.finish_lost_reports",
            "schedule": 60.0,  # seconds
            "options": {"expires": 60},
        },
    },
)


@signals.setup_logging.connect
def _on_setup_logging(**_: Any) -> None:
    configure_logging(settings.log_level, readable=settings.environment == "development")
