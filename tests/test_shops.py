"""Projects with resources of the owner's own, as they run: their tests, and their documents."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from openapi_spec_validator import validate

from combinations import FRAMEWORKS
from conftest import Command, run
from contract.document import in_order
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


@pytest.mark.slow
@pytest.mark.parametrize(
    "framework", [pytest.param(one, marks=pytest.mark.one_of(4, one)) for one in FRAMEWORKS]
)
def test_a_shop_passes_its_own_tests(
    stackyard: Command, environment: dict[str, str], framework: str
) -> None:
    """The linters are green, and the tests with the coverage that they ask for."""
    resources = (f"{SHOP} category:references!", "category name!:uniq", ODD[0], EVENT)
    told = [word for one in resources for word in ("--resource", one)]
    done = stackyard("new", framework, "shop", *told, "--defaults")
    assert done.returncode == 0, done.stderr

    run("make", "lint", "test", cwd=stackyard.directory / "shop", env=environment)


@pytest.mark.slow
@pytest.mark.parametrize(
    "framework", [pytest.param(one, marks=pytest.mark.one_of(4, one)) for one in FRAMEWORKS]
)
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
