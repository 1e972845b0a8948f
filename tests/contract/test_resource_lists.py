"""Lists of resources of the owner's own: filters by the type of a field, search, order, pages."""

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from stackyard.resources import Field

from .client import invalid_fields
from .subjects import SHOP, Subject
from .test_listing import links
from .test_resource_fields import each, each_resource
from .values import as_parameter, fresh, values_of

pytestmark = [pytest.mark.resources, pytest.mark.usefixtures("named")]

Make = Callable[..., dict[str, Any]]
TEXTS = {"string", "text", "email", "url"}
RANGED = {"integer", "decimal", "date", "datetime", "float"}
# What no reference is narrowed by.
NO_IDS = ["", "one", "1.5", "+1", "\N{ARABIC-INDIC DIGIT ONE}"]


@dataclass
class Shelf:
    """Rows that a search for their series finds, and no others: in the order of their ids."""

    series: str
    rows: list[dict[str, Any]]


@pytest.fixture(scope="module")
def shelf(user: httpx.Client, subject: Subject) -> Shelf:
    """Five rows: three that rise in each field, one like the first, one of what is required."""
    series = secrets.token_hex(6)
    values = {field.name: values_of(field).rising(series) for field in subject.fields}
    first, second, third = ({name: of[n] for name, of in values.items()} for n in range(3))
    unique = {field.name: fresh(field) for field in subject.fields if field.unique}
    optional = {field.name for field in subject.fields if not field.required}
    alike = {**first, **unique}
    least = {name: value for name, value in subject.body().items() if name not in optional}
    bodies = [subject.body(**told) for told in (third, first, second, alike)]
    rows = []
    for body in [*bodies, least]:
        if series not in body[subject.text]:
            body[subject.text] += f" {series}"
        response = user.post(subject.path, json=body)
        assert response.status_code == 201, response.text
        rows.append(response.json())
    return Shelf(series, rows)


def found(client: httpx.Client, subject: Subject, **parameters: Any) -> list[dict[str, Any]]:
    response = client.get(subject.path, params={"page_size": 100, **parameters})
    assert response.status_code == 200, response.text
    return response.json()["items"]


def is_listed(field: Field) -> bool:
    return field.type != "json"


@each(lambda field: is_listed(field) and field.type != "text")
def test_a_filter_narrows_a_list(
    anonymous: httpx.Client, subject: Subject, shelf: Shelf, field: Field
) -> None:
    """A field is a parameter, for its value; texts are whole, and in whatever case."""
    for value in {row[field.name] for row in shelf.rows} - {None}:
        alike = [row for row in shelf.rows if row[field.name] == value]
        told = [as_parameter(value)]
        if field.type in {"string", "email", "url"}:
            told += [value.upper(), value.lower()]
        for one in told:
            parameters = {"search": shelf.series, "ordering": "created_at", field.name: one}
            items = found(anonymous, subject, **parameters)
            assert items == alike, one


@each(lambda field: bool(values_of(field).unreadable))
def test_what_is_no_value_of_a_field_is_refused(
    anonymous: httpx.Client, subject: Subject, field: Field
) -> None:
    """A filter that is no value of the type is 422, and so is one that is given twice."""
    names = [field.name]
    if field.type in RANGED:
        names += [f"{field.name}_from", f"{field.name}_to"]
    values = values_of(field)
    good = as_parameter(values.edges()[0])
    for name in names:
        for value in values.unreadable:
            response = anonymous.get(subject.path, params={name: value})
            assert invalid_fields(response) == {f"query.{name}"}, value
        twice = anonymous.get(subject.path, params=[(name, good)] * 2)
        assert invalid_fields(twice) == {f"query.{name}"}


@each(lambda field: field.type in TEXTS - {"text"})
def test_an_empty_text_asks_for_nothing(
    anonymous: httpx.Client, subject: Subject, shelf: Shelf, field: Field
) -> None:
    """An empty filter of a text is as if it were not there."""
    parameters = {"search": shelf.series, "ordering": "created_at"}
    assert found(anonymous, subject, **parameters, **{field.name: ""}) == shelf.rows


@each(lambda field: field.type in RANGED)
def test_a_range_has_both_its_ends(
    anonymous: httpx.Client, subject: Subject, shelf: Shelf, field: Field
) -> None:
    """`_from` and `_to` are inclusive, alone and together; a row without a value is in none."""
    values = values_of(field)
    first, second, third = values.rising(shelf.series)
    for low, high in (
        *((first, second), (second, second), (third, first)),
        *((third, None), (None, first)),
    ):
        bounds = {f"{field.name}_from": low, f"{field.name}_to": high}
        told = {name: as_parameter(value) for name, value in bounds.items() if value is not None}
        expected = [
            row
            for row in shelf.rows
            if (value := row[field.name]) is not None
            and (low is None or values.key(low) <= values.key(value))
            and (high is None or values.key(value) <= values.key(high))
        ]
        parameters = {"search": shelf.series, "ordering": "created_at", **told}
        assert found(anonymous, subject, **parameters) == expected


