"""What the rules of rows are judged by: books, or resources of the owner's own, by their fields."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import pytest

from combinations import CHOICES, DEFAULTS, ELSEWHERE, name_of, offered
from covering import Answers
from stackyard.resources import Field, Resource, canonical, parse

from .values import fresh

REFERENCES = "references"
NAMED: dict[str, int] = {}
"""The ids of the rows that others have to name, by what they are called: `named` makes them."""


@dataclass(frozen=True)
class Subject:
    """Rows of one kind: where they are, and what bodies of them look like."""

    resource: Resource

    @property
    def name(self) -> str:
        return self.resource.name

    @property
    def path(self) -> str:
        return f"/api/v1/{self.resource.plural}"

    @property
    def feed(self) -> str:
        """The path of the feed that tells of it."""
        return "/ws/books" if self == BOOK else "/ws/changes"

    @property
    def fields(self) -> list[Field]:
        """The fields that hold a value of their own."""
        return [field for field in self.resource.fields if field.type != REFERENCES]

    @property
    def references(self) -> list[Field]:
        """The fields that name another row."""
        return [field for field in self.resource.fields if field.type == REFERENCES]

    @property
    def columns(self) -> set[str]:
        """What a row of it shows."""
        own = {field.column for field in self.resource.fields}
        return own | {"id", "created_at", "updated_at"}

    @property
    def text(self) -> str:
        """A field that is a text and required."""
        return next(field.name for field in self.fields if field.type == "string")

    def body(self, **fields: Any) -> dict[str, Any]:
        """Make the body of a row that is valid but for the fields given."""
        needed = {field.column: NAMED[field.limits] for field in self.references if field.required}
        return {field.name: fresh(field) for field in self.fields} | needed | fields

    def __str__(self) -> str:
        return self.name


[VOLUME] = parse(["volume title:string{1..200}! author:string{1..200}! publication_date:date!"])
BOOK = Subject(replace(VOLUME, name="book", plural="books"))
"""A book, whose ISBN is nobody's."""

TOLD = canonical(
    [
        # With what sounds like the end of a range and is a field.
        "category name:string{1..80}!:uniq name_to:integer parent:references{category}",
        "product name:string{1..200}! sku:string!:uniq price:decimal{10.2}! stock:integer"
        " status:enum{draft,live}! released:date category:references",
        "event title:string{1..100}! note:text{5..500} open:boolean! starts:datetime!:index"
        " ends:datetime code:uuid:uniq host:email! reply_to:email:uniq site:url{300}"
        " level:integer{-9..9}! ratio:float{0..1} reading:float rate:decimal{5.0}!"
        " detail:json! extra:json product:references!",
    ]
)
"""The resources of a shop, as an answer has them: with every type, required and not."""

SHOP = [Subject(resource) for resource in parse([TOLD])]
CATEGORY, PRODUCT, EVENT = SHOP

SHOPS = {
    f"{name_of(told)}-shop": told | {"resources": TOLD}
    for default in DEFAULTS.values()
    for told in (default | {"database": database} for database in CHOICES["database"])
    if offered(told)
}
"""The defaults of each framework with these resources, on each database."""


def in_turn(shop: Answers, *, also_of_books: bool) -> list[pytest.MarkDecorator]:
    """Return what has the gate ask a shop something, or leave it to `make test-all`.

    On the default database it asks each, what books are judged by as well of one; elsewhere it asks
    one framework of a few, and only what no book is judged by.
    """
    told = {name: answer for name, answer in shop.items() if name != "resources"}
    framework = told["framework"]
    if told in DEFAULTS.values():
        return [pytest.mark.one_of(4, framework)] if also_of_books else []
    if also_of_books or told not in ELSEWHERE:
        return [pytest.mark.everything]
    return [pytest.mark.one_of(2, framework, sorted({one["framework"] for one in ELSEWHERE}))]
