"""A rollout by processes: what clients see while pods are replaced as the manifests say.

Each pod is a web process, and the cluster's network a forwarder of connections that hears of a pod
that leaves only after a while, as nodes do.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from threading import Thread, Timer

import httpx
import pytest
import yaml

from contract.client import BOOKS, Load, get, load
from contract.processes import IN_ORDER, Process, until
from contract.service import Project, Service, running
from gate import by_turns

LAG = 2.0  # seconds until every node has heard that a pod leaves
Pod = tuple[Process, str]  # and its address


@dataclass
class Network:
    """Gives each new connection to one of the pods, as a Service does."""

    pods: list[Pod] = field(default_factory=list)
    url: str = ""

    async def serve(self) -> None:
        server = await asyncio.start_server(self._forward, "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        async with server:
            await server.serve_forever()

    async def _forward(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        _, address = random.choice(self.pods)
        try:
            there = await asyncio.open_connection("127.0.0.1", httpx.URL(address).port)
            await asyncio.gather(_pump(reader, there[1]), _pump(there[0], writer))
        except OSError:  # nobody listens there any more
            writer.close()


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    finally:
        writer.close()


@contextmanager
def network() -> Iterator[Network]:
    network, loop = Network(), asyncio.new_event_loop()
    serving = loop.create_task(network.serve())
    thread = Thread(target=loop.run_until_complete, args=[asyncio.wait([serving])])
    thread.start()
    try:
        until(lambda: network.url, within=5, failing="the network does not listen")
        yield network
    finally:
        loop.call_soon_threadsafe(serving.cancel)
        thread.join()
        loop.close()


@pytest.fixture(
    scope="module",
    params=by_turns(4, "rollout"),
)
def service(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Service]:
    home = tmp_path_factory.mktemp("rollout")
    project = Project.generate(request.param, home, deployment="kubernetes")
    with running(project) as service:
        yield service


@pytest.fixture
def pause(service: Service) -> float:
    """For how many seconds a pod goes on serving once it has to leave."""
    manifest = service.project.path / "k8s/base/web.yaml"
    web, *_ = yaml.safe_load_all(manifest.read_text("utf-8"))
    assert web["spec"]["strategy"]["rollingUpdate"] == {"maxSurge": 1, "maxUnavailable": 0}
    [container] = web["spec"]["template"]["spec"]["containers"]
    seconds: float = container["lifecycle"]["preStop"]["sleep"]["seconds"]
    return seconds


@contextmanager
def ready(service: Service) -> Iterator[Pod]:
    """Run one more pod, from when it is ready."""
    with service.another_web() as (web, address):
        until(lambda: get(f"{address}/readyz").is_success, within=30, failing="it is not ready")
        yield web, address


def rollout(service: Service, pause: float) -> Load:
    """Replace two pods, one after the other, under load; return what its requests came to."""
    with network() as cluster, ExitStack() as pods:
        cluster.pods += [pods.enter_context(ready(service)) for _ in range(2)]
        with load(cluster.url, lambda: BOOKS) as found:
            for old in [*cluster.pods]:
                cluster.pods.append(pods.enter_context(ready(service)))
                leave(old, cluster, pause)
            served = len(found.answers)
            until(lambda: len(found.answers) > served + 100, within=60, failing="nobody is served")
    return found


def leave(pod: Pod, cluster: Network, pause: float) -> None:
    """Have a pod end, which is told so after its pause, whether or not nodes have heard of it."""
    process, _ = pod
    told = Timer(pause, process.terminate)
    told.start()
    time.sleep(LAG)
    cluster.pods.remove(pod)
    told.join()
    assert process.wait(30) in IN_ORDER


def test_no_request_is_lost(service: Service, pause: float) -> None:
    found = rollout(service, pause)
    assert found.statuses == {200}
    assert found.broken == []


def test_without_its_pause_some_are(service: Service) -> None:
    """Which is what the pause is for, and shows that they would be seen."""
    assert rollout(service, 0).broken != []
