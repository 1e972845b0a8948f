"""The queue in a browser: Flower, as `compose.yaml` starts it beside a worker."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml
from uv import find_uv_bin

from combinations import CHOICES, DEFAULTS, FRAMEWORKS
from conftest import RENDERED, run
from contract.client import REPORTS, signed_in
from contract.processes import Process, free_port, until
from contract.service import Project, Service, running

PASSWORD = "for tests alone"
WATCHERS = ("prometheus", "alertmanager", "grafana")
WITH_FLOWER = [name for name, told in RENDERED.items() if told.get("queue_ui") == "flower"]


@pytest.fixture(scope="module", params=CHOICES["broker"])
def project(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A project with the dependencies of its image, and those of Flower's."""
    home = tmp_path_factory.mktemp("queue_ui")
    told = DEFAULTS["flask"] | {"queue_ui": "flower", "broker": request.param}
    project = Project.generate(home=home, **told)
    assert not (project.environment / "bin/flower").exists()
    image = compose(project.path)["flower"]["build"]["args"]
    environment = os.environ | {"UV_PROJECT_ENVIRONMENT": str(project.environment)}
    command = [find_uv_bin(), "sync", "--locked", "--no-dev", "--group", image["GROUP"]]
    run(*command, cwd=project.path, env=environment)
    return project


@pytest.fixture(scope="module")
def service(project: Project) -> Iterator[Service]:
    with running(project) as service:
        yield service


@pytest.fixture(scope="module")
def flower(service: Service) -> Iterator[str]:
    """Flower and one more worker, by the commands of `compose.yaml`; give Flower's address."""
    port = free_port()
    worker = compose(service.project.path)["worker"]["command"]
    with ExitStack() as stack:
        for name, command in (("seen", worker), ("flower", flower_of(service.project, port))):
            process = process_of(service, name, command)
            process.start()
            stack.callback(process.stop)
        address = f"http://127.0.0.1:{port}"
        until(lambda: answers(address), within=30, failing=f"no Flower:\n{process.output()}")
        yield address


def compose(project: Path, name: str = "compose.yaml") -> dict[str, Any]:
    return yaml.safe_load((project / name).read_text("utf-8"))["services"]


def flower_of(project: Project, port: int) -> list[str]:
    """Return Flower's command as Compose reads it, on a port of the test's own."""
    *shell, script = compose(project.path)["flower"]["command"]
    assert "--port=5555 " in script
    return [*shell, script.replace("$$", "$").replace("--port=5555 ", f"--port={port} ")]


def process_of(service: Service, name: str, command: list[str], **settings: str) -> Process:
    env = {**service.env, "FLOWER_PASSWORD": PASSWORD, **settings}
    words = ["/usr/bin/env", *command]
    return Process(name, words, logs=service.logs, cwd=service.project.path, env=env)


def answers(address: str) -> bool:
    with suppress(httpx.TransportError):
        return httpx.get(f"{address}/healthcheck").is_success
    return False


@pytest.mark.xdist_group("rendered")
def test_only_this_machine_reaches_it_and_production_has_none(rendered: dict[str, Path]) -> None:
    """In every framework; and what `docker compose up` starts is as it was without it."""
    assert {RENDERED[name]["framework"] for name in WITH_FLOWER} == {*FRAMEWORKS}
    for name in WITH_FLOWER:
        services = compose(rendered[name])
        flower = services["flower"]
        assert flower["ports"] == ["127.0.0.1:5555:5555"]
        assert flower["profiles"] == ["flower"]
        assert "user" not in flower  # but that of the image, without rights
        assert flower["cap_drop"] == ["ALL"]
        assert flower["security_opt"] == ["no-new-privileges:true"]
        others = {*services} - {"flower", "pgbouncer", "jaeger", *WATCHERS}
        assert all("profiles" not in services[other] for other in others)
        for file in ("compose.prod.yaml", "Procfile"):
            assert "flower" not in (rendered[name] / file).read_text("utf-8"), name
        assert "UNAUTHENTICATED" not in "".join(
            path.read_text("utf-8") for path in rendered[name].rglob("*") if path.is_file()
        )


@pytest.mark.parametrize("path", ["/", "/workers", "/tasks", "/broker", "/api/workers"])
@pytest.mark.parametrize("auth", [None, ("flower", ""), ("flower", "guessed")])
def test_nothing_is_shown_without_the_password(
    flower: str, path: str, auth: tuple[str, str] | None
) -> None:
    response = httpx.get(f"{flower}{path}", auth=auth)

    assert response.status_code == 401


def test_the_worker_and_its_tasks_are_shown(service: Service, flower: str) -> None:
    with signed_in(service.base_url) as user:
        until(
            lambda: user.post(REPORTS).status_code == 202 and done(flower),
            within=30,
            failing="no task of the worker is seen",
        )
    [worker] = {task["worker"] for task in done(flower)}
    page = httpx.get(f"{flower}/workers", auth=("flower", PASSWORD))
    assert page.status_code == 200
    assert worker in page.text


def done(flower: str) -> list[dict[str, Any]]:
    """Return the reports that Flower has seen computed."""
    response = httpx.get(f"{flower}/api/tasks", auth=("flower", PASSWORD))
    assert response.status_code == 200
    tasks = response.json().values()
    return [task for task in tasks if "report" in task["name"] and task["state"] == "SUCCESS"]


def test_nothing_can_be_done_to_the_queue(flower: str) -> None:
    """Whoever has the password sees; tasks are sent by the service alone."""
    response = httpx.post(
        f"{flower}/api/task/send-task/app.tasks.finish_lost_reports",
        auth=("flower", PASSWORD),
        json={"args": []},
    )

    assert response.status_code == 403


@pytest.mark.parametrize("password", ["", None])
def test_it_does_not_start_without_a_password(service: Service, password: str | None) -> None:
    env = {**service.env, **({} if password is None else {"FLOWER_PASSWORD": password})}
    command = flower_of(service.project, free_port())

    ended = subprocess.run(
        ["/usr/bin/env", *command],
        cwd=service.project.path,
        env=env,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )

    assert ended.returncode > 0
    assert "FLOWER_PASSWORD: must be set in .env" in ended.stderr
