"""Values of a field, by its type and limits: what is kept, in which form, and what is refused."""

from __future__ import annotations

import math
import secrets
import uuid
from abc import ABC, abstractmethod
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from stackyard.resources import Field

DAY = datetime(1974, 5, 1, tzinfo=UTC)


class Values(ABC):
    """The values of a field."""

    misfits: tuple[Any, ...] = (["x"], {"x": "y"}, True, 7)
    """What of JSON is no value of the type, whatever its limits."""
    unreadable: tuple[str, ...] = ()
    """What a query cannot say of it."""

    def __init__(self, field: Field) -> None:
        self.field = field
        self.limits = field.limits

    @abstractmethod
    def rising(self, series: str) -> list[Any]:
        """Return three values in their order; texts have the series in them, which is hex."""

    @abstractmethod
    def edges(self) -> list[Any]:
        """Return what is just within the limits, and shown as it is."""

    @abstractmethod
    def beyond(self) -> list[Any]:
        """Return what is of the type in JSON, and no value of the field."""

    def others(self) -> list[tuple[Any, Any]]:
        """Return what is taken in one form and shown in another."""
        return []

    def key(self, value: Any) -> Any:
        """Return what values are ordered by."""
        return value

    def kept(self) -> list[tuple[Any, Any]]:
        """Return what is taken, with the form in which it is shown then."""
        found = [*((value, value) for value in self.edges()), *self.others()]
        return found if self.field.required else [*found, (None, None)]

    def wrong(self) -> list[Any]:
        """Return what is refused."""
        null = [None] if self.field.required else []
        return [*self.misfits, *null, *self.beyond()]


class Text(Values):
    """A `string` or a `text`: its limits are those of its length."""

    def rising(self, series: str) -> list[Any]:
        return [f"{series} {one}" for one in ("Émond", "émonds", "first")]

    def edges(self) -> list[Any]:
        low, high = map(int, self.limits.split(".."))
        odd = "Ünïcødé <b>'\"&\\%_ 図"
        return ["x" * low, "\N{BOOKS}" * high, *([odd] if low <= len(odd) <= high else [])]

    def beyond(self) -> list[Any]:
        low, high = map(int, self.limits.split(".."))
        return ["x" * (high + 1), "nul\0nul", *(["x" * (low - 1)] if low else [])]


class Email(Values):
    def rising(self, series: str) -> list[Any]:
        return [f"{one}.{series}@example.org" for one in "abc"]

    def edges(self) -> list[Any]:
        return ["a@example.org", "Ada.Lovelace+x@Example.org", f"{'a' * 64}@example.org"]

    def beyond(self) -> list[Any]:
        return ["", "ada", "ada@", "Ada <ada@example.org>", f"{'a' * 250}@example.org"]


class URL(Values):
    """Its limit is the most characters that it has."""

    def rising(self, series: str) -> list[Any]:
        return [f"https://example.org/{series}/{one}" for one in "abc"]

    def edges(self) -> list[Any]:
        start = "https://example.org/a?b=1&c="
        return ["http://example.org", start.ljust(int(self.limits), "x")]

    def beyond(self) -> list[Any]:
        long = "https://example.org/".ljust(int(self.limits) + 1, "x")
        other = ["ftp://example.org", "javascript:alert(1)", "https://a:b@example.org"]
        return ["", "example.org", "https://", *other, long]


