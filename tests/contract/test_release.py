"""`release`: the migrations, by however many hosts at once."""

import time

from .processes import until
from .service import Service


def test_several_releases_at_once_all_succeed(service: Service) -> None:
    """Of three that begin together one migrates; the others wait for it, and all end with 0."""
    url = service.database.create_database("thrice")
    names = [f"release-{number}" for number in range(3)]
    releases = [service.process("release", name, DATABASE_URL=url) for name in names]
    # Nobody makes a table before all of them have seen that there is none.
    with service.database.without_new_tables(url):
        before = service.database.sessions(url)
        for release in releases:
            release.start()
        until(
            lambda: service.database.sessions(url) >= before + len(releases),
            within=20,
            failing="they do not connect",
        )
        time.sleep(1)
    for release in releases:
        assert release.wait(60) == 0, release.output()