@each(is_listed)
@pytest.mark.parametrize("sign", ["", "-"])
def test_a_list_is_ordered_by_any_field(
    anonymous: httpx.Client, subject: Subject, shelf: Shelf, sign: str, field: Field
) -> None:
    """`ordering` is by a field, with `-` descending; ties are by `id`, and null is the most."""
    items = found(anonymous, subject, search=shelf.series, ordering=f"{sign}{field.name}")
    null = [row for row in shelf.rows if row[field.name] is None]
    rest = [row for row in shelf.rows if row[field.name] is not None]
    rest.sort(key=lambda row: values_of(field).key(row[field.name]), reverse=bool(sign))
    assert items == ([*null, *rest] if sign else [*rest, *null])


@each(lambda field: not is_listed(field))
def test_a_list_is_not_ordered_by_json(
    anonymous: httpx.Client, subject: Subject, field: Field
) -> None:
    """There is no order of objects and arrays that anybody knows: to ask for it is 422."""
    for sign in ("", "-"):
        response = anonymous.get(subject.path, params={"ordering": f"{sign}{field.name}"})
        assert invalid_fields(response) == {"query.ordering"}


@each(lambda field: field.type in TEXTS)
def test_a_search_looks_into_every_text(
    anonymous: httpx.Client, subject: Subject, shelf: Shelf, field: Field
) -> None:
    """`search` is a part of any text, in whatever case; `%`, `_` and the backslash are as such."""
    for row in shelf.rows:
        if text := row[field.name]:
            assert row in found(anonymous, subject, search=text[1:].upper())
            for part in (f"%{text[1:]}", f"_{text[1:]}", f"{text}\\"):
                assert found(anonymous, subject, search=part) == []


@each_resource
def test_pages_lead_to_each_other(anonymous: httpx.Client, subject: Subject, shelf: Shelf) -> None:
    """A page says where it is; `next` after `next` leads through the list of the same query."""
    parameters = {"search": shelf.series, "ordering": f"-{subject.text}", "page_size": 2}
    response = anonymous.get(subject.path, params=parameters)
    told = response.json()
    assert {name: told[name] for name in told if name != "items"} == {
        "page": 1,
        "page_size": 2,
        "total": 5,
        "pages": 3,
    }
    rows = told["items"]
    assert {*links(response)} == {"first", "next", "last"}
    while following := links(response).get("next"):
        response = anonymous.get(following)
        rows += response.json()["items"]
        assert len(rows) <= 5
    assert {*links(response)} == {"first", "prev", "last"}
    assert rows == found(anonymous, subject, **parameters | {"page_size": 100})
    assert sorted(rows, key=lambda row: row["id"]) == shelf.rows


@each_resource
def test_the_newest_comes_first(anonymous: httpx.Client, subject: Subject, shelf: Shelf) -> None:
    """Without `ordering` the list is by `-created_at`."""
    assert found(anonymous, subject, search=shelf.series) == shelf.rows[::-1]


@each_resource
@pytest.mark.parametrize(
    ("parameter", "value"),
    [("page", "0"), ("page_size", "101"), ("ordering", "colour"), ("ordering", "creator_id")],
)
def test_a_bad_parameter_is_named(
    anonymous: httpx.Client, subject: Subject, parameter: str, value: str
) -> None:
    """A parameter outside its range is 422."""
    response = anonymous.get(subject.path, params={parameter: value})
    assert invalid_fields(response) == {f"query.{parameter}"}


@each(of="references")
def test_a_reference_narrows_a_list(
    user: httpx.Client, subject: Subject, make: Make, field: Field
) -> None:
    """Its column is a parameter, for the id of the row that is named, and it orders lists."""
    [named] = [one for one in SHOP if one.name == field.limits]
    first, second = (user.post(named.path, json=named.body()).json() for _ in range(2))
    series = secrets.token_hex(6)
    rows = [
        make(**{field.column: one["id"], subject.text: f"{series} {number}"})
        for number, one in enumerate((second, first, second))
    ]
    told = {"ordering": "created_at", field.column: second["id"]}
    assert found(user, subject, **told) == [rows[0], rows[2]]
    assert found(user, subject, **{field.column: 2**53 - 1}) == []
    for value in NO_IDS:
        response = user.get(subject.path, params={field.column: value})
        assert invalid_fields(response) == {f"query.{field.column}"}, value
    ordered = found(user, subject, search=series, ordering=f"-{field.column}")
    assert ordered == [rows[0], rows[2], rows[1]]


@each_resource
def test_a_write_shows_in_the_list_at_once(
    user: httpx.Client, subject: Subject, make: Make
) -> None:
    """Who reads the list after a write has been answered sees what was written."""
    created = make()
    assert newest(user, subject) == created
    text = secrets.token_hex(6)
    changed = user.patch(f"{subject.path}/{created['id']}", json={subject.text: text}).json()
    assert newest(user, subject) == changed
    user.delete(f"{subject.path}/{created['id']}")
    assert newest(user, subject) != changed


def newest(client: httpx.Client, subject: Subject) -> dict[str, Any]:
    """Return the first of the list as most ask for it, which is what a cache keeps."""
    return client.get(subject.path).json()["items"][0]
