"""The OpenAPI document: valid, complete, the same of every framework, and true of the service."""

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest
from openapi_spec_validator import validate

from .client import token_of
from .document import OF_REPORTS, OPERATIONS, SCHEMAS, in_order, operations, written
from .service import Target

PARAMETERS = {
    "list_books": {
        *("page", "page_size", "author", "published_from", "published_to", "search", "ordering"),
    },
    "read_book": {"id", "If-Match", "If-None-Match"},
    "replace_book": {"id", "If-Match"},
    "change_book": {"id", "If-Match"},
    "delete_book": {"id", "If-Match"},
    "read_report": {"id"},
}
FORM = "application/x-www-form-urlencoded"
BODIES = {
    "create_book": ("application/json", {"title", "author", "publication_date", "isbn"}),
    "replace_book": ("application/json", {"title", "author", "publication_date", "isbn"}),
    "change_book": ("application/json", {"title", "author", "publication_date", "isbn"}),
    "register": ("application/json", {"email", "password"}),
    "grant_token": (FORM, {"grant_type", "username", "password", "refresh_token"}),
    "revoke_token": (FORM, {"token"}),
}
SHAPES = {
    "User": {"id", "email", "created_at"},
    "TokenPair": {"access_token", "refresh_token", "token_type", "expires_in"},
    "TokenError": {"error", "error_description"},
    "BookPage": {"items", "page", "page_size", "total", "pages"},
    "Book": {*("id", "title", "author", "publication_date", "isbn", "created_at", "updated_at")},
    "Report": {"id", "status", "created_at", "finished_at", "result"},
    "Summary": {"total_books", "books_by_author", "books_by_decade"},
    "Problem": {*("type", "title", "status", "detail", "instance", "request_id", "errors")},
    "FieldError": {"field", "message"},
    "Health": {"status", "checks"},
}
ANSWERS = {
    "list_books": "BookPage",
    "create_book": "Book",
    "read_book": "Book",
    "replace_book": "Book",
    "change_book": "Book",
    "register": "User",
    "read_current_user": "User",
    "grant_token": "TokenPair",
    "request_report": "Report",
    "read_report": "Report",
    "liveness": "Health",
    "readiness": "Health",
}


@pytest.fixture(scope="module")
def document(anonymous: httpx.Client) -> dict[str, Any]:
    return anonymous.get("/openapi.json").json()


@pytest.fixture
def operation(document: dict[str, Any], target: Target, name: str) -> dict[str, Any]:
    """Give what the document says of the operation that `name` is the id of."""
    if name not in operations(target):
        pytest.skip("generated without tasks")
    method, path, *_ = OPERATIONS[name]
    return document["paths"][path][method]


@pytest.mark.smoke
def test_the_document_is_valid(document: dict[str, Any]) -> None:
    """The document is a valid one of the version that it names."""
    validate(document)


@pytest.mark.smoke
def test_every_framework_has_the_same_document(document: dict[str, Any], target: Target) -> None:
    """Once sorted the document is equal to Pyramid's; a project's own are title and description."""
    expected = written(target)
    own = {name: document["info"][name] for name in ("title", "description")}
    expected["info"] |= own
    assert in_order(document) == in_order(expected)


@pytest.mark.smoke
def test_nothing_else_is_described(document: dict[str, Any], target: Target) -> None:
    """The document has the operations and the schemas of the contract, and no others."""
    found = {
        operation["operationId"]: (method, path)
        for path, item in document["paths"].items()
        for method, operation in item.items()
    }
    assert found == {name: told[:2] for name, told in operations(target).items()}
    schemas = SCHEMAS if target.has_tasks else SCHEMAS - OF_REPORTS
    assert {*document["components"]["schemas"]} == schemas


@pytest.mark.parametrize("name", OPERATIONS)
def test_an_operation_has_a_tag_and_a_summary(operation: dict[str, Any], name: str) -> None:
    """A client's modules are called by the tags; the summary is a line of its help."""
    assert operation["tags"] == [OPERATIONS[name][2]]
    assert re.fullmatch(r"[A-Z][^\n]+[^.\n]", operation["summary"])


@pytest.mark.parametrize("name", OPERATIONS)
def test_every_status_is_described(operation: dict[str, Any], target: Target, name: str) -> None:
    """An operation has the statuses that the contract gives it, and no others."""
    *_, statuses = operations(target)[name]
    assert {*operation["responses"]} == {str(status) for status in statuses}


