"""The types that fields have, and the limits that each takes."""

from __future__ import annotations

import re
from collections.abc import Callable

from stackyard.resources.errors import ResourceError

EXACT = 2**53 - 1
"""The largest whole number that every reader of JSON reads as it is (RFC 8259, section 6)."""

DIGITS = 30
PLACES = 6
"""How many digits a decimal number has at most, and how many of them after the point.

With more of these Python writes it with an exponent.
"""

URL_LENGTHS = range(40, 2001)
"""How many characters a URL can have at most."""

Limits = Callable[[str, str], str]
"""Takes the field and what stands in its braces; returns that in the one form."""


def _length(most: int, default: int) -> Limits:
    def read(field: str, text: str) -> str:
        low, high = _bounds(field, text or str(default), 0, default)
        if not 0 <= low <= high <= most or high == 0:
            raise ResourceError(field, f"no text has {text} characters; say {{1..{default}}}")
        return f"{low}..{high}"

    return read


def _integer(field: str, text: str) -> str:
    low, high = _bounds(field, text or "..", -EXACT, EXACT)
    if not -EXACT <= low <= high <= EXACT:
        raise ResourceError(field, f"no number is in {text}; both ends are at most {EXACT}")
    return f"{low}..{high}"


def _decimal(field: str, text: str) -> str:
    found = re.fullmatch(r"([0-9]{1,2})[.,]([0-9]{1,2})", text or "12.2")
    digits, places = (int(found[1]), int(found[2])) if found else (0, 0)
    if not (1 <= digits <= DIGITS and places <= min(digits, PLACES)):
        reason = f"{{{text}}} is not how many digits, and how many of them after the point"
        raise ResourceError(field, f"{reason}; say {{10.2}}, with {DIGITS} and {PLACES} at most")
    return f"{digits}.{places}"


def _choices(field: str, text: str) -> str:
    choices = [choice.strip() for choice in text.split(",")]
    if len({*choices}) < len(choices) or not all(
        re.fullmatch(r"[a-z0-9][a-z0-9_-]{0,39}", choice) for choice in choices
    ):
        reason = "an enum has different words of a-z, 0-9, _ and - in its braces"
        raise ResourceError(field, f"{reason}; say {{draft,live}}")
    return ",".join(choices)


def _float(field: str, text: str) -> str:
    end = r"(-?(?:0|[1-9][0-9]{0,14})(?:[.][0-9]{1,6})?)?"
    found = re.fullmatch(rf"{end}[.][.]{end}", text or "..")
    low, high = found.groups() if found else (None, None)
    if not found or float(low or "-inf") > float(high or "inf"):
        raise ResourceError(field, f"no number is in {{{text}}}; say {{0..1}} or {{-0.5..}}")
    return text if low or high else ""


def _url(field: str, text: str) -> str:
    text = text or str(URL_LENGTHS.stop - 1)
    if not (re.fullmatch("[1-9][0-9]{1,3}", text) and int(text) in URL_LENGTHS):
        reason = f"{{{text}}} is not how many characters a URL has at most"
        ends = f"{URL_LENGTHS.start} to {URL_LENGTHS.stop - 1}"
        raise ResourceError(field, f"{reason}; say {{255}}, of {ends}")
    return text


def _reference(field: str, text: str) -> str:
    if not re.fullmatch(r"[a-z][a-z0-9_]*", text or field):
        raise ResourceError(field, f"{{{text}}} is no resource's name; say {{category}}")
    return text or field


def _none(field: str, text: str) -> str:
    if text:
        raise ResourceError(field, f"its type takes no limits such as {{{text}}}; leave them out")
    return ""


def _bounds(field: str, text: str, low: int, high: int) -> tuple[int, int]:
    """Return both ends of `1..9`, `1..`, `..9` or `9`."""
    found = re.fullmatch(r"(?:(-?[0-9]{1,18})?\.\.)?(-?[0-9]{1,18})?", text)
    if not found:
        raise ResourceError(field, f"{{{text}}} is no limit; say {{1..200}}")
    return int(found[1] or low), int(found[2] or high)


REFERENCES = "references"
"""The type whose limit is the resource of which it names a row."""

JSON = "json"
"""The type whose values are objects and arrays, which lists are neither narrowed nor ordered by."""

TYPES: dict[str, Limits] = {
    "string": _length(1000, 255),
    "text": _length(100_000, 10_000),
    "integer": _integer,
    "decimal": _decimal,
    "boolean": _none,
    "date": _none,
    "datetime": _none,
    "uuid": _none,
    "float": _float,
    "email": _none,
    "url": _url,
    "enum": _choices,
    JSON: _none,
    REFERENCES: _reference,
}

RANGED = frozenset({"integer", "decimal", "date", "datetime", "float"})
"""The types whose lists take `x_from` and `x_to`."""

LONGEST_INDEXED = 255
"""Of how many characters a text is at most that every database has an index of."""


def check_unique(field: str, kind: str, limits: str) -> None:
    """Refuse what cannot be unique.

    Raises:
        ResourceError: saying why.
    """
    if kind in ("boolean", "enum", "text", JSON):
        raise ResourceError(field, f"a field of type {kind} cannot be unique; leave out :uniq")
    _check_length(field, kind, limits, "unique")


def check_index(field: str, kind: str, limits: str) -> None:
    """Refuse what no index is of.

    Raises:
        ResourceError: saying why.
    """
    if kind in ("text", JSON):
        raise ResourceError(field, f"a field of type {kind} has no index; leave out :index")
    if kind == REFERENCES:
        raise ResourceError(field, "what names a row has an index already; leave out :index")
    _check_length(field, kind, limits, "indexed")


def _check_length(field: str, kind: str, limits: str, what: str) -> None:
    if kind in ("string", "url") and int(limits.rpartition("..")[2]) > LONGEST_INDEXED:
        raise ResourceError(field, f"what is {what} has {LONGEST_INDEXED} characters at most")


def check_type(field: str, kind: str) -> None:
    """Refuse what is no type.

    Raises:
        ResourceError: naming those that there are.
    """
    if kind in TYPES:
        return
    if "\\" in kind or any(kind.startswith(known) for known in TYPES):
        reason = f"{kind!r} is no type: if a shell has changed it, put all of it in single quotes"
    else:
        reason = f"{kind!r} is no type"
    raise ResourceError(field, f"{reason}; there are {', '.join(TYPES)}")
