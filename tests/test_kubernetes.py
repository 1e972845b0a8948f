"""A project for a cluster, by tools that no one here wrote, and how a version gets there."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from itertools import product
from pathlib import Path
from typing import Any

import pytest
import yaml
from uv import find_uv_bin

from combinations import DEFAULTS, FRAMEWORKS, LEAST, ROOT, TEMPLATE, render
from conftest import replace, run

Manifest = dict[str, Any]
CHECKOV = "checkov==3.3.30"
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


@pytest.fixture(scope="module")
def kubectl() -> str:
    """The program, of which no server is asked."""
    found = os.environ.get("KUBECTL") or shutil.which("kubectl")
    if not found:
        reason = "needs kubectl 1.30 or later, which .ci/kubectl gets, or KUBECTL has to name it"
        pytest.fail(reason) if os.environ.get("CI") else pytest.skip(reason)
    return found


@pytest.fixture(scope="module")
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
    """A cluster that is none: see `cluster.py`."""

    def __init__(self, home: Path, kubectl: str) -> None:
        self.home = home
        (home / "bin").mkdir()
        command = home / "bin/kubectl"
        command.write_text(f'#!/bin/sh\nexec {sys.executable} {ROOT / "tests/cluster.py"} "$@"\n')
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


@pytest.fixture(scope="module")
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


@pytest.fixture(scope="module")
def built(files: Path) -> dict[str, list[Manifest]]:
    """The same, read."""
    return {file.stem: read(file) for file in files.iterdir()}


def read(file: Path) -> list[Manifest]:
    return [*yaml.load_all(file.read_bytes(), yaml.CSafeLoader)]


def of_kind(manifests: list[Manifest], *kinds: str) -> list[Manifest]:
    return [each for each in manifests if each["kind"] in kinds]


def settings_of(manifests: list[Manifest]) -> Manifest:
    maps = of_kind(manifests, "ConfigMap")
    return next(each for each in maps if each["metadata"]["name"].startswith("settings-"))


def pod_of(manifest: Manifest) -> Manifest:
    return manifest["spec"]["template"]["spec"]


def component_of(manifest: Manifest) -> str:
    return manifest["spec"]["template"]["metadata"]["labels"]["app.kubernetes.io/component"]


def test_kubernetes_knows_every_field(files: Path, tmp_path: Path) -> None:
    """But for what is an operator's own, of which it has no schema."""
    command = [Path(sys.executable).with_name("kubernetes-validate"), "--strict", "--quiet"]
    operators = {"ServiceMonitor", "PodMonitor", "PrometheusRule", "ExternalSecret"}
    for file in files.iterdir():
        known = [
            each for each in yaml.safe_load_all(file.read_text()) if each["kind"] not in operators
        ]
        (tmp_path / file.name).write_text(yaml.safe_dump_all(known))
    run(*command, "-k", "1.37.0", *sorted(tmp_path.glob("*.yaml")))


def test_checkov(files: Path, projects: dict[str, Path]) -> None:
    """By the project's own configuration, which has the reason of each check that is left out."""
    command = [find_uv_bin(), "tool", "run", "--quiet", "--from", CHECKOV, "checkov"]
    configuration = projects["fastapi"] / "k8s/.checkov.yaml"
    options = ["--config-file", configuration, "--framework", "kubernetes", "--skip-download"]
    run(*command, *options, "--quiet", "--compact", "--directory", files)


def test_each_process_of_the_procfile_is_there(
    built: dict[str, list[Manifest]], projects: dict[str, Path]
) -> None:
    """By the command that compose.prod.yaml gives it; release is the Job."""
    for name, project in projects.items():
        services = yaml.safe_load((project / "compose.prod.yaml").read_text("utf-8"))["services"]
        wanted = {
            key: services[key].get("command")
            for key in services.keys() & {"migrate", "web", "worker", "beat"}
        }
        workloads = of_kind(built[f"{name}-prod"], "Deployment", "Job")
        commands = {
            component_of(each): pod_of(each)["containers"][0].get("command") for each in workloads
        }
        assert commands == wanted


def test_a_process_has_what_compose_gives_it(
    built: dict[str, list[Manifest]], projects: dict[str, Path]
) -> None:
    """Each address and each secret: without one the service does not start."""
    for name, project in projects.items():
        services = yaml.safe_load((project / "compose.prod.yaml").read_text("utf-8"))["services"]
        needed = {key for key, value in services["web"]["environment"].items() if value}
        needed -= {"PORT"}  # of the image
        settings = settings_of(built[f"{name}-prod"])
        for workload in of_kind(built[f"{name}-prod"], "Deployment", "Job"):
            [container] = pod_of(workload)["containers"]
            assert container["envFrom"] == [
                {"configMapRef": {"name": settings["metadata"]["name"]}}
            ]
            assert needed <= {*settings["data"], *(each["name"] for each in container["env"])}


