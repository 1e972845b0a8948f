"""`DATABASE_URL`: whatever a host or a pooler makes of it, every process connects alike."""

import secrets
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from itertools import cycle

import httpx
import pytest

from ..client import BOOKS, USERS, book, connect, login, register, utc
from ..databases import proxied
from ..databases.postgresql import followed
from ..service import Service
from .outages import ask, done

# What the URL may say is each server's own.
pytestmark = pytest.mark.database("postgresql")

CACHES = cycle(range(2, 16))


@contextmanager
def connected_by(service: Service, url: str) -> Iterator[httpx.Client]:
    """Run release, web and worker with a URL; give somebody who is signed in there."""
    release = service.process("release", f"release-{secrets.token_hex(4)}", DATABASE_URL=url)
    release.start()
    assert release.wait(60) == 0, release.output()
    with ExitStack() as stack:
        if service.worker:
            service.worker.stop()
            stack.enter_context(service.another_worker(DATABASE_URL=url))
        # No two databases share a cache: each has a book of the number 1.
        cache = f"{service.cache.url.removesuffix('0')}{next(CACHES)}"
        web = service.another_web(DATABASE_URL=url, REDIS_URL=cache)
        _, base_url = stack.enter_context(web)
        anonymous = stack.enter_context(connect(base_url, keep_alive=0))
        token = login(anonymous, register(anonymous))["access_token"]
        yield stack.enter_context(connect(base_url, token, keep_alive=0))


def serves(service: Service, client: httpx.Client) -> None:
    """Check that rows are written, and read with times in UTC, by web and worker."""
    response = client.post(BOOKS, json=book())
    assert response.status_code == 201, response.text
    path = response.headers["Location"]
    for found in (response.json(), client.get(path).json()):
        assert abs(utc(found["created_at"]) - datetime.now(UTC)) < timedelta(minutes=1)
    assert client.get("/readyz").status_code == 200
    if service.has_tasks:
        report = ask(client)
        done(client, report)
        assert abs(utc(client.get(report).json()["finished_at"]) - datetime.now(UTC)) < timedelta(
            minutes=1
        )


def test_postgres_is_a_scheme_too(service: Service) -> None:
    """`postgres://`, which many hosts set, is what `postgresql://` is."""
    url = service.database.create_database("by_another_scheme")
    with connected_by(service, url.replace("postgresql://", "postgres://")) as client:
        serves(service, client)


def test_a_pooler_need_not_keep_any_session(service: Service) -> None:
    """Nothing is asked of a connection in its startup that poolers refuse, by any process."""
    service.database.create_database("behind_a_pooler")
    with proxied(service.database, service.logs) as proxy:
        url = proxy.url.removesuffix("app") + "behind_a_pooler"
        with connected_by(service, url) as client:
            serves(service, client)


def test_a_database_may_write_times_in_another_style(service: Service) -> None:
    """Neither `DateStyle` nor the time zone of a database changes what is served."""
    service.database.create_database("of_another_style")
    service.database.execute("ALTER DATABASE of_another_style SET datestyle = 'SQL, DMY'")
    with proxied(service.database, service.logs) as proxy:
        url = proxy.url.removesuffix("app") + "of_another_style"
        with connected_by(service, url) as client:
            serves(service, client)


def test_the_options_of_the_url_are_heeded_by_every_process(service: Service) -> None:
    """What the URL says of a session holds in release, web and worker: they see the same schema."""
    url = service.database.create_database("with_options")
    service.database.execute("CREATE SCHEMA shop", url=url)
    with connected_by(service, f"{url}?options=-csearch_path%3Dshop") as client:
        serves(service, client)
    query = "SELECT DISTINCT schemaname FROM pg_stat_user_tables"
    assert service.database.execute(query, url=url) == [("shop",)]


def test_of_several_hosts_the_primary_is_found(service: Service) -> None:
    """With `target_session_attrs=read-write` every process finds the server that takes writes.

    When the standby takes over they go on with it, without a restart.
    """
    primary = service.database
    with followed(primary, service.home) as standby:
        hosts = f"127.0.0.1:{standby.port},127.0.0.1:{primary.port}"
        url = primary.url.replace(f"127.0.0.1:{primary.port}", hosts)
        url += "?target_session_attrs=read-write"
        with connected_by(service, url) as client:
            serves(service, client)
            primary.kill()
            standby.promote()
            serves(service, client)
            account = {"email": "after@example.org", "password": "correct horse battery"}
            assert client.post(USERS, json=account).status_code == 201
