"""`release`: the migrations, by however many hosts at once."""

import time

import psycopg

from .processes import until
from .service import Service


def test_several_releases_at_once_all_succeed(service: Service) -> None:
    """Of three that begin together one migrates; the others wait for it, and all end with 0."""
    url = service.postgres.create_database("thrice")
    names = [f"release-{number}" for number in range(3)]
    releases = [service.process("release", name, DATABASE_URL=url) for name in names]

    def connected() -> bool:
        query = "SELECT count(*) FROM pg_stat_activity WHERE datname = 'thrice'"
        with service.database() as other:
            [(count,)] = other.execute(query)
        return count > len(releases)

    with psycopg.connect(url) as connection:
        # Nobody makes a table before all of them have seen that there is none.
        connection.execute("LOCK TABLE pg_catalog.pg_class IN SHARE MODE")
        for release in releases:
            release.start()
        until(connected, within=20, failing="they do not connect")
        time.sleep(1)
    for release in releases:
        assert release.wait(60) == 0, release.output()