def test_a_cluster_has_the_same_rules_and_dashboards(
    built: dict[str, list[Manifest]], projects: dict[str, Path]
) -> None:
    """As the files of `monitoring/` have them, where its component is named, and nowhere else."""
    monitoring = projects["all"] / "monitoring"
    [rule] = of_kind(built["all-prod"], "PrometheusRule")
    assert rule["spec"] == yaml.safe_load((monitoring / "rules.yml").read_text("utf-8"))
    maps = of_kind(built["all-prod"], "ConfigMap")
    [shown] = [each for each in maps if "grafana_dashboard" in each["metadata"]["labels"]]
    assert shown["data"] == {
        file.name: file.read_text("utf-8") for file in monitoring.glob("grafana/dashboards/*.json")
    }
    assert of_kind(built["all-dev"], "PrometheusRule", "ServiceMonitor", "PodMonitor") == []


def test_prometheus_is_let_in_where_it_asks(built: dict[str, list[Manifest]]) -> None:
    """By the name under which the rules know a process, at a port that the process has."""
    manifests = built["all-prod"]
    settings = settings_of(manifests)
    ports = {
        component_of(each): {
            port["name"]: port["containerPort"] for port in pod_of(each)["containers"][0]["ports"]
        }
        for each in of_kind(manifests, "Deployment")
        if component_of(each) in {"web", "worker"}
    }
    assert ports["worker"] == {"metrics": int(settings["data"]["METRICS_PORT"])}
    asked = {}
    for each in of_kind(manifests, "ServiceMonitor", "PodMonitor"):
        spec = each["spec"]
        [endpoint] = spec.get("endpoints") or spec["podMetricsEndpoints"]
        [component] = selected(spec["selector"])
        [label] = endpoint["relabelings"]
        assert label == {"targetLabel": "job", "replacement": f"shop-{component}"}
        assert endpoint["port"] in ports[component]
        asked[component] = endpoint["port"]
    assert {*asked} == {"web", "worker"}
    policies = {
        each["metadata"]["name"]: each["spec"] for each in of_kind(manifests, "NetworkPolicy")
    }
    for component, port in asked.items():
        policy = policies[f"{component}-from-prometheus"]
        assert selected(policy["podSelector"]) == {component}
        [rule] = policy["ingress"]
        assert rule["ports"] == [{"port": port, "protocol": "TCP"}]


def test_no_secret_is_anywhere(built: dict[str, list[Manifest]], projects: dict[str, Path]) -> None:
    """Processes name those of the Secret that the example describes; git ignores the real ones."""
    for name, project in projects.items():
        example = (project / "k8s/secret.example.env").read_text("utf-8")
        for overlay in OVERLAYS:
            manifests = built[f"{name}-{overlay}"]
            assert of_kind(manifests, "Secret") == []
            named = {
                each["valueFrom"]["secretKeyRef"]["key"]: each["valueFrom"]["secretKeyRef"].get(
                    "optional"
                )
                for workload in of_kind(manifests, "Deployment", "Job", "StatefulSet")
                for each in pod_of(workload)["containers"][0]["env"]
                if "secretKeyRef" in each.get("valueFrom", {})
            }
            for key, optional in named.items():
                assert re.search(rf"^{'#' if optional else ''}{key}=", example, re.MULTILINE), key
    run("git", "init", "--quiet", cwd=project)
    run("git", "check-ignore", "k8s/overlays/prod/secret.env", "k8s/.made-1", cwd=project)


def test_only_who_uses_a_server_reaches_it(built: dict[str, list[Manifest]]) -> None:
    """Of the servers of `dev`: who may send to one is whom it takes from."""
    for manifests in (held for name, held in built.items() if name.endswith("-dev")):
        policies = {
            each["metadata"]["name"]: each["spec"] for each in of_kind(manifests, "NetworkPolicy")
        }
        assert policies.pop("default-deny") == {
            "podSelector": {},
            "policyTypes": ["Ingress", "Egress"],
        }
        sent: dict[int, set[str]] = {}
        for name in policies.keys() & {"to-database", "to-redis", "to-broker"}:
            [rule] = policies[name]["egress"]
            sent.setdefault(rule["ports"][0]["port"], set()).update(
                selected(policies[name]["podSelector"])
            )
        taken = {}
        for server in of_kind(manifests, "StatefulSet"):
            [rule] = policies[server["metadata"]["name"]]["ingress"]
            [port] = pod_of(server)["containers"][0]["ports"]
            assert rule["ports"] == [{"port": port["name"], "protocol": "TCP"}]
            taken[port["containerPort"]] = selected(rule["from"][0]["podSelector"])
        assert sent == taken


def selected(selector: Manifest) -> set[str]:
    """Return the components that a selector of pods names."""
    if "matchLabels" in selector:
        return {*selector["matchLabels"].values()}
    [told] = selector["matchExpressions"]
    return {*told["values"]}


