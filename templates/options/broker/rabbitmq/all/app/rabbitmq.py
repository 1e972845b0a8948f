"""RabbitMQ: the queue of tasks, and connections that are given up where it does not answer."""

from typing import Any

from kombu import Exchange, Queue
from kombu.exceptions import OperationalError
from kombu.transport import TRANSPORT_ALIASES, pyamqp

ANSWER = 3  # seconds that one may take

# On disk, and in a cluster on several nodes. A message that fails its worker is delivered again, 20
# times, and then dropped: what has to be done is a row.
QUEUE = Queue(
    "celery",
    Exchange("celery", type="topic"),  # only by such a one can a task be sent for later
    routing_key="celery",
    queue_arguments={"x-queue-type": "quorum", "x-delivery-limit": 20},
)


class Connection(pyamqp.Connection):
    """A connection that ends where an answer is late, or where messages are not taken.

    What comes later would be taken for the answer to the next question.
    """

    def __init__(self, **options: Any) -> None:
        super().__init__(on_blocked=self._on_alarm, **options)

    def blocking_read(self, timeout: float | None = None) -> Any:
        """Handle a frame; without a `timeout` there is one who waits for an answer."""
        try:
            return super().blocking_read(ANSWER if timeout is None else timeout)
        except TimeoutError:
            if timeout is None:
                self.collect()
            raise

    def _on_alarm(self, reason: str) -> None:
        """Give up: of memory or disk so little is left that it reads no message any more."""
        self.collect()
        raise OperationalError(reason)


class Transport(pyamqp.Transport):
    """What Celery connects by, where a URL begins with `amqp`."""

    Connection = Connection


TRANSPORT_ALIASES.update(amqp=f"{__name__}:Transport", amqps=f"{__name__}:Transport")
