"""Users, read through the cache."""

import json
from collections.abc import Callable
from functools import wraps

from accounts.models import User
from core.cache import cache
from core.renderers import JSONRenderer

# The fields of a user that the cache holds. The others are read from the database once a view asks
# for one; what the API shows is for `UserSerializer` alone to say.
KNOWN = ["id", "email", "created_at"]

Find = Callable[[int], User | None]


def read_through(find: Find) -> Find:
    """Have a user be looked up in the cache first."""

    @wraps(find)
    def wrapped(user_id: int) -> User | None:
        def load() -> bytes | None:
            if (user := find(user_id)) is None:
                return None
            return JSONRenderer().render({name: getattr(user, name) for name in KNOWN})

        entry, _ = cache.read_through(f"user:{user_id}", load)
        if entry is None:
            return None
        known = json.loads(entry)
        fields = [field for field in User._meta.concrete_fields if field.attname in known]
        values = [field.to_python(known[field.attname]) for field in fields]
        return User.from_db("default", [*known], values)

    return wrapped
