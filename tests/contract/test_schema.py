"""The OpenAPI document: valid, complete, and true of the running service."""

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest
from openapi_spec_validator import validate

from .client import BOOKS, ME, REPORTS, REVOKE, TOKEN, USERS, token_of
from .service import Target

BOOK = f"{BOOKS}/{{id}}"
REPORT = f"{REPORTS}/{{id}}"
BODY = {400, 413, 415, 422}

STATUSES: dict[tuple[str, str], set[int]] = {
    ("get", "/healthz"): {200},
    ("get", "/readyz"): {200, 503},
    ("get", "/metrics"): {200},
    ("post", USERS): {201, 409, 503} | BODY,
    ("get", ME): {200, 401, 503},
    ("post", TOKEN): {200, 400, 413, 503},
    ("post", REVOKE): {200, 400, 413, 503},
    ("get", BOOKS): {200, 422, 503},
    ("post", BOOKS): {201, 401, 409, 503} | BODY,
    ("get", BOOK): {200, 304, 404, 503},
    ("put", BOOK): {200, 401, 403, 404, 409, 412, 503} | BODY,
    ("patch", BOOK): {200, 401, 403, 404, 409, 412, 503} | BODY,
    ("delete", BOOK): {204, 401, 403, 404, 412, 503},
    ("post", REPORTS): {202, 401, 429, 503},
    ("get", REPORT): {200, 401, 404, 503},
}
PROTECTED = {
    ("get", ME),
    ("post", BOOKS),
    ("put", BOOK),
    ("patch", BOOK),
    ("delete", BOOK),
    ("post", REPORTS),
    ("get", REPORT),
}
PARAMETERS = {
    "page",
    "page_size",
    "author",
    "published_from",
    "published_to",
    "search",
    "ordering",
}
SHAPES: dict[tuple[str, str, int], set[str]] = {
    ("post", USERS, 201): {"id", "email", "created_at"},
    ("get", ME, 200): {"id", "email", "created_at"},
    ("post", TOKEN, 200): {"access_token", "refresh_token", "token_type", "expires_in"},
    ("get", BOOKS, 200): {"items", "page", "page_size", "total", "pages"},
    ("get", BOOK, 200): {
        *("id", "title", "author", "publication_date", "isbn", "created_at", "updated_at")
    },
    ("post", REPORTS, 202): {"id", "status", "created_at", "finished_at", "result"},
    ("get", REPORT, 200): {"id", "status", "created_at", "finished_at", "result"},
}


# With Redis, in which attempts are counted.
COUNTED = {("post", TOKEN): {429}}


@pytest.fixture(scope="module")
def document(anonymous: httpx.Client) -> dict[str, Any]:
    return anonymous.get("/openapi.json").json()


@pytest.fixture(autouse=True)
def _reports_with_tasks_only(request: pytest.FixtureRequest, target: Target) -> None:
    names = request.node.callspec.params if hasattr(request.node, "callspec") else {}
    if names.get("path", "").startswith(REPORTS) and not target.has_tasks:
        pytest.skip("generated without tasks")


def resolve(document: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    """Follow a reference within the document."""
    while "$ref" in schema:
        found: Any = document
        for part in schema["$ref"].removeprefix("#/").split("/"):
            found = found[part]
        schema = found
    return schema


def answer(document: dict[str, Any], method: str, path: str, status: int) -> dict[str, Any]:
    return resolve(document, document["paths"][path][method]["responses"][str(status)])


@pytest.mark.smoke
def test_the_document_is_valid(document: dict[str, Any]) -> None:
    """The document is a valid one of the version that it names."""
    validate(document)


@pytest.mark.parametrize(("method", "path"), STATUSES)
def test_every_status_is_described(
    document: dict[str, Any], target: Target, method: str, path: str
) -> None:
    """The document has every path, and each status that the contract gives it."""
    statuses = STATUSES[method, path]
    if target.has_cache or target.has_feed:
        statuses = statuses | COUNTED.get((method, path), set())
    described = {*document["paths"][path][method]["responses"]}
    assert {str(status) for status in statuses} <= described


@pytest.mark.smoke
def test_nothing_else_is_described(document: dict[str, Any], target: Target) -> None:
    """The document has no API but that of the contract."""
    found = {
        (method, path)
        for path, methods in document["paths"].items()
        for method in methods
        if method in {"get", "put", "post", "delete", "patch", "options", "head", "trace"}
    }
    expected = {key for key in STATUSES if target.has_tasks or not key[1].startswith(REPORTS)}
    assert found == expected


@pytest.mark.parametrize(("method", "path"), STATUSES)
def test_security_is_required_where_a_token_is(
    document: dict[str, Any], method: str, path: str
) -> None:
    """What the contract marks "bearer" requires a bearer scheme; nothing else requires any."""
    operation = document["paths"][path][method]
    required = operation.get("security", document.get("security", []))
    if (method, path) not in PROTECTED:
        assert all(requirement == {} for requirement in required)
        return
    schemes = document["components"]["securitySchemes"]
    assert required
    for requirement in required:
        [name] = requirement
        scheme = schemes[name]
        assert scheme["type"] == "oauth2" or (
            scheme["type"] == "http" and scheme["scheme"].lower() == "bearer"
        )


@pytest.mark.parametrize(("method", "path", "status"), SHAPES)
def test_every_answer_has_a_schema(
    document: dict[str, Any], method: str, path: str, status: int
) -> None:
    """The schema of an answer has the members that the contract shows."""
    content = answer(document, method, path, status)["content"]["application/json"]
    assert {*resolve(document, content["schema"])["properties"]} == SHAPES[method, path, status]


@pytest.mark.parametrize(
    ("method", "path"), [key for key in STATUSES if key[1] not in {TOKEN, REVOKE, "/readyz"}]
)
def test_every_error_is_described_as_a_problem(
    document: dict[str, Any], method: str, path: str
) -> None:
    """Errors are described as `application/problem+json`, those of the token endpoints apart."""
    members = {"type", "title", "status", "detail", "instance", "request_id"}
    responses = document["paths"][path][method]["responses"]
    for status in (status for status in responses if status >= "400"):
        content = answer(document, method, path, int(status))["content"]
        assert {*content} == {"application/problem+json"}
        schema = resolve(document, content["application/problem+json"]["schema"])
        assert members <= {*schema["properties"]}
        assert ("errors" in schema["properties"]) >= (status == "422")


def test_the_list_parameters_are_described(document: dict[str, Any]) -> None:
    """The document names every list parameter."""
    parameters = [resolve(document, p) for p in document["paths"][BOOKS]["get"]["parameters"]]
    assert {p["name"] for p in parameters if p["in"] == "query"} == PARAMETERS


@pytest.mark.parametrize("method", ["put", "patch", "delete"])
def test_the_conditions_of_a_change_are_described(document: dict[str, Any], method: str) -> None:
    """`If-Match` is a parameter of every change."""
    item = document["paths"][BOOK]
    parameters = [*item.get("parameters", []), *item[method].get("parameters", [])]
    names = [resolve(document, p)["name"].lower() for p in parameters]
    assert "if-match" in names


@pytest.mark.parametrize("path", [TOKEN, REVOKE])
def test_forms_are_described_as_forms(document: dict[str, Any], path: str) -> None:
    """The token endpoints take forms, and nothing else."""
    body = resolve(document, document["paths"][path]["post"]["requestBody"])
    assert {*body["content"]} == {"application/x-www-form-urlencoded"}


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
