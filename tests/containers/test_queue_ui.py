"""Flower's container: of an image of its own, and started by who asks for it."""

import re
from pathlib import Path

import httpx
import pytest

from combinations import DEFAULTS
from gate import by_turns

from .conftest import generate
from .stack import Stack, say

EACH = by_turns(3)


@pytest.mark.parametrize("framework", EACH)
def test_flower_is_up_behind_the_password_of_env(
    engine: None, tmp_path: Path, framework: str
) -> None:
    """With the `.env` that the command has made, in a profile; the other images do without it."""
    project = tmp_path / f"shop-flower-{framework}"
    generate(project, **DEFAULTS[framework] | {"queue_ui": "flower"})
    password = re.search(r"^FLOWER_PASSWORD=(.+)$", (project / ".env").read_text(), re.MULTILINE)[1]
    stack = Stack(project, project.name, COMPOSE_PROFILES="flower")
    try:
        stack.up("--build")

        assert httpx.get("http://127.0.0.1:5555/workers").status_code == 401
        answer = httpx.get("http://127.0.0.1:5555/workers", auth=("flower", password))
        assert answer.status_code == 200
        assert stack.health("flower") == "healthy"
        images = [stack.container(service)["Image"] for service in ("web", "flower")]
        look = "from importlib.util import find_spec; print(bool(find_spec('flower')))"
        found = [say("run", "--rm", image, "python", "-c", look).strip() for image in images]
        assert found == ["False", "True"]
    finally:
        stack.down()
