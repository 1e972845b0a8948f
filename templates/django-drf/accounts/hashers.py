"""How passwords are hashed: with Argon2id, and few at once."""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import BoundedSemaphore

from django.contrib.auth.hashers import Argon2PasswordHasher

from core.problems import TryLaterError

_hashing = BoundedSemaphore(2)
_places = BoundedSemaphore(8)  # those and who waits: fewer than the threads that serve requests


@contextmanager
def _turn() -> Iterator[None]:
    if not _places.acquire(blocking=False):
        raise TryLaterError(503, "Too many log in or register at once; try again.", 5)
    try:
        with _hashing:
            yield
    finally:
        _places.release()


class BoundedArgon2PasswordHasher(Argon2PasswordHasher):
    """Django's, with the parameters of RFC 9106, section 4: 64 MiB a hash.

    At most two hashes are computed at once, and few wait; to more, `TryLaterError` is raised.
    """

    time_cost = 3
    memory_cost = 64 * 1024  # KiB
    parallelism = 4

    def encode(self, password: str, salt: str) -> str:
        """Return the hash of a password."""
        with _turn():
            return super().encode(password, salt)

    def verify(self, password: str, encoded: str) -> bool:
        """Tell whether a password is the one that was hashed."""
        with _turn():
            return super().verify(password, encoded)
