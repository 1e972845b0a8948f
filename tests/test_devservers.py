"""The servers that a project starts for its developer let no other user of the machine in."""

import importlib.util
import os
import pwd
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
import redis

from combinations import DEFAULTS, name_of


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("dev")


@pytest.fixture(scope="module")
def urls(rendered: dict[str, Path], data: Path) -> Iterator[dict[str, str]]:
    """Start the servers of a project; give what names them."""
    project = rendered[name_of(DEFAULTS["flask"])]
    spec = importlib.util.spec_from_file_location("devservers", project / "devservers.py")
    assert spec
    assert spec.loader
    devservers = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(devservers)
    with pytest.MonkeyPatch.context() as monkeypatch:
        for name in ("DATABASE_URL", "REDIS_URL", "CELERY_BROKER_URL"):
            monkeypatch.setenv(name, "")  # as good as unset
        with devservers.get_server(data / "postgres"):  # as earlier releases left one behind
            pass
        with devservers.servers(data) as urls:
            yield urls


def connect_for(seconds: float, url: str) -> None:
    """Connect again and again, for as long as it goes well."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        psycopg.connect(url).close()


def test_whoever_started_them_gets_in(urls: dict[str, str]) -> None:
    with psycopg.connect(urls["DATABASE_URL"]) as connection:
        assert connection.execute("SELECT current_user").fetchone() == ("postgres",)
    with redis.Redis.from_url(urls["REDIS_URL"]) as client:
        assert client.set("key", "value")


def test_postgresql_asks_the_kernel_who_somebody_is(urls: dict[str, str]) -> None:
    """No rule trusts, and no other one is left."""
    with psycopg.connect(urls["DATABASE_URL"]) as connection:
        rules = connection.execute("SELECT type, auth_method, error FROM pg_hba_file_rules")
        assert rules.fetchall() == [("local", "peer", None)]
        listens = connection.execute("SHOW listen_addresses").fetchone()
        assert listens == ("",)


def test_valkey_does_nothing_for_whoever_has_no_password(urls: dict[str, str]) -> None:
    address = urls["REDIS_URL"].rpartition("@")[2]
    for url in (f"redis://{address}", f"redis://developer:wrong@{address}"):
        with redis.Redis.from_url(url) as client, pytest.raises(redis.RedisError):
            client.get("key")
    with redis.Redis.from_url(f"redis://{address}") as client, pytest.raises(redis.RedisError):
        client.config_get("requirepass")


def test_the_data_are_not_for_others_to_read(urls: dict[str, str], data: Path) -> None:
    """Nor is the password of Valkey, which stands in a file there."""
    modes = {name: (data / name).stat().st_mode & 0o077 for name in ("postgres", "valkey")}
    assert modes == {"postgres": 0, "valkey": 0}


def test_another_user_is_refused(urls: dict[str, str], data: Path) -> None:
    """Whoever reaches the socket under another name than the map has is not let in."""
    ours = data / "postgres" / "pg_ident.conf"
    ours.write_text(ours.read_text().replace(pwd.getpwuid(os.getuid()).pw_name, "somebody"))
    with psycopg.connect(urls["DATABASE_URL"], autocommit=True) as connection:
        connection.execute("SELECT pg_reload_conf()")
    with pytest.raises(psycopg.OperationalError, match="Peer authentication failed"):
        connect_for(5, urls["DATABASE_URL"])  # the server reads it again a moment later


@pytest.mark.parametrize(("told", "environment"), [("", "development"), ("test", "test")])
def test_a_command_is_of_development_unless_told_otherwise(
    rendered: dict[str, Path], tmp_path: Path, told: str, environment: str
) -> None:
    """An empty `ENVIRONMENT` tells nothing."""
    devservers = rendered[name_of(DEFAULTS["flask"])] / "devservers.py"
    running = dict.fromkeys(("DATABASE_URL", "REDIS_URL", "CELERY_BROKER_URL"), "elsewhere://")
    printed = subprocess.run(
        [sys.executable, devservers, "printenv", "ENVIRONMENT"],
        cwd=tmp_path,
        env=os.environ | running | {"ENVIRONMENT": told},
        capture_output=True,
        text=True,
        check=True,
    )
    assert printed.stdout == f"{environment}\n"
