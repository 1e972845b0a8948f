"""One running service a session, and the people who use it.

    pytest tests/contract --framework fastapi
    pytest tests/contract --project path/to/a/generated/project
    pytest tests/contract --project path/to/it --base-url http://127.0.0.1:8000

The last judges what is running there. It has no processes to look into: what needs them is skipped.
Without `--project` it is taken to have a cache and tasks. Each worker of pytest-xdist
has a service of its own; `--dist loadgroup` starts the fewest.
"""

import signal
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import cache
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from .client import BOOKS, book, connect, signed_in, token_of
from .feed import FEED, Listener, Writer, both, in_each, listening, until_it_crosses, writing
from .service import WITH_FEED, Project, Service, Target, parts_of, services

COPIER = Path(__file__).parents[2] / "copier.yml"
FRAMEWORKS = [*yaml.safe_load(COPIER.read_text("utf-8"))["framework"]["choices"].values()]


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("contract")
    group.addoption("--framework", action="append", choices=FRAMEWORKS, help="only this one")
    group.addoption("--project", type=Path, help="a project generated already")
    group.addoption("--base-url", help="a service that runs already")


def pytest_configure(config: pytest.Config) -> None:
    # A supervisor's SIGTERM ends the services too, as Ctrl-C does.
    signal.signal(signal.SIGTERM, signal.default_int_handler)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "framework" in metafunc.fixturenames:
        option = metafunc.config.getoption
        given = option("--project", None) or option("--base-url", None)
        chosen = ["given"] if given else option("--framework", None) or FRAMEWORKS
        metafunc.parametrize("framework", chosen, indirect=True, scope="session")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave the feed's tests out for the frameworks that have none."""
    with_feed = {"given", *WITH_FEED}

    def wanted(item: pytest.Item) -> bool:
        fixtures = item.fixturenames if isinstance(item, pytest.Function) else []
        return "with_feed" not in fixtures or item.callspec.params["framework"] in with_feed

    config.hook.pytest_deselected(items=[item for item in items if not wanted(item)])
    items[:] = filter(wanted, items)


@pytest.fixture(scope="session")
def framework(request: pytest.FixtureRequest) -> str:
    """Name the framework under test: only the generator's command line may know which."""
    return request.param


@pytest.fixture(scope="session")
def project_of(request: pytest.FixtureRequest) -> Iterator[Callable[[str], Project]]:
    """Give a function that makes the project of a framework, once."""
    given = request.config.getoption("--project", None)
    with ExitStack() as stack:

        @cache
        def make(framework: str) -> Project:
            directory = tempfile.TemporaryDirectory(prefix="stackyard-contract-")
            home = Path(stack.enter_context(directory))
            return Project.at(given, home) if given else Project.generate(framework, home)

        yield make


@pytest.fixture(scope="session")
def service_of(project_of: Callable[[str], Project]) -> Iterator[Callable[[str], Service]]:
    with services(project_of) as start:
        yield start


@pytest.fixture(scope="session")
def project(
    framework: str, project_of: Callable[[str], Project], request: pytest.FixtureRequest
) -> Project:
    if request.config.getoption("--base-url", None):
        pytest.skip("needs the service's own processes")
    return project_of(framework)


@pytest.fixture(scope="session")
def service(framework: str, project: Project, service_of: Callable[[str], Service]) -> Service:
    """Run the service that most tests share: two web processes, a worker and beat."""
    return service_of(framework)


@pytest.fixture(scope="session")
def target(framework: str, request: pytest.FixtureRequest) -> Target:
    """Give what a test needs that only talks HTTP."""
    if base_url := request.config.getoption("--base-url", None):
        if path := request.config.getoption("--project", None):
            return Target(base_url, **parts_of(path))
        return Target(base_url, has_feed=httpx.get(f"{base_url}{FEED}").status_code != 404)
    return request.getfixturevalue("service")


@pytest.fixture(scope="session")
def base_url(target: Target) -> str:
    return target.base_url


@pytest.fixture(scope="session")
def anonymous(base_url: str) -> Iterator[httpx.Client]:
    with connect(base_url) as client:
        yield client


@pytest.fixture(scope="module")
def user(base_url: str) -> Iterator[httpx.Client]:
    with signed_in(base_url) as client:
        yield client


@pytest.fixture(scope="module")
def other_user(base_url: str) -> Iterator[httpx.Client]:
    with signed_in(base_url) as client:
        yield client


@pytest.fixture
def make_book(user: httpx.Client) -> Callable[..., dict[str, Any]]:
    """Give a function that creates a book of `user`."""

    def make(**fields: Any) -> dict[str, Any]:
        response = user.post(BOOKS, json=book(**fields))
        assert response.status_code == 201, response.text
        return response.json()

    return make


@pytest.fixture
def with_tasks(target: Target) -> None:
    if not target.has_tasks:
        pytest.skip("generated without tasks")


@pytest.fixture
def with_cache(target: Target) -> None:
    if not target.has_cache:
        pytest.skip("generated without a cache")


@pytest.fixture(scope="session")
def with_feed(target: Target) -> None:
    if not target.has_feed:
        pytest.skip("generated without a live feed")


@pytest.fixture
def writers(service: Service, user: httpx.Client) -> Iterator[list[Writer]]:
    """Give the user on a connection to each web process."""
    processes = both(service.web, service.base_url)
    with writing(processes, service.base_url, token_of(user)) as found:
        yield found


@pytest.fixture
def listeners(service: Service, writers: list[Writer]) -> Iterator[list[Listener]]:
    """Give clients of the feed in each web process, who have heard of nothing yet."""
    with in_each(service.web_processes(), lambda: listening(service.base_url)) as found:
        until_it_crosses(found, writers)
        for listener in found:
            listener.heard.clear()
        yield found
