"""The development stack: what holds for every container, the contract, and what an end leaves."""

import os
import re
import signal
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree as ET

import httpx
import pytest

from contract.client import BOOKS, book
from contract.processes import until

from .conftest import Record, defaults
from .stack import Stack, inspect, say

LARGEST = 120_000_000  # bytes above the base image
# Why a test of the contract may be left out here: what it needs cannot be there.
LEFT_OUT = (
    "needs the service's own processes",
    "generated without",
    "the page that shows the feed is there",
)


def test_everything_is_up_before_there_is_an_env_file(stack: Stack, note: Record) -> None:
    assert not (stack.project / ".env").exists()
    for name, figure in stack.figures.items():
        note(name, figure)
    assert stack.container("migrate")["State"]["ExitCode"] == 0
    for identifier in stack.identifiers():
        state = inspect(identifier)["State"]
        assert state["Status"] == "exited" or state["Health"]["Status"] == "healthy"


def test_the_contract_holds(
    stack: Stack,
    told: dict[str, str],
    tmp_path: Path,
    note: Record,
    pytestconfig: pytest.Config,
) -> None:
    """The contract holds through the published port: its smoke, or all with `--everything`."""
    whole = pytestconfig.getoption("--everything")
    results = tmp_path / "results.xml"
    tests = Path(__file__).parents[1] / "contract"
    command = [sys.executable, "-m", "pytest", tests, f"--base-url={stack.base_url}"]
    command += [f"--project={stack.project}", f"--junit-xml={results}", "-p", "no:cacheprovider"]
    command += ["--everything"] if whole else ["-m", "smoke"]
    environment = {name: value for name, value in os.environ.items() if name != "MINUTES"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-10_000:] + stack.tail()
    cases = ET.parse(results).getroot().findall(".//testcase")
    reasons = {skip.get("message", "") for case in cases for skip in case.iter("skipped")}
    assert [reason for reason in reasons if not reason.startswith(LEFT_OUT)] == []
    passed = [case for case in cases if len(case) == 0 or case[0].tag.startswith("system")]
    note("contract tests passed", len(passed))
    assert len(passed) > (500 if whole else 50)


def test_the_image_is_small(stack: Stack, note: Record) -> None:
    """What the last stage adds to its base image."""
    dockerfile = (stack.project / "Dockerfile").read_text("utf-8")
    base = re.findall(r"^FROM (\S+)", dockerfile, re.MULTILINE)[-1]
    size = inspect(stack.container("web")["Image"])["Size"] - inspect(base)["Size"]
    note("image above base, MB", f"{size / 1e6:.0f}")
    assert 0 < size < LARGEST


def status_of(stack: Stack, service: str) -> dict[str, str]:
    """Return what the kernel says of a service's first process."""
    lines = stack.read(service, "/proc/1/status").splitlines()
    return {key: value.strip() for key, value in (line.split(":", 1) for line in lines)}


def test_nothing_runs_as_root(stack: Stack) -> None:
    """Neither ours nor the servers; none may become it, and none has a capability."""
    for identifier in stack.identifiers():
        if inspect(identifier)["State"]["Running"]:
            lines = say("top", identifier, "-eo", "uid,pid,args").splitlines()[1:]
            assert lines
            assert [line for line in lines if line.split()[0] == "0"] == []
    for service in [*stack.services, *stack.servers]:
        status = status_of(stack, service)
        assert int(status["CapEff"], 16) == 0
        assert status["NoNewPrivs"] == "1"


def test_the_file_system_is_read_only(stack: Stack) -> None:
    for service in stack.services:
        for path in ("/srv", "/srv/.venv", "/home", "/var/tmp"):
            command = ["import pathlib, sys; pathlib.Path(sys.argv[1], 'x').touch()", path]
            done = stack.run("exec", "-T", "--user", "0", service, "python", "-c", *command)
            assert "Read-only file system" in done.stdout


def test_the_first_process_is_the_server(stack: Stack) -> None:
    """SIGTERM reaches it: no shell is in between."""
    for service in stack.services:
        command = stack.read(service, "/proc/1/cmdline").split("\0")
        assert Path(command[0]).name.startswith(("python", "celery"))


def test_one_image_is_everybodys(stack: Stack) -> None:
    assert len({stack.container(service)["Image"] for service in stack.services}) == 1


def test_only_web_is_published_and_only_here(stack: Stack) -> None:
    port = stack.environment["PORT"]
    published = {
        f"{host['HostIp']}:{host['HostPort']}"
        for identifier in stack.identifiers()
        for hosts in (inspect(identifier)["NetworkSettings"]["Ports"] or {}).values()
        for host in hosts or []
    }
    assert published == {f"127.0.0.1:{port}"}


@defaults(turn=1)
def test_a_worker_or_beat_that_hangs_is_unhealthy(stack: Stack) -> None:
    hanging = ["worker", "beat"]
    for service in hanging:
        say("kill", "--signal", "STOP", stack.container(service)["Id"])
    try:
        for service in hanging:
            stack.wait_until(service, "unhealthy", within=40)
    finally:
        for service in hanging:
            say("kill", "--signal", "CONT", stack.container(service)["Id"])
    for service in hanging:
        stack.wait_until(service, "healthy")


@defaults(turn=1)
def test_watch_brings_new_code_into_web(stack: Stack, tmp_path: Path) -> None:
    """`docker compose watch` builds the image anew, and only web is replaced."""
    before = stack.container("postgres")["Id"]
    command = ["docker", "compose", "--project-name", stack.name, "watch", "--no-up"]
    log = tmp_path / "watch.log"
    with stack.changed_settings() as settings, log.open("w") as output:
        watch = subprocess.Popen(
            command,
            cwd=stack.project,
            env=os.environ | stack.environment,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            until(lambda: "Watch enabled" in log.read_text(), within=30, failing="nobody watches")
            settings.write_text(settings.read_text("utf-8") + "# Once more.\n", "utf-8")
            inside = settings.relative_to(stack.project).as_posix()
            until(
                lambda: "# Once more." in stack.run("exec", "-T", "web", "cat", inside).stdout,
                within=60,
                failing=lambda: f"web does not get the new code:\n{stack.tail()}",
            )
            stack.wait_until("web", "healthy")
        finally:
            os.killpg(watch.pid, signal.SIGKILL)  # it does not always hear of a gentler one
            watch.wait()
    assert stack.container("postgres")["Id"] == before
    stack.up("--build")  # the code as it was


def test_down_leaves_named_volumes_alone_and_up_finds_the_data(
    stack: Stack, user: httpx.Client
) -> None:
    """After `down` there is nothing but the database, which the next `up` serves."""
    response = user.post(BOOKS, json=book())
    assert response.status_code == 201
    path = response.headers["Location"]
    mounted = {
        mount["Name"]
        for identifier in stack.identifiers()
        for mount in inspect(identifier)["Mounts"]
        if mount["Type"] == "volume"
    }
    stack("down")
    label = f"label=com.docker.compose.project={stack.name}"
    assert stack.identifiers() == []
    assert say("network", "ls", "--quiet", "--filter", label) == ""
    volumes = {*say("volume", "ls", "--quiet", "--filter", label).split()}
    named = stack("config", "--volumes").split()
    assert volumes == mounted == {f"{stack.name}_{name}" for name in named}
    assert named
    stack.up()
    assert user.get(path).json()["id"] == response.json()["id"]
