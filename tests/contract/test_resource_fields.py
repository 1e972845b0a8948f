"""Resources of the owner's own, by their fields: what is kept, what is refused, and races."""

import json
from collections.abc import Callable
from functools import partial
from typing import Any

import httpx
import pytest

from stackyard.resources import Field

from .client import at_once, compact, eight, invalid_fields, problem, token_of, utc
from .subjects import SHOP, Subject
from .values import fresh, values_of

pytestmark = [pytest.mark.resources, pytest.mark.usefixtures("named")]

Make = Callable[..., dict[str, Any]]
OURS = {"id", "created_at", "updated_at"}
JSON = {"Content-Type": "application/json"}


def each(wanted: Callable[[Field], bool] = lambda _: True, *, of: str = "fields") -> Any:
    """Ask a test of each field of each resource that is wanted."""
    cases = [(one, field) for one in SHOP for field in getattr(one, of) if wanted(field)]
    names = [f"{one.name}.{field.name}" for one, field in cases]
    return pytest.mark.parametrize(("subject", "field"), cases, ids=names, scope="session")


def is_unique(field: Field) -> bool:
    return field.unique


each_resource = pytest.mark.parametrize("subject", SHOP, ids=str, scope="session")


@each_resource
def test_a_created_row_is_told_in_full(user: httpx.Client, subject: Subject) -> None:
    """`POST` is 201, the row, with its `Location`; anybody reads the same there."""
    body = subject.body()
    response = user.post(subject.path, json=body)
    assert response.status_code == 201, response.text
    created = response.json()
    assert {*created} == subject.columns
    assert {key: created[key] for key in body} == body
    assert all(created[key] is None for key in subject.columns - {*body, *OURS})
    assert type(created["id"]) is int
    assert response.headers["Location"] == f"{subject.path}/{created['id']}"
    assert utc(created["created_at"]) <= utc(created["updated_at"])
    read = httpx.get(response.url.join(response.headers["Location"]))
    assert (read.status_code, read.json()) == (200, created)


@each()
def test_what_is_valid_is_kept(
    user: httpx.Client, subject: Subject, make: Make, field: Field
) -> None:
    """What is within the limits of a field is kept, in the one form of its type; a change too."""
    path = f"{subject.path}/{make()['id']}"
    for sent, shown in values_of(field).kept():
        response = user.patch(path, json={field.name: sent})
        assert (response.status_code, response.json().get(field.name)) == (200, shown), sent
        assert user.get(path).json() == response.json()
    for sent, shown in [] if field.unique else values_of(field).kept():
        assert make(**{field.name: sent})[field.name] == shown


@each(lambda field: field.type == "json")
def test_json_is_no_number_that_another_equals(
    user: httpx.Client, subject: Subject, make: Make, field: Field
) -> None:
    """`true`, `1` and `1.0` are different values; what is no finite number is refused."""
    path = f"{subject.path}/{make(**{field.name: [1]})['id']}"
    for text in ("[true]", "[1]", "[1.0]", '{"a":[false]}', '{"a":[0]}', "[10000000000000001]"):
        body = f'{{"{field.name}": {text}}}'
        response = user.patch(path, content=body, headers=JSON)
        assert response.status_code == 200, text
        for shown in (response, user.get(path)):
            assert compact(shown.json()[field.name]) == compact(json.loads(text))
    for text in ('{"a":[1e400]}', "[-1e309]"):
        response = user.patch(path, content=f'{{"{field.name}": {text}}}', headers=JSON)
        assert invalid_fields(response) == {f"body.{field.name}"}


@each(lambda field: field.type == "json")
@pytest.mark.parametrize("levels", [201, 900, 1500, 100_000])
def test_json_of_many_levels_is_refused(
    user: httpx.Client, subject: Subject, make: Make, levels: int, field: Field
) -> None:
    """It is 422, or 400 where no parser takes it; what was there stays."""
    created = make()
    path = f"{subject.path}/{created['id']}"
    for text in ("[" * levels + "]" * levels, '{"a":' * levels + "1" + "}" * levels):
        response = user.patch(path, content=f'{{"{field.name}": {text}}}', headers=JSON)
        problem(response, response.status_code)
        assert response.status_code in ({422} if levels == 201 else {400, 422})
    assert user.get(path).json() == created


@each()
@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH"])
def test_what_is_not_valid_is_refused(
    user: httpx.Client, subject: Subject, make: Make, method: str, field: Field
) -> None:
    """A value beyond the limits of a field, or of another type, is 422, and changes nothing."""
    created = make()
    path = subject.path if method == "POST" else f"{subject.path}/{created['id']}"
    for value in values_of(field).wrong():
        body = {field.name: value} if method == "PATCH" else subject.body(**{field.name: value})
        response = user.request(method, path, content=compact(body), headers=JSON)
        named = {name.split("[")[0] for name in invalid_fields(response)}
        assert named == {f"body.{field.name}"}, value
    assert user.get(f"{subject.path}/{created['id']}").json() == created


@each()
def test_only_what_is_required_has_to_be_there(
    user: httpx.Client, subject: Subject, make: Make, field: Field
) -> None:
    """What is left out is null, also where `PUT` replaces a value; a required field is 422."""
    path = f"{subject.path}/{make()['id']}"
    for method, url in (("POST", subject.path), ("PUT", path)):
        body = subject.body()
        del body[field.name]
        response = user.request(method, url, json=body)
        if field.required:
            assert invalid_fields(response) == {f"body.{field.name}"}
        else:
            assert response.is_success, response.text
            assert response.json()[field.name] is None


