"""Projects with resources of the owner's own, as they run: their tests, and their documents."""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from openapi_spec_validator import validate

from combinations import CHOICES, DEFAULTS, ELSEWHERE, FRAMEWORKS, offered
from conftest import BROUGHT, Command, run
from contract.document import in_order
from gate import by_turns
from stackyard.resources import parse
from test_resources import EVENT, ODD, SHOP, make, parsed, resources

# By what code a project tells of its document.
DOCUMENT = {
    "django-drf": "import django; django.setup();"
    " from drf_spectacular.generators import SchemaGenerator;"
    " found = SchemaGenerator().get_schema(public=True)",
    "fastapi": "from app.main import app; found = app.openapi()",
    "flask": "from app import create_app;"
    " found = create_app().test_client().get('/openapi.json').json",
    "pyramid": "from webtest import TestApp; from app import main;"
    " found = TestApp(main({})).get('/openapi.json').json",
    "tornado-ws": "from app.app import ServiceApplication;"
    " found = ServiceApplication().settings['document']",
}
NOWHERE = {
    "DJANGO_SETTINGS_MODULE": "config.settings",
    "ENVIRONMENT": "test",
    "SECRET_KEY": "x" * 32,
    "DATABASE_URL": "postgresql://nobody@127.0.0.1:1/nothing",
    "REDIS_URL": "redis://127.0.0.1:1/0",
    "CELERY_BROKER_URL": "redis://127.0.0.1:1/1",
}


def shop(told: dict[str, str]) -> object:
    """Have the gate ask the defaults of one framework, and one of a few on another database."""
    framework = told["framework"]
    turn = 4 if told in DEFAULTS.values() else 1
    known = told in [*DEFAULTS.values(), *ELSEWHERE]
    mark = pytest.mark.one_of(turn, framework) if known else pytest.mark.everything
    name = f"{framework}-{told['database']}"
    return pytest.param(told, id=name, marks=[mark, pytest.mark.xdist_group(f"shop-{name}")])


@pytest.fixture
def served(
    told: dict[str, str], environment: dict[str, str], brought: Callable[[str], Any]
) -> dict[str, str]:
    """What a user has who brings the server that no project has."""
    if told["database"] not in BROUGHT:
        return environment
    name, server = f"shop_{secrets.token_hex(4)}", brought(told["database"])
    server.create_database(name)
    return environment | {"DATABASE_URL": server.maintenance.removesuffix("app") + name}


# Columns that come later, with rows or without.
LATER = (
    "+event seats:integer{1..9}:uniq mood:enum{good,bad} summary:text fee:decimal:index"
    " nickname:string{2..40} lamp:references{product} notes:json"
)


@pytest.mark.slow
@pytest.mark.parametrize(
    "told",
    [
        shop(told)
        for default in DEFAULTS.values()
        for told in (default | {"database": database} for database in CHOICES["database"])
        if offered(told)
    ],
)
def test_a_shop_passes_its_own_tests(
    stackyard: Command, served: dict[str, str], told: dict[str, str]
) -> None:
    """The linters are green, and the tests with the coverage that they ask for."""
    resources = (f"{SHOP} category:references!", "category name!:uniq", ODD[0], EVENT, LATER)
    said = [word for one in resources for word in ("--resource", one)]
    said += ["--database", told["database"]]
    done = stackyard("new", told["framework"], "shop", *said, "--defaults")
    assert done.returncode == 0, done.stderr

    run("make", "lint", "test", cwd=stackyard.directory / "shop", env=served)


@pytest.mark.slow
@pytest.mark.parametrize("framework", by_turns(4))
@settings(
    max_examples=2,
    phases=[Phase.generate],
    derandomize=True,
    deadline=None,
    suppress_health_check=[*HealthCheck],
)
@given(resources().filter(lambda told: len(told) > 3 and "references" in parsed(told)))
def test_any_resources_pass_their_own_tests(
    tmp_path_factory: pytest.TempPathFactory,
    environment: dict[str, str],
    framework: str,
    told: list[str],
) -> None:
    """The linters and the type checker find them in order, and their tests pass."""
    project = make(tmp_path_factory.mktemp("any") / "shop", framework, told)
    tests = [f"tests/test_{resource.plural}.py" for resource in parse(told)]

    run("make", "lint", cwd=project, env=environment)
    command = ("uv", "run", "python", "devservers.py", "pytest", "--quiet", "--no-cov", *tests)
    run(*command, cwd=project, env=environment)


@pytest.mark.slow
def test_every_framework_describes_them_alike(
    stackyard: Command, environment: dict[str, str]
) -> None:
    told = [word for one in (SHOP, *ODD) for word in ("--resource", one)]
    documents = {}
    for framework in FRAMEWORKS:
        name = f"shop-{framework}"
        done = stackyard("new", framework, name, *told, "--defaults")
        assert done.returncode == 0, done.stderr
        say = f"import json; {DOCUMENT[framework]}; print(json.dumps(found))"
        said = run(
            *("uv", "run", "python", "-c", say),
            cwd=stackyard.directory / name,
            env=environment | NOWHERE,
        )
        documents[framework] = json.loads(said.splitlines()[-1])

    paths, schemas = alike(documents[FRAMEWORKS[0]])
    assert {"Product", "UserGroup", "Person", "Event"} < schemas.keys()
    for document in documents.values():
        validate(document)
        assert alike(document) == (paths, schemas)


def alike(document: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return what a document says of paths and bodies, in an order of its own."""
    same = json.loads(json.dumps(document), object_hook=listed)
    return in_order(same["paths"]), in_order(same["components"]["schemas"])


def listed(schema: dict[str, Any]) -> dict[str, Any]:
    """Return a schema in which a value that is the only one is a list of one."""
    if "const" in schema:
        schema["enum"] = [schema.pop("const")]
    return schema