def test_a_web_process_has_time_to_end(built: dict[str, list[Manifest]]) -> None:
    """That of `preStop`, and the 30 seconds of its own."""
    for manifests in built.values():
        [web] = [each for each in of_kind(manifests, "Deployment") if component_of(each) == "web"]
        [container] = pod_of(web)["containers"]
        settling = container["lifecycle"]["preStop"]["sleep"]["seconds"]
        assert settling > 0
        assert pod_of(web)["terminationGracePeriodSeconds"] > settling + 30
        assert web["spec"]["strategy"]["rollingUpdate"]["maxUnavailable"] == 0


def test_what_runs_is_named_by_its_digest(built: dict[str, list[Manifest]]) -> None:
    for manifests in built.values():
        for workload in of_kind(manifests, "Deployment", "Job"):
            [container] = pod_of(workload)["containers"]
            tag = "flower" if component_of(workload) == "flower" else f"1.2.0-RC1@{DIGEST}"
            assert container["image"] == f"{IMAGE}:{tag}"


def test_the_migrations_come_first(projects: dict[str, Path], cluster: Cluster) -> None:
    """Nothing of a version serves before they are through."""
    done = cluster.deploy(projects["fastapi"])
    assert done.returncode == 0, done.stderr
    assert {line.partition(": ")[0] for line in cluster.log()} == {"shop"}
    steps = [line.partition(": ")[2] for line in cluster.log()]
    [namespace, before, after] = [step for step in steps if step.startswith("apply ")]
    assert namespace == "apply Namespace/shop"
    assert "Job/migrate-1-2-0-rc1" in before
    assert "Deployment/" not in before
    assert "Deployment/web" in after
    assert "Deployment/worker" in after
    asked = [number for number, step in enumerate(steps) if "conditions" in step]
    assert steps.index(before) < asked[0] < steps.index(after)
    assert [step for step in steps[steps.index(after) :] if "rollout" in step] == [
        f"rollout status deployment.apps/{name} --timeout 5m" for name in ("beat", "web", "worker")
    ]
    assert [*(projects["fastapi"] / "k8s").glob(".made-*")] == []


@pytest.mark.parametrize(
    ("told", "why"),
    [
        ({"migration": "FailureTarget Failed"}, "FailureTarget Failed"),
        ({"migration": "", "waiting": "ImagePullBackOff"}, "ImagePullBackOff"),
        ({"migration": "", "waiting": "CreateContainerConfigError"}, "CreateContainerConfigError"),
    ],
)
def test_where_they_fail_nothing_is_replaced(
    projects: dict[str, Path], cluster: Cluster, told: dict[str, str], why: str
) -> None:
    cluster.told |= told
    done = cluster.deploy(projects["flask"])
    assert done.returncode != 0
    assert f"The migrations of v1.2.0-RC1 do not run ({why}): nothing was replaced." in done.stderr
    assert "Deployment/" not in "\n".join(cluster.log())


def test_a_version_that_does_not_become_ready_is_undone(
    projects: dict[str, Path], cluster: Cluster
) -> None:
    """All of it, to what each Deployment was before."""
    cluster.told["unready"] = "deployment.apps/web"
    done = cluster.deploy(projects["pyramid"])
    assert done.returncode != 0
    assert "deployment.apps/web of v1.2.0-RC1 is not ready, and is undone" in done.stderr
    undone = [line for line in cluster.log() if "rollout undo" in line]
    assert undone == [
        "shop: rollout undo deployment/web --to-revision 3",
        "shop: rollout undo deployment/worker --to-revision 5",
    ]


def test_a_job_that_is_at_work_is_left_alone(projects: dict[str, Path], cluster: Cluster) -> None:
    """Where two bring the same version, the one waits for the other's."""
    cluster.told["active"] = "1"
    assert cluster.deploy(projects["django-drf"]).returncode == 0
    assert "delete" not in "\n".join(cluster.log())


def test_the_secret_is_made_of_a_file_that_is_there(
    projects: dict[str, Path], cluster: Cluster, request: pytest.FixtureRequest
) -> None:
    project = projects["tornado-ws"]
    assert cluster.deploy(project, OVERLAY="dev").returncode == 0
    assert "secret" not in "\n".join(cluster.log())
    file = project / "k8s/overlays/dev/secret.env"
    shutil.copy(project / "k8s/secret.example.env", file)
    request.addfinalizer(file.unlink)
    assert cluster.deploy(project, OVERLAY="dev").returncode == 0
    [made] = [line for line in cluster.log() if "create secret" in line]
    assert made.startswith(
        "shop-dev: create secret generic shop --from-env-file overlays/dev/secret.env"
    )


def test_what_is_missing_is_named(projects: dict[str, Path], cluster: Cluster) -> None:
    done = cluster.deploy(projects["fastapi"], IMAGE="")
    assert "IMAGE: must name the image" in done.stderr
    assert not (cluster.home / "log").exists()
