"""The grammar: `product name:string{1..200}! sku:string!:uniq`, or shorter `product:name,sku:text`.

An answer has all resources in one text, in one form: each with its plural and every limit, one
after the other with `; ` between them. The template takes that apart with what Jinja has.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from stackyard.resources import fields, names
from stackyard.resources.errors import ResourceError

_FIELD = re.compile(
    r"(?P<name>[^:!{}]+)(?::(?P<type>(?!(?:uniq|index)\b)[^:!{}]+)(?P<braces>\{(?P<limits>[^{}]*)\})?)?"
    r"(?P<required>!)?(?P<marks>(?::(?:uniq|index))*)"
)


@dataclass(frozen=True)
class Field:
    """One field; `limits` is what stands in the braces, in the one form of its type."""

    name: str
    type: str
    limits: str
    required: bool
    unique: bool
    index: bool

    def __str__(self) -> str:
        """Return it as an answer has it."""
        braces = f"{{{self.limits}}}" if self.limits else ""
        marks = f"{'!' if self.required else ''}{':uniq' if self.unique else ''}"
        marks += ":index" if self.index else ""
        return f"{self.name}:{self.type}{braces}{marks}"


@dataclass(frozen=True)
class Resource:
    """What rows of one table are: `name` is what one is called, `plural` what several are."""

    name: str
    plural: str
    fields: tuple[Field, ...]

    def __str__(self) -> str:
        """Return it as an answer has it."""
        return f"{self.name}/{self.plural} {' '.join(map(str, self.fields))}"

    @property
    def classes(self) -> set[str]:
        """Return the classes that the project has for it, and the types of its fields."""
        name = _class(self.name)
        types = [*(field.name for field in self.fields), "ordering"]
        return {
            *(f"{name}{suffix}" for suffix in ("", "In", "Patch", "Query", "Page")),
            *(f"_{name}{_class(one)}" for one in types),
        }


def parse(texts: Iterable[str]) -> list[Resource]:
    """Return the resources that are told, which can be in one project.

    Raises:
        ResourceError: saying what is wrong with one, in one line.
    """
    resources = [_resource(one) for text in texts for one in text.split(";") if one.strip()]
    for number, resource in enumerate(resources):
        for other in resources[:number]:
            if {resource.name, resource.plural} & {other.name, other.plural}:
                raise ResourceError(resource.name, "it is told twice; keep one of them")
            # In whatever case: so the cache names the rows of Django's.
            if {*map(str.lower, resource.classes)} & {*map(str.lower, other.classes)}:
                raise ResourceError(
                    resource.name, f"a class of it is called as one of {other.name}; rename it"
                )
    return resources


def canonical(texts: Iterable[str]) -> str:
    """Return what is told as an answer has it.

    Raises:
        ResourceError: as `parse` does.
    """
    return "; ".join(map(str, parse(texts)))


def _resource(text: str) -> Resource:
    text = text.strip()
    head, separator, rest = _split_head(text)
    name, slash, plural = head.partition("/")
    if not rest.strip():
        reason = "it has no fields; put all of it in single quotes, as in 'product name:string!'"
        raise ResourceError(text, reason)
    found = [_field(one) for one in _split_fields(rest, separator)]
    if not slash:
        plural = _plural(name)
    names.check_resource(name, plural)
    told = [field.name for field in found]
    ranges = {
        f"{field.name}_{end}"
        for field in found
        if field.type in fields.RANGED
        for end in ("from", "to")
    }
    for field in told:
        if told.count(field) > 1:
            raise ResourceError(field, f"{name} has it twice; keep one of them")
        if field in ranges:
            raise ResourceError(field, "lists are narrowed by that parameter; choose another name")
        if len(plural) + len(field) > names.CONSTRAINT:
            reason = f"with {plural} it is longer than {names.CONSTRAINT} letters"
            raise ResourceError(field, f"{reason}, which no constraint is called; choose another")
        if [_class(one) for one in told].count(_class(field)) > 1:
            raise ResourceError(field, "its type is called as that of another field; rename it")
    return Resource(name, plural, tuple(found))


def _class(name: str) -> str:
    """Return a name as one of a class."""
    return "".join(word.capitalize() for word in name.split("_"))


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
    import inflect

    *before, last = name.split("_")
    if not (last.isascii() and last.isalpha()):
        return f"{name}s"
    return "_".join([*before, str(inflect.engine().plural_noun(last))])
