"""The queue in RabbitMQ: it keeps what it was given, but no message that nobody can take."""

import httpx
import pytest

from ..brokers import QUEUE
from ..processes import until
from ..service import Service
from .outages import ask, done

pytestmark = pytest.mark.usefixtures("with_tasks", "by_rabbitmq")


def test_every_queue_is_a_quorum_queue(service: Service) -> None:
    """On disk, and in a cluster on several nodes: those too in which tasks wait for their time."""
    printed = service.broker.control("list_queues", "--no-table-headers", "name", "type")
    kinds = dict(line.split() for line in printed.splitlines())
    assert "celery" in kinds
    assert {*kinds.values()} == {"quorum"}


def test_a_queued_report_outlives_the_broker(service: Service, user: httpx.Client) -> None:
    """What RabbitMQ has confirmed is there after it was killed."""
    service.worker.stop()
    path = ask(user)
    service.broker.kill()
    service.broker.start()
    with service.broker.channel() as channel:
        until(
            lambda: channel.queue_declare(QUEUE, passive=True).message_count,
            within=10,
            failing="the message is lost",
        )
    service.worker.start()
    done(user, path)


def test_a_message_that_ends_its_workers_is_dropped(service: Service, user: httpx.Client) -> None:
    """It is delivered again 20 times, and then no more; its report is a row, and computed."""
    service.worker.stop()
    path = ask(user)
    delivered = service.broker.returned_until_gone()
    assert {*delivered.values()} == {21}
    service.worker.start()
    done(user, path)