@pytest.mark.parametrize("name", OPERATIONS)
def test_security_is_required_where_a_token_is(
    document: dict[str, Any], operation: dict[str, Any], name: str
) -> None:
    """What can be 401 requires the bearer scheme; nothing else requires any."""
    expected = [{"bearer": []}] if 401 in OPERATIONS[name][3] else None
    assert operation.get("security", document.get("security")) == expected
    assert document["components"]["securitySchemes"]["bearer"]["type"] == "oauth2"


@pytest.mark.parametrize("name", OPERATIONS)
def test_every_parameter_is_described(operation: dict[str, Any], name: str) -> None:
    """An operation names what its query, its path and the conditions of a request may say."""
    found = {parameter["name"] for parameter in operation.get("parameters", [])}
    assert found == PARAMETERS.get(name, set())


@pytest.mark.parametrize("name", BODIES)
def test_every_body_is_described(
    document: dict[str, Any], operation: dict[str, Any], name: str
) -> None:
    """The token endpoints take forms, the others JSON, and nothing else."""
    kind, fields = BODIES[name]
    assert {*operation["requestBody"]["content"]} == {kind}
    schema = resolve(document, operation["requestBody"]["content"][kind]["schema"])
    assert {*schema["properties"]} == fields


@pytest.mark.parametrize("name", ANSWERS)
def test_every_answer_has_a_schema(operation: dict[str, Any], name: str) -> None:
    """The answer of what went well has the schema that the contract shows."""
    for status in (status for status in operation["responses"] if status in {"200", "201", "202"}):
        assert operation["responses"][status]["content"] == {"application/json": ref(ANSWERS[name])}


@pytest.mark.parametrize("name", OPERATIONS)
def test_every_error_has_a_schema(operation: dict[str, Any], name: str) -> None:
    """Errors are problems, but for OAuth's and for what is not ready."""
    for status, response in operation["responses"].items():
        match name, status:
            case ("grant_token" | "revoke_token", "400"):
                expected = {"application/json": ref("TokenError")}
            case ("readiness", "503"):
                expected = {"application/json": ref("Health")}
            case _, error if error >= "400":
                expected = {"application/problem+json": ref("Problem")}
            case _:
                continue
        assert response["content"] == expected


@pytest.mark.parametrize("schema", SHAPES)
def test_a_schema_has_the_members_of_the_contract(
    document: dict[str, Any], target: Target, schema: str
) -> None:
    """The schema of an answer has the members that the contract shows."""
    if schema in OF_REPORTS and not target.has_tasks:
        pytest.skip("generated without tasks")
    assert {*document["components"]["schemas"][schema]["properties"]} == SHAPES[schema]


def ref(schema: str) -> dict[str, Any]:
    return {"schema": {"$ref": f"#/components/schemas/{schema}"}}


def resolve(document: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    """Follow a reference to a schema."""
    name = schema.get("$ref", "").rpartition("/")[2]
    return document["components"]["schemas"][name] if name else schema


def test_schemathesis_finds_nothing(
    user: httpx.Client, base_url: str, tmp_path: Path, pytestconfig: pytest.Config
) -> None:
    """What the document says is what the service does: every check of schemathesis passes.

    With `--everything` it tries four times as many examples.
    """
    here = Path(__file__).parent
    config, hooks = tmp_path / "schemathesis.toml", here / "schemathesis_hooks.py"
    times = 4 if pytestconfig.getoption("--everything", default=False) else 1
    text = (here / config.name).read_text("utf-8")
    config.write_text(re.sub(r"(?<=max-examples = )\d+", lambda m: f"{int(m[0]) * times}", text))
    command = [sys.executable, "-m", "schemathesis.cli", "--config-file", str(config), "run"]
    options = ["--checks=all", "--phases=examples,coverage,fuzzing,stateful", "--no-color"]
    authorization = ["--header", f"Authorization: Bearer {token_of(user)}"]
    done = subprocess.run(
        [*command, f"{base_url}/openapi.json", *options, *authorization],
        cwd=tmp_path,
        env=os.environ | {"SCHEMATHESIS_HOOKS": str(hooks), "COLUMNS": "120"},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