class Enum(Values):
    unreadable = ("", "?")

    def rising(self, _: str) -> list[Any]:
        choices = sorted(self.limits.split(","))
        return [choices[0], choices[len(choices) // 2], choices[-1]]

    def edges(self) -> list[Any]:
        return self.limits.split(",")

    def beyond(self) -> list[Any]:
        return ["", "?", self.limits.split(",")[0].upper()]


class Integer(Values):
    misfits = (["x"], {"x": "y"}, True, 2**64)
    unreadable = ("", "one", "1.5", "+1", "1_0", " 1", "\N{ARABIC-INDIC DIGIT ONE}")

    def rising(self, series: str) -> list[Any]:
        low, high = map(int, self.limits.split(".."))
        first = low + int(series, 16) % max(1, high - low - 1)
        return [first, first + 1, first + 2]

    def edges(self) -> list[Any]:
        return [*map(int, self.limits.split(".."))]

    def beyond(self) -> list[Any]:
        low, high = self.edges()
        return [low - 1, high + 1, low + 0.5, float(low), str(low)]


class Number(Values):
    """A `decimal`: its limits are its digits, and how many of them follow the point."""

    unreadable = ("", "one", "1e1", "NaN", "+1", " 1")

    def __init__(self, field: Field) -> None:
        super().__init__(field)
        self.digits, self.places = map(int, self.limits.split("."))

    def written(self, number: Decimal) -> str:
        return f"{number:.{self.places}f}"

    def rising(self, series: str) -> list[Any]:
        last = Decimal(1).scaleb(-self.places)
        first = (int(series, 16) % (10**self.digits // 2) - 10**self.digits // 4) * last
        return [self.written(first + n * last) for n in range(3)]

    def edges(self) -> list[Any]:
        most = Decimal(10**self.digits - 1).scaleb(-self.places)
        return [*map(self.written, (most, -most, Decimal(0)))]

    def beyond(self) -> list[Any]:
        other = ["", "NaN", "Infinity", "1e1", " 1", "+1", "1.", 1.5, "\N{ARABIC-INDIC DIGIT ONE}"]
        return [*other, "1" * (self.digits - self.places + 1), f"0.{'0' * (self.places + 1)}"]

    def others(self) -> list[tuple[Any, Any]]:
        return [("1", self.written(Decimal(1)))]

    def key(self, value: Any) -> Any:
        return Decimal(value)


class Float(Values):
    misfits = (["x"], {"x": "y"}, True)
    unreadable = ("", "one", "nan", "inf", " 1")

    def __init__(self, field: Field) -> None:
        super().__init__(field)
        low, _, high = self.limits.partition("..")
        self.low, self.high = float(low or -math.inf), float(high or math.inf)

    def rising(self, series: str) -> list[Any]:
        low, high = max(self.low, -1e6), min(self.high, 1e6)
        return [low, low + (high - low) * (0.4 + int(series, 16) % 1000 / 10_000), high]

    def edges(self) -> list[Any]:
        return [max(self.low, -1e300), 0.1, min(self.high, 1e300)]

    def beyond(self) -> list[Any]:
        low = [self.low - 0.1] if self.low > -math.inf else []
        high = [self.high + 0.1] if self.high < math.inf else []
        return ["0.5", *low, *high]


class Boolean(Values):
    misfits = (["x"], {"x": "y"}, 0, 1)
    unreadable = ("", "yes", "1", "True")

    def rising(self, _: str) -> list[Any]:
        return [False, False, True]

    def edges(self) -> list[Any]:
        return [True, False]

    def beyond(self) -> list[Any]:
        return ["true", ""]


class Date(Values):
    unreadable = ("", "2023-02-29", "20230105", "1672876800", "2023-01-05T00:00:00")

    def rising(self, series: str) -> list[Any]:
        first = DAY + timedelta(days=int(series, 16) % 10**5)
        return [f"{first + timedelta(days=n):%Y-%m-%d}" for n in range(3)]

    def edges(self) -> list[Any]:
        return ["0001-01-01", "2024-02-29", "9999-12-31"]

    def beyond(self) -> list[Any]:
        return ["", "2023-02-29", "20230105", "2023-1-5", "2023-01-05T00:00:00Z", "yesterday"]


class Moment(Values):
    """A `datetime`, which is shown in UTC, to the microsecond where it has any."""

    unreadable = ("", "2023-02-29T00:00:00Z", "2023-01-05", "2023-01-05T00:00:00", "1672876800")

    def rising(self, series: str) -> list[Any]:
        first = DAY + timedelta(microseconds=int(series, 16))
        several = [first + timedelta(microseconds=n) for n in range(3)]
        return [moment.isoformat().replace("+00:00", "Z") for moment in several]

    def edges(self) -> list[Any]:
        return ["0001-01-02T00:00:00Z", "2024-02-29T23:59:59Z", "9999-12-30T23:59:59.999999Z"]

    def beyond(self) -> list[Any]:
        return ["", "2023-01-05", "2023-01-05T00:00:00", "2023-02-29T00:00:00Z", "yesterday"]

    def others(self) -> list[tuple[Any, Any]]:
        return [
            ("2026-01-31T11:30:00+02:00", "2026-01-31T09:30:00Z"),
            ("2026-01-31T09:30:00.500Z", "2026-01-31T09:30:00.500000Z"),
        ]

    def key(self, value: Any) -> Any:
        return datetime.fromisoformat(value)


class UUID(Values):
    unreadable = ("", "x", "1")

    def rising(self, series: str) -> list[Any]:
        # By their first digits, against their last: some database has these first.
        first = int(series, 16) % (2**48 - 2)
        several = [((first + n) << 80) + 2 - n for n in range(3)]
        return [str(uuid.UUID(int=one, version=4)) for one in several]

    def edges(self) -> list[Any]:
        return [str(uuid.UUID(int=0)), str(uuid.uuid4()), str(uuid.UUID(int=2**128 - 1))]

    def beyond(self) -> list[Any]:
        return ["", "x", f"{{{uuid.uuid4()}}}", str(uuid.uuid4())[1:]]

    def others(self) -> list[tuple[Any, Any]]:
        return [(str(one).upper(), str(one)) for one in [uuid.uuid4()]]


class JSON(Values):
    """An object or an array, of as many levels as there may be, and one more."""

    misfits = ("", "text", "{}", True, 7, 0.5)

    @staticmethod
    def nested(levels: int) -> list[Any]:
        found: list[Any] = []
        for _ in range(levels - 1):
            found = [found]
        return found

    def rising(self, series: str) -> list[Any]:
        return [{"series": series, "of": 3}, [series], {"series": [series]}]

    def edges(self) -> list[Any]:
        parts = {"b": {"": [True, 1, 0.5, None]}, "a": "Ünïcødé <b>'\"\\ \u2028 📚"}
        return [{}, [], [[], {}], parts, [0.1, -1e-7, 1e22, 5e-324, -(2**64)], self.nested(200)]

    def beyond(self) -> list[Any]:
        texts = [["nul\0"], {"a": {"\0": 1}}, {"a": ["\ud800"]}, [{"x\udfffx": []}]]
        return [*texts, [10**400], {"a": [-(10**400)]}, self.nested(201)]


TYPES: dict[str, type[Values]] = {
    "string": Text,
    "text": Text,
    "email": Email,
    "url": URL,
    "enum": Enum,
    "integer": Integer,
    "decimal": Number,
    "float": Float,
    "boolean": Boolean,
    "date": Date,
    "datetime": Moment,
    "uuid": UUID,
    "json": JSON,
}


def values_of(field: Field) -> Values:
    return TYPES[field.type](field)


def fresh(field: Field) -> Any:
    """Make up a value that is hardly another's."""
    return secrets.choice(values_of(field).rising(secrets.token_hex(6)))


def as_parameter(value: Any) -> str:
    """Write a value as a query has it."""
    return str(value).lower() if isinstance(value, bool) else str(value)
