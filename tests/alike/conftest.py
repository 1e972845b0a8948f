"""The five services, each with its own servers, started once."""

import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from combinations import DEFAULTS, FRAMEWORKS
from contract.service import APP, Project, Service


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Have one process run what shares the services."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.xdist_group("alike"))


@pytest.fixture(scope="session")
def five() -> Iterator[dict[str, Service]]:
    """Run the five: one web process each, and no worker."""
    with tempfile.TemporaryDirectory(prefix="stackyard-alike-") as directory:

        def generated(framework: str) -> Project:
            home = Path(directory) / framework
            home.mkdir()
            return Project.generate(home=home, **DEFAULTS[framework])

        with ThreadPoolExecutor(5) as pool:
            projects = [*pool.map(generated, FRAMEWORKS)]
            services = [
                Service(project, WEB_CONCURRENCY="1", CORS_ORIGINS=APP) for project in projects
            ]
            for service in services:
                service.worker = service.beat = None
            try:
                [*pool.map(Service.start, services)]
                yield dict(zip(FRAMEWORKS, services, strict=True))
            finally:
                [*pool.map(Service.stop, services)]
