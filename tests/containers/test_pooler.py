"""PgBouncer's container: in front of the database for who asks for it, and for no migration."""

import os
from pathlib import Path

import pytest

from combinations import DEFAULTS
from contract.client import BOOKS, book, signed_in
from gate import by_turns

from .conftest import generate
from .stack import Stack

EACH = by_turns(3)


@pytest.mark.parametrize("framework", EACH)
def test_the_service_is_behind_it_and_migrations_are_not(
    engine: None, tmp_path: Path, framework: str
) -> None:
    """It is published to nobody, and does not run as root."""
    project = tmp_path / f"shop-pgbouncer-{framework}"
    generate(project, **DEFAULTS[framework])
    pooled = {"COMPOSE_PROFILES": "pgbouncer", "DATABASE_HOST": "pgbouncer"}
    stack = Stack(project, project.name, LOGIN_ATTEMPTS="0", **pooled)
    if stack.run("pull", "--policy", "missing", "pgbouncer").returncode:
        reason = "needs the image of PgBouncer: .ci/pgbouncer-image makes one that stands in"
        pytest.fail(reason) if os.environ.get("CI") else pytest.skip(reason)
    try:
        stack.up("--build")

        with signed_in(stack.base_url) as user:
            assert user.post(BOOKS, json=book()).status_code == 201
        [network] = stack.container("pgbouncer")["NetworkSettings"]["Networks"].values()
        query = "SELECT DISTINCT host(client_addr) FROM pg_stat_activity WHERE datname = 'app'"
        query += " AND pid <> pg_backend_pid()"
        assert stack.database.execute(query) == [(network["IPAddress"],)]
        urls = {
            name: told
            for name in ("migrate", "web")
            for told in stack.container(name)["Config"]["Env"]
            if told.startswith("DATABASE_URL=")
        }
        assert [url.rpartition("@")[2] for url in urls.values()] == [
            "postgres:5432/app",
            "pgbouncer:5432/app",
        ]
        found = stack.container("pgbouncer")
        assert found["Config"]["User"] == "nobody"
        assert not any(found["NetworkSettings"]["Ports"].values())
    finally:
        stack.down()
