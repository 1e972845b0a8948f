"""What a project's CI runs, read from its file: jobs, whichever CI it is."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path
from typing import Any

import pytest
import yaml

Table = dict[str, Any]

FILES = {"github": ".github/workflows/ci.yml", "gitlab": ".gitlab-ci.yml", "jenkins": "Jenkinsfile"}

# Actions whose work is done by other means where a job is tried, or that only GitHub can run.
STOOD_IN_FOR = {"actions/checkout", "astral-sh/setup-uv", "docker/login-action"}
ENGINE = "docker:29-dind"
"""GitLab's engine for a job; where one is tried, it is the machine's own."""


@dataclass
class Job:
    """What runs in a fresh clone, each command in a shell of its own."""

    name: str
    shell: list[str]
    commands: list[str]
    environment: dict[str, str]
    services: dict[str, Table] = field(default_factory=dict)
    condition: object = None  # without one it always runs

    @property
    def python(self) -> str:
        return self.environment.get("UV_PYTHON", "")

    @property
    def targets(self) -> list[str]:
        """What it says to make."""
        return re.findall(r"\bmake (\w+)", "\n".join(self.commands))


def with_ci(ci: str, rendered: dict[str, Path]) -> list[Path]:
    """Return the rendered projects that have a CI, or "none"."""
    answers = {
        project: yaml.safe_load((project / ".copier-answers.yml").read_text("utf-8"))
        for project in rendered.values()
    }
    found = [project for project, told in answers.items() if told["ci"] == ci]
    assert found
    return found


def cells(matrix: dict[str, list[str]]) -> Iterator[dict[str, str]]:
    """Yield each combination of a matrix; without one, that of nothing."""
    for values in product(*matrix.values()):
        yield dict(zip(matrix, values, strict=True))


def github(project: Path) -> Iterator[Job]:
    """Read the workflow; its steps run as those of `shell: bash` or without a shell do."""
    workflow = yaml.safe_load((project / FILES["github"]).read_text("utf-8"))
    shell = ["bash", "--noprofile", "--norc", "-e", "-o", "pipefail", "-c"]
    for name, job in workflow["jobs"].items():
        used = {step["uses"].split("@")[0] for step in job["steps"] if "uses" in step}
        assert used <= STOOD_IN_FOR
        for cell in cells(job.get("strategy", {}).get("matrix", {})):

            def filled_in(text: str, cell: dict[str, str] = cell) -> str:
                text = re.sub(r"\$\{\{ matrix\.(\w+) \}\}", lambda match: cell[match[1]], text)
                assert "${{" not in text
                return text

            commands = [filled_in(step["run"]) for step in job["steps"] if "run" in step]
            environment = workflow["env"] | job.get("env", {})
            environment = {key: filled_in(value) for key, value in environment.items()}
            services = job.get("services", {})
            yield Job(name, shell, commands, environment, services, job.get("if"))


def gitlab(project: Path) -> Iterator[Job]:
    """Read the pipeline, whose commands of a job are one script."""
    pipeline = yaml.safe_load((project / FILES["gitlab"]).read_text("utf-8"))
    shell = ["bash", "-e", "-o", "pipefail", "-c"]
    for name, told in pipeline.items():
        if name.startswith(".") or "script" not in told:
            continue
        job = pipeline.get(told.get("extends"), {}) | told
        services = {}
        for one in job.get("services", []):
            image, environment = one, {}
            if isinstance(one, dict):
                image, environment = one["name"], one["variables"]
            if image != ENGINE:
                services[image.split(":")[0]] = {"image": image, "env": environment}
        [matrix] = job.get("parallel", {"matrix": [{}]})["matrix"]
        for cell in cells(matrix):
            script = "\n".join([*job.get("before_script", []), *job["script"]])
            environment = pipeline["variables"] | job.get("variables", {}) | cell
            yield Job(name, shell, [script], environment, services, job.get("rules"))


def jenkins(project: Path) -> Iterator[Job]:
    """Read the declarative pipeline."""
    [pipeline] = jenkinsfiles(project / FILES["jenkins"])
    for stage in pipeline["stages"]["stage"]:
        around = stage.get("matrix", {"axes": {"axis": []}, "stages": {"stage": [stage]}})
        axes = {axis["name"]: axis["values"] for axis in around["axes"]["axis"]}
        for cell in cells(axes):
            for inner in around["stages"]["stage"]:
                afterwards = inner.get("post", {}).get("always", {"sh": []})
                yield Job(
                    inner["name"],
                    ["sh", "-xe", "-c"],
                    inner["steps"]["sh"] + afterwards["sh"],
                    pipeline["environment"] | inner.get("environment", {}) | cell,
                    condition=inner.get("when"),
                )


def jenkinsfiles(*paths: Path) -> list[Table]:
    """Read Jenkinsfiles with Groovy."""
    java = shutil.which("java")
    if not (java and shutil.which("groovy")):
        reason = "needs Groovy: apt-get install groovy"
        pytest.fail(reason) if os.environ.get("CI") else pytest.skip(reason)
    done = subprocess.run(
        ["groovy", Path(__file__).with_name("jenkinsfile.groovy"), *paths],
        env=os.environ | {"JAVA_HOME": str(Path(java).resolve().parents[1])},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


CI = {"github": github, "gitlab": gitlab, "jenkins": jenkins}
