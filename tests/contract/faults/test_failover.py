"""The place of a Redis is taken by another: who is connected to the old one leaves it."""

import select
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from socketserver import BaseRequestHandler, ThreadingTCPServer
from threading import Thread

import httpx
import pytest

from ..client import REPORTS, connect, token_of
from ..processes import Valkey, until
from ..service import Service
from .outages import ask, create, done


class Name(ThreadingTCPServer):
    """Where a Redis is found, whichever it is; a connection stays at the one it was made to."""

    daemon_threads = True

    def __init__(self, valkey: Valkey) -> None:
        self.stands_for = valkey
        super().__init__(("127.0.0.1", 0), Relay)
        self.url = valkey.url.replace(f":{valkey.port}/", f":{self.server_address[1]}/")


class Relay(BaseRequestHandler):
    """Stands between: what one side says the other one hears."""

    server: Name

    def handle(self) -> None:
        address = "127.0.0.1", self.server.stands_for.port
        with suppress(OSError), socket.create_connection(address) as far:
            others = {self.request: far, far: self.request}
            while True:
                for speaker in select.select(others, [], [])[0]:
                    if not (said := speaker.recv(65536)):
                        return
                    others[speaker].sendall(said)


@contextmanager
def named(service: Service, valkey: Valkey) -> Iterator[tuple[Name, Valkey]]:
    """Give a name for a server, and another server that may take its place."""
    standby = Valkey(
        f"other-{valkey.name}",
        service.home,
        database=valkey.database,
        password=valkey.password,
    )
    standby.start()
    try:
        with Name(valkey) as name:
            Thread(target=name.serve_forever, daemon=True).start()
            yield name, standby
            name.shutdown()
    finally:
        standby.stop()


@pytest.mark.usefixtures("with_cache")
def test_the_cache_that_takes_over_is_used(service: Service, user: httpx.Client) -> None:
    """Connections to a cache that has become a replica are given up, without a restart."""
    path = create(user)
    with (
        named(service, service.cache) as (name, standby),
        service.another_web(REDIS_URL=name.url, WEB_CONCURRENCY="1") as (_, base_url),
        connect(base_url, token_of(user)) as client,
    ):

        def hit() -> bool:
            return client.get(path).headers["X-Cache"] == "hit"

        until(hit, within=5, failing="the cache is not used")
        name.stands_for = standby
        with service.cache.refusing("replica"):
            until(hit, within=5, failing="the new cache is not used")
            assert client.patch(path, json={"title": "Kindred"}).status_code == 200
            assert client.get(path).json()["title"] == "Kindred"
            until(
                lambda: client.get("/readyz").json()["status"] == "ok",
                within=5,
                failing="the new cache is not asked",
            )


@pytest.mark.usefixtures("with_tasks", "by_redis")
def test_the_broker_that_takes_over_is_used(service: Service, user: httpx.Client) -> None:
    """Connections to a broker that has become a replica are given up, without a restart."""
    service.worker.stop()
    with (
        named(service, service.broker) as (name, standby),
        service.another_web(CELERY_BROKER_URL=name.url, WEB_CONCURRENCY="1") as (_, base_url),
        connect(base_url, token_of(user)) as client,
    ):
        worker = service.process("worker", "worker-2", CELERY_BROKER_URL=name.url)
        worker.start()
        try:
            done(client, ask(client))
            name.stands_for = standby
            with service.broker.refusing("replica"):
                until(
                    lambda: client.post(REPORTS).status_code == 202,
                    within=15,
                    failing="the new broker is not used",
                )
                done(client, ask(client))
            assert worker.running
        finally:
            worker.stop()


@pytest.mark.everything
@pytest.mark.usefixtures("with_tasks", "by_redis")
def test_beat_sends_to_the_broker_that_takes_over(service: Service) -> None:
    """Beat too gives the old connection up: each minute there is something to send."""
    service.worker.stop()
    service.beat.stop()
    with named(service, service.broker) as (name, standby), standby.client() as client:
        beat = service.process("beat", "beat-2", CELERY_BROKER_URL=name.url)
        beat.start()
        try:
            with service.broker.client() as old:
                old.delete("celery")
                until(lambda: old.llen("celery"), within=70, failing="beat sends nothing")
            name.stands_for = standby
            with service.broker.refusing("replica"):
                until(lambda: client.llen("celery"), within=130, failing="beat sends nothing")
            assert beat.running
        finally:
            beat.stop()
