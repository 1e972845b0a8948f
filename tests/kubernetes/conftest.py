"""Projects for a cluster, what is applied of each, and a cluster that is none."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from itertools import product
from pathlib import Path
from typing import Any

import pytest
import yaml

from combinations import DEFAULTS, FRAMEWORKS, LEAST, ROOT, TEMPLATE, render
from conftest import replace, run

Manifest = dict[str, Any]
DIGEST = f"sha256:{'0123456789abcdef' * 4}"
IMAGE = "registry.example.org:5000/team/shop"
VERSION = "v1.2.0-RC1"
OVERLAYS = ("dev", "prod")
CLUSTER = {"deployment": "kubernetes", "ci": "github"}
# What every framework has by default, and what other answers add or leave out.
ASKED = {framework: DEFAULTS[framework] | CLUSTER for framework in FRAMEWORKS}
ASKED["all"] = (
    DEFAULTS["tornado-ws"]
    | CLUSTER
    | {
        "broker": "rabbitmq",
        "errors": "sentry",
        "tracing": "opentelemetry",
        "queue_ui": "flower",
        "replicas": "streaming",
        "monitoring": "grafana",
    }
)
ASKED["enterprise"] = DEFAULTS["django-drf"] | TEMPLATE.catalogue.presets["enterprise"].answers
ASKED["mariadb"] = DEFAULTS["django-drf"] | CLUSTER | {"database": "mariadb", "queue_ui": "flower"}
ASKED["mysql"] = LEAST["flask"] | CLUSTER | {"database": "mysql", "errors": "sentry"}
# A feed is the one that wants Redis there.
ASKED["feed"] = LEAST["tornado-ws"] | CLUSTER | {"database": "postgresql"}


@pytest.fixture(scope="package")
def kubectl() -> str:
    """The program, of which no server is asked."""
    found = os.environ.get("KUBECTL") or shutil.which("kubectl")
    if not found:
        reason = "needs kubectl 1.30 or later, which .ci/kubectl gets, or KUBECTL has to name it"
        pytest.fail(reason) if os.environ.get("CI") else pytest.skip(reason)
    return found


@pytest.fixture(scope="package")
def projects(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Projects for a cluster, by name; `prod` has every component."""
    place = tmp_path_factory.mktemp("kubernetes")
    render(ROOT, place, ASKED)
    projects = {name: place / name / "shop" for name in ASKED}
    for project in projects.values():
        has = "  - ../../components/ingress\n"
        monitors = project / "k8s/components/monitoring"
        names = ("monitoring" if monitors.exists() else "service-monitor", "external-secrets")
        more = "".join(has.replace("ingress", name) for name in names)
        replace(project / "k8s/overlays/prod/kustomization.yaml", has, has + more)
    return projects


class Cluster:
    """A cluster that is none: see `kubectl.py`."""

    def __init__(self, home: Path, kubectl: str) -> None:
        self.home = home
        (home / "bin").mkdir()
        command = home / "bin/kubectl"
        command.write_text(
            f'#!/bin/sh\nexec {sys.executable} {Path(__file__).with_name("kubectl.py")} "$@"\n'
        )
        command.chmod(0o755)
        docker = home / "bin/docker"
        docker.write_text(f'#!/bin/sh\necho "$@" >>"{home}/docker"\necho {DIGEST}\n')
        docker.chmod(0o755)
        (home / "bin/sleep").symlink_to("/bin/true")
        path = os.pathsep.join([str(home / "bin"), os.environ["PATH"]])
        kept = {key: value for key, value in os.environ.items() if not key.startswith("MAKE")}
        self.environment = kept | {"PATH": path, "CLUSTER": str(home), "KUBECTL": kubectl}
        self.told = {"active": "", "migration": "SuccessCriteriaMet Complete", "waiting": ""}
        self.told |= {"revisions": "web=3\nworker=5\n", "unready": ""}

    def deploy(self, project: Path, **environment: str) -> subprocess.CompletedProcess[str]:
        """Say `make deploy`."""
        (self.home / "told.json").write_text(json.dumps(self.told))
        told = {"IMAGE": IMAGE, "VERSION": VERSION} | environment
        return subprocess.run(
            ["make", "--silent", "deploy"],
            cwd=project,
            env=self.environment | told,
            capture_output=True,
            text=True,
            check=False,
        )

    def log(self) -> list[str]:
        return (self.home / "log").read_text("utf-8").splitlines()


@pytest.fixture
def cluster(tmp_path: Path, kubectl: str) -> Cluster:
    return Cluster(tmp_path, kubectl)


@pytest.fixture(scope="package")
def files(
    projects: dict[str, Path], kubectl: str, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """What `make deploy` applies of each overlay of each project, a file for each."""
    place = tmp_path_factory.mktemp("built")
    cluster = Cluster(tmp_path_factory.mktemp("cluster"), kubectl)

    def build(name: str, overlay: str) -> None:
        told = {"OVERLAY": overlay, "IMAGE": IMAGE, "VERSION": VERSION}
        made = run("sh", projects[name] / "k8s/manifests.sh", env=cluster.environment | told)
        (place / f"{name}-{overlay}.yaml").write_text(made, "utf-8")

    with ThreadPoolExecutor(2) as pool:
        [*pool.map(lambda told: build(*told), product(projects, OVERLAYS))]
    return place


@pytest.fixture(scope="package")
def built(files: Path) -> dict[str, list[Manifest]]:
    """The same, read."""
    return {
        file.stem: [*yaml.load_all(file.read_bytes(), yaml.CSafeLoader)] for file in files.iterdir()
    }
