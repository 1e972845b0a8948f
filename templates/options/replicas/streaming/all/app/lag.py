"""How far the replica is behind the primary: a thread of each web process keeps an eye on it."""

import math
import time
from collections import deque
from collections.abc import Callable
from threading import Thread

import structlog
from prometheus_client import Gauge

LIMIT = 5  # seconds that what is read may be old
INTERVAL = 0.5  # seconds between two looks

LAG = Gauge(
    "database_replica_lag_seconds",
    "How old what the replica has may be.",
    multiprocess_mode="mostrecent",
)

logger = structlog.get_logger()


class Watch:
    """Knows how far the replica is behind, and whether it answers.

    Neither server could tell alone, as one that hears nothing more believes it has everything. So
    the primary is asked how long its log is, and the replica how much of it is replayed. When that
    is what the log was some seconds ago, the replica is at most as old.
    """

    def __init__(self, written: Callable[[], int], replayed: Callable[[], int]) -> None:
        """Take two functions that ask for the bytes of the log, one of each server."""
        self._written = written
        self._replayed = replayed
        self._lengths: deque[tuple[float, int]] = deque(maxlen=7200)  # which is an hour
        self._fresh = -math.inf
        self._lost = True

    def start(self) -> None:
        """Look from now on, in a thread that ends with the process."""
        Thread(target=self._look_on, name="replica", daemon=True).start()

    @property
    def lag(self) -> float:
        """Return the seconds that the replica may be behind."""
        return time.monotonic() - self._fresh

    @property
    def status(self) -> str:
        """Return what `/readyz` tells: "ok", "lagging" or "error"."""
        if self._lost:
            return "error"
        return "ok" if self.lag <= LIMIT else "lagging"

    def look(self) -> None:
        """Ask both servers."""
        now = time.monotonic()
        try:
            self._lengths.append((now, self._written()))
        except Exception as error:  # noqa: BLE001 - whatever it is, nothing new is known
            logger.debug("primary out of reach", error=str(error))
        try:
            replayed = self._replayed()
        except Exception as error:  # noqa: BLE001 - whatever it is, the replica is of no use
            self.lose(error)
        else:
            self._lost = False
            while self._lengths and self._lengths[0][1] <= replayed:
                self._fresh, _ = self._lengths.popleft()
        LAG.set(self.lag)

    def lose(self, error: Exception) -> None:
        """Have nobody read from the replica until the next look at it succeeds."""
        if not self._lost:
            logger.warning("replica out of reach", error=str(error))
        self._lost = True

    def _look_on(self) -> None:
        while True:
            self.look()
            time.sleep(INTERVAL)


def catches_up(replayed: Callable[[], int | None], needed: int, seconds: float) -> bool:
    """Wait until the replica has so much of the log; tell whether it had in time."""
    deadline = time.monotonic() + seconds
    while (replayed() or 0) < needed:
        if time.monotonic() > deadline:
            return False
        time.sleep(0.005)
    return True