@each_resource
@pytest.mark.parametrize("field", ["colour", "id", "created_at", "updated_at", "creator_id"])
@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH"])
def test_unknown_fields_are_refused(
    user: httpx.Client, subject: Subject, make: Make, method: str, field: str
) -> None:
    """A field that is not the client's to set is 422."""
    created = make()
    path = subject.path if method == "POST" else f"{subject.path}/{created['id']}"
    response = user.request(method, path, json=subject.body(**{field: created.get(field, 1)}))
    assert invalid_fields(response) == {f"body.{field}"}


@each()
def test_patch_changes_what_it_names(
    user: httpx.Client, subject: Subject, make: Make, field: Field
) -> None:
    """`PATCH` is 200, the row, with the field given changed and the others as they were."""
    created = make()
    path, value = f"{subject.path}/{created['id']}", fresh(field)
    response = user.patch(path, json={field.name: value})
    assert response.status_code == 200, response.text
    changed = response.json()
    assert changed == created | {field.name: value, "updated_at": changed["updated_at"]}
    assert utc(changed["updated_at"]) > utc(created["updated_at"])
    assert user.get(path).json() == changed


@each_resource
def test_put_replaces_the_whole_row(user: httpx.Client, subject: Subject, make: Make) -> None:
    """`PUT` is 200, the row as it was sent."""
    created, body = make(), subject.body()
    response = user.put(f"{subject.path}/{created['id']}", json=body)
    assert response.status_code == 200, response.text
    assert response.json() == created | body | {"updated_at": response.json()["updated_at"]}
    assert user.get(f"{subject.path}/{created['id']}").json() == response.json()


@each(is_unique)
def test_a_taken_value_is_a_conflict(
    user: httpx.Client, subject: Subject, make: Make, field: Field
) -> None:
    """A value that is taken is 409, and changes nothing; it is free again after its row."""
    taken, other = make(), make()
    same, path = {field.name: taken[field.name]}, f"{subject.path}/{other['id']}"
    for answer in (
        user.post(subject.path, json=subject.body(**same)),
        user.put(path, json=subject.body(**same)),
        user.patch(path, json=same),
    ):
        problem(answer, 409)
    assert user.get(path).json() == other
    assert user.delete(f"{subject.path}/{taken['id']}").status_code == 204
    assert make(**same)["id"] != taken["id"]


@each(is_unique)
def test_of_eight_creators_of_one_value_one_wins(
    user: httpx.Client, base_url: str, subject: Subject, field: Field
) -> None:
    """Two creators with the same value: exactly one wins, and the others are told 409."""
    bodies = [subject.body(**{field.name: value}) for value in [fresh(field)] for _ in range(8)]
    with eight(base_url, token_of(user)) as clients:
        calls = [
            partial(client.post, subject.path, json=body)
            for client, body in zip(clients, bodies, strict=True)
        ]
        answers = at_once(calls)
    assert sorted(answer.status_code for answer in answers) == [201, *[409] * 7]


@each(lambda field: field.unique and not field.required)
def test_any_number_of_rows_may_lack_what_is_unique(make: Make, field: Field) -> None:
    """Null is no value that could be taken."""
    assert [make(**{field.name: None})[field.name] for _ in range(2)] == [None, None]


@pytest.fixture
def row(user: httpx.Client, field: Field) -> dict[str, Any]:
    """A row of what a reference names."""
    [named] = [one for one in SHOP if one.name == field.limits]
    response = user.post(named.path, json=named.body())
    assert response.status_code == 201, response.text
    return response.json() | {"path": response.headers["Location"]}


@each(of="references")
def test_a_reference_names_a_row_that_is_there(
    user: httpx.Client, subject: Subject, make: Make, row: dict[str, Any], field: Field
) -> None:
    """It is kept; what names nothing is 422, and so is what is no id."""
    created = make(**{field.column: row["id"]})
    path = f"{subject.path}/{created['id']}"
    assert created[field.column] == row["id"]
    for value in (2**31, 2**53 - 1, 0, -1, 2**64, 1.5, "1", True, ["x"]):
        for answer in (
            user.post(subject.path, json=subject.body(**{field.column: value})),
            user.put(path, json=subject.body(**{field.column: value})),
            user.patch(path, json={field.column: value}),
        ):
            assert invalid_fields(answer) == {f"body.{field.column}"}, value
    assert user.get(path).json() == created
    nothing = user.patch(path, json={field.column: None})
    if field.required:
        assert invalid_fields(nothing) == {f"body.{field.column}"}
    else:
        assert nothing.json()[field.column] is None


@each(of="references")
def test_a_row_that_is_named_is_not_deleted(
    user: httpx.Client, subject: Subject, make: Make, row: dict[str, Any], field: Field
) -> None:
    """That is a 409, "in use", which names who does, until nobody names it."""
    created = make(**{field.column: row["id"]})
    detail = problem(user.delete(row["path"]), 409)["detail"]
    assert detail == f"It is in use by {subject.resource.plural}."
    assert user.get(row["path"]).status_code == 200
    assert user.delete(f"{subject.path}/{created['id']}").status_code == 204
    assert user.delete(row["path"]).status_code == 204


@each(of="references")
def test_of_who_names_a_row_and_who_deletes_it_one_wins(
    user: httpx.Client, base_url: str, subject: Subject, row: dict[str, Any], field: Field
) -> None:
    """At the same time, there is never a row that names nothing."""
    bodies = [subject.body(**{field.column: row["id"]}) for _ in range(7)]
    with eight(base_url, token_of(user)) as clients:
        creators = [
            partial(client.post, subject.path, json=body)
            for client, body in zip(clients[1:], bodies, strict=True)
        ]
        deleted, *created = at_once([partial(clients[0].delete, row["path"]), *creators])
    if deleted.status_code == 204:
        assert {answer.status_code for answer in created} == {422}
    else:
        problem(deleted, 409)
        assert {answer.status_code for answer in created} == {201}
