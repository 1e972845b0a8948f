"""A service for these tests alone: what they break is nobody else's."""

import signal
from collections.abc import Iterator

import httpx
import pytest

from ..brokers import REFUSALS, RabbitMQ, ValkeyBroker
from ..client import connect, signed_in, token_of
from ..service import Project, Service, running


@pytest.fixture(scope="package")
def service(project: Project, in_front: dict[str, bool]) -> Iterator[Service]:
    """Run a service for these tests alone: what they break is nobody else's."""
    with running(project, **in_front) as service:
        yield service


@pytest.fixture(scope="package")
def anonymous(service: Service) -> Iterator[httpx.Client]:
    with connect(service.base_url, keep_alive=0) as client:
        yield client


@pytest.fixture(scope="module")
def user(service: Service) -> Iterator[httpx.Client]:
    """Sign somebody in for each module: a token is good for 15 minutes, and all may take longer."""
    with signed_in(service.base_url) as signed:
        token = token_of(signed)
    with connect(service.base_url, token, keep_alive=0) as client:
        yield client


@pytest.fixture(autouse=True)
def restored(service: Service) -> Iterator[None]:
    """Bring back whatever a test has ended; `web` is never restarted."""
    before = service.web_processes()
    yield
    for process in [*service.servers, *service.processes]:
        process.signal_tree(signal.SIGCONT)
    service.restore()
    assert service.web_processes() == before


@pytest.fixture
def with_cache(service: Service) -> None:
    if not service.has_cache:
        pytest.skip("generated without a cache")


@pytest.fixture
def with_tasks(service: Service) -> None:
    if not service.has_tasks:
        pytest.skip("generated without tasks")


@pytest.fixture
def by_redis(service: Service) -> None:
    if not isinstance(service.broker, ValkeyBroker):
        pytest.skip("generated with another broker")


@pytest.fixture
def by_rabbitmq(service: Service) -> None:
    if not isinstance(service.broker, RabbitMQ):
        pytest.skip("generated with another broker")


@pytest.fixture(params=[*dict.fromkeys(why for known in REFUSALS.values() for why in known)])
def refusal(request: pytest.FixtureRequest, service: Service) -> str:
    """For which reason the broker takes no messages: see `refusing`."""
    if request.param not in REFUSALS[service.answers["broker"]]:
        pytest.skip("generated with another broker")
    return request.param


@pytest.fixture(scope="package")
def with_feed(service: Service) -> None:
    if not service.has_feed:
        pytest.skip("generated without a live feed")
