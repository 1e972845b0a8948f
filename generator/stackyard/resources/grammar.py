"""The grammar: `product name:string{1..200}! sku:string!:uniq`, or shorter `product:name,sku:text`.

An answer has all resources in one text, in one form: each with its plural and every limit, one
after the other with `; ` between them. What came later stands behind: `+product weight:integer` for
fields, `-product` for one that is no more. So each step keeps its place, by which its migration is
called. The template takes that apart with what Jinja has.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from pluralizer import Pluralizer

from stackyard.resources import fields, names
from stackyard.resources.errors import ResourceError
from stackyard.resources.steps import Addition, Field, Removal, Resource, Step, at_the_end, in_order

_FIELD = re.compile(
    r"(?P<name>[^:!{}]+)(?::(?P<type>(?!(?:uniq|index)\b)[^:!{}]+)(?P<braces>\{(?P<limits>[^{}]*)\})?)?"
    r"(?P<required>!)?(?P<marks>(?::(?:uniq|index))*)"
)


def parse(texts: Iterable[str]) -> list[Resource]:
    """Return the resources that are told, which can be in one project, as they are at the end.

    Raises:
        ResourceError: saying what is wrong with one, in one line.
    """
    return at_the_end(_steps(texts))


def canonical(texts: Iterable[str]) -> str:
    """Return what is told as an answer has it.

    Raises:
        ResourceError: as `parse` does.
    """
    steps = _steps(texts)
    at_the_end(steps)
    return "; ".join(map(str, steps))


def continues(before: str, after: str) -> bool:
    """Tell whether one answer is another with more steps, or the same."""
    return not before or f"{after}; ".startswith(f"{before}; ")


def _steps(texts: Iterable[str]) -> list[Step]:
    found = [_step(one.strip()) for text in texts for one in text.split(";") if one.strip()]
    return in_order(found)


def _step(text: str) -> Step:
    if text.startswith("-"):
        return Removal(text[1:].strip())
    head, separator, rest = _split_head(text)
    name, slash, plural = head.removeprefix("+").partition("/")
    if not rest.strip():
        reason = "it has no fields; put all of it in single quotes, as in 'product name:string!'"
        raise ResourceError(text, reason)
    found = tuple(_field(one) for one in _split_fields(rest, separator))
    if head.startswith("+"):
        return Addition(name, found)
    return Resource(name, plural if slash else _plural(name), found)


def _split_head(text: str) -> tuple[str, str, str]:
    """Return the name, what comes between fields, and the fields."""
    found = re.match(r"([^\s:]*)(\s+|:|$)", text)
    if not found:
        return text, "", ""
    return found[1], "," if found[2] == ":" else " ", text[found.end() :]


def _split_fields(text: str, separator: str) -> list[str]:
    """Return the fields; what stands in braces is not split, and keeps no blanks."""
    whole = re.sub(r"\{[^{}]*\}", lambda braces: re.sub(r"\s", "", braces[0]), text)
    between = r"\s+" if separator == " " else r","
    return [one.strip() for one in re.split(rf"{between}(?![^{{}}]*\}})", whole.strip())]


def _field(text: str) -> Field:
    if "\\" in text:
        raise ResourceError(text, "it has a backslash; put all of it in single quotes instead")
    found = _FIELD.fullmatch(text)
    if not found:
        raise ResourceError(
            text, "it is no field; say name:type{limits}!:uniq, such as sku:string!"
        )
    name, kind = found["name"], found["type"] or "string"
    names.check_field(name)
    fields.check_type(name, kind)
    limits = fields.TYPES[kind](name, found["limits"] or "")
    marks = found["marks"].split(":")[1:]
    if "uniq" in marks:
        fields.check_unique(name, kind, limits)
    if "index" in marks:
        fields.check_index(name, kind, limits)
    if len(marks) > 1:
        raise ResourceError(name, "one mark is enough: what is unique has an index already")
    required, unique, index = bool(found["required"]), "uniq" in marks, "index" in marks
    return Field(name, kind, limits, required=required, unique=unique, index=index)


def _plural(name: str) -> str:
    """Return the plural of the last word of a name."""
    *before, last = name.split("_")
    if not (last.isascii() and last.isalpha()):
        return f"{name}s"
    return "_".join([*before, Pluralizer().plural(last)])
