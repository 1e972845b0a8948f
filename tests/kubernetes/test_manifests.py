"""A project for a cluster, by tools that no one here wrote."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import yaml
from uv import find_uv_bin

from conftest import run

from .conftest import DIGEST, IMAGE, OVERLAYS, Manifest

CHECKOV = "checkov==3.3.30"


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
