"""What looks at a project's service, by tools that no one here wrote."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from combinations import DEFAULTS, FRAMEWORKS, LEAST, ROOT, render
from conftest import run
from watchers import expressions, program

GRAFANA = {"monitoring": "grafana"}
# What every framework has by default, and what other answers add or leave out.
ASKED = {framework: DEFAULTS[framework] | GRAFANA for framework in ("fastapi", "django-drf")}
ASKED |= {f"{framework}-least": LEAST[framework] | GRAFANA for framework in FRAMEWORKS[1:3]}
ASKED["feed"] = LEAST["tornado-ws"] | GRAFANA
ASKED["all"] = DEFAULTS["tornado-ws"] | GRAFANA | {"broker": "rabbitmq", "replicas": "streaming"}
ASKED["no-reports"] = DEFAULTS["fastapi"] | GRAFANA | {"example": "none"}
# The words of what a project may lack, of which its files here say nothing then.
LACKING = {
    "tasks": r"\b(worker|tasks?|beat|queue)\b",
    "cache": r"\bcache",
    "replicas": r"\breplica",
}
NODE = "needs npm, for Grafana's types"
TYPESCRIPT = "typescript@5.9.3"
LOCAL = {"prometheus": 9090, "alertmanager": 9093, "grafana": 3000}


@pytest.fixture(scope="module")
def projects(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    place = tmp_path_factory.mktemp("monitoring")
    render(ROOT, place, ASKED)
    return {name: place / name / "shop" for name in ASKED}


def rules(project: Path) -> list[dict[str, Any]]:
    told = yaml.safe_load((project / "monitoring/rules.yml").read_text("utf-8"))
    return [rule for group in told["groups"] for rule in group["rules"]]


def alerts(project: Path) -> dict[str, dict[str, Any]]:
    return {rule["alert"]: rule for rule in rules(project) if "alert" in rule}


def anchor_of(heading: str) -> str:
    """Return what a link to a heading says, as the forges make it."""
    return heading.lower().replace(" ", "-")


def documents(project: Path) -> Iterator[Path]:
    yield project / "docs/runbook.md"
    for path in (project / "monitoring").rglob("*"):
        if path.is_file():
            yield path


def test_prometheus_takes_its_configuration(projects: dict[str, Path]) -> None:
    """As its own tool says, with warnings for errors; and Alertmanager its own."""
    for project in projects.values():
        place = project / "monitoring"
        run(program("promtool"), "check", "config", "--lint-fatal", place / "prometheus.yml")
        run(program("promtool"), "check", "rules", "--lint-fatal", place / "rules.yml")
        run(program("amtool"), "check-config", place / "alertmanager.yml")


def test_each_alert_fires_and_ends(projects: dict[str, Path]) -> None:
    """By the project's own tests of its rules, of which each alert has all of these."""
    for name, project in projects.items():
        file = project / "monitoring/rules.test.yml"
        run(program("promtool"), "test", "rules", file)
        tried: dict[str, list[bool]] = {}
        for test in yaml.safe_load(file.read_text("utf-8"))["tests"]:
            seen: dict[str, list[bool]] = {}
            for case in test["alert_rule_test"]:
                seen.setdefault(case["alertname"], []).append(bool(case["exp_alerts"]))
            for alert, states in seen.items():
                # It is quiet, fires, and is over, or some of these.
                tried.setdefault(alert, []).extend(states)
        assert {*tried} == {*alerts(project)}, name
        for alert, states in tried.items():
            assert True in states, alert
            assert False in states[states.index(True) :], f"{alert} does not end"


def test_a_rule_that_is_wrong_fails_its_tests(projects: dict[str, Path], tmp_path: Path) -> None:
    """Those of each alert: neither one that always fires nor one that never does passes."""
    project = projects["all"]
    shutil.copytree(project / "monitoring", tmp_path / "monitoring")
    file = tmp_path / "monitoring/rules.yml"
    right = yaml.safe_load(file.read_text("utf-8"))
    for wrong in ("vector(1)", "vector(1) < 0"):
        for group in right["groups"]:
            for rule in group["rules"]:
                if "alert" in rule:
                    rule["expr"] = wrong
        file.write_text(yaml.safe_dump(right))
        done = subprocess.run(
            [program("promtool"), "test", "rules", file.with_name("rules.test.yml")],
            capture_output=True,
            text=True,
            check=False,
        )
        failed = {*re.findall(r"alertname: (\w+)", done.stdout + done.stderr)}
        assert failed == {*alerts(project)}


def test_each_alert_tells_what_it_is_and_where_to_read_on(projects: dict[str, Path]) -> None:
    for project in projects.values():
        runbook = (project / "docs/runbook.md").read_text("utf-8")
        _, *found = re.split(r"^## (.+)$", runbook, flags=re.MULTILINE)
        sections = dict(
            zip((anchor_of(heading) for heading in found[::2]), found[1::2], strict=True)
        )
        used = set()
        for name, alert in alerts(project).items():
            assert {*alert["annotations"]} == {"summary", "description", "runbook"}
            assert alert["labels"]["severity"] in {"page", "ticket"}
            path, _, anchor = alert["annotations"]["runbook"].partition("#")
            assert path == "docs/runbook.md"
            assert f"`{name}`" in sections[anchor]
            used.add(anchor)
        assert used == {*sections}
        links = re.findall(r"\]\(#(.+?)\)", runbook)
        assert {*links} <= {*sections}


def test_the_latency_that_is_watched_is_a_limit_of_the_histogram(
    projects: dict[str, Path],
) -> None:
    """Without a bucket of just that name the ratio would be that of nothing."""
    from prometheus_client import Histogram

    for project in projects.values():
        limits = {
            limit for rule in rules(project) for limit in re.findall(r'le="(.+?)"', rule["expr"])
        }
        assert limits == {"0.5"}
    assert 0.5 in Histogram.DEFAULT_BUCKETS


def test_what_a_project_lacks_is_not_spoken_of(projects: dict[str, Path]) -> None:
    """No panel, rule or section is of what is not there."""
    for name, project in projects.items():
        told = ASKED[name]
        for option, words in LACKING.items():
            if told.get(option, "none") != "none":
                continue
            for path in documents(project):
                found = re.search(words, path.read_text("utf-8"), re.IGNORECASE)
                assert not found, f"{name}: {path.name}: {found}"


def test_dashboards_are_told_apart_and_have_something_to_show(projects: dict[str, Path]) -> None:
    for project in projects.values():
        files = [*(project / "monitoring/grafana/dashboards").glob("*.json")]
        dashboards = [json.loads(file.read_text("utf-8")) for file in files]
        assert len({each["uid"] for each in dashboards}) == len(files) > 1
        assert all(len(each["uid"]) <= 40 for each in dashboards)
        for each in dashboards:
            places = [(panel["gridPos"]["x"], panel["gridPos"]["y"]) for panel in each["panels"]]
            assert len({*places}) == len(places) > 1
            assert all(panel["description"] for panel in each["panels"])
        assert all(expressions(project).values())


def test_dashboards_are_what_grafana_takes(projects: dict[str, Path], tmp_path: Path) -> None:
    """By its own types, of the version that is run; and a word that it does not know is none."""
    npm = shutil.which("npm")
    if not npm:
        pytest.fail(NODE) if os.environ.get("CI") else pytest.skip(NODE)
    compose = (projects["fastapi"] / "compose.yaml").read_text("utf-8")
    [version] = re.findall(r"image: grafana/grafana:(.+)", compose)
    packages = [f"@grafana/schema@{version}", TYPESCRIPT]
    run(npm, "install", "--no-audit", "--no-fund", "--prefix", tmp_path, *packages)
    shutil.copy(ROOT / "tests/dashboards.ts", tmp_path)
    lines = ["import type { Shown } from './dashboards';"]
    for project in projects.values():
        files = sorted((project / "monitoring/grafana/dashboards").glob("*.json"))
        lines += [f"({file.read_text('utf-8')}) satisfies Shown;" for file in files]
    right = tmp_path / "right.ts"
    right.write_text("\n".join(lines))
    options = "--noEmit --strict --skipLibCheck --module esnext --moduleResolution bundler"
    command = [tmp_path / "node_modules/.bin/tsc", *options.split()]
    run(*command, right)
    for before, after in (('"multi"', '"many"'), ('"expr"', '"query"'), ('"gridPos"', '"place"')):
        wrong = tmp_path / "wrong.ts"
        wrong.write_text("\n".join(lines[:2]).replace(before, after, 1))
        with pytest.raises(AssertionError, match=after.strip('"')):
            run(*command, wrong)


def test_dashboards_ask_what_prometheus_understands(
    projects: dict[str, Path], tmp_path: Path
) -> None:
    """Each query, as a rule of its own."""
    asked = {
        query.replace("$__rate_interval", "1m").replace("$namespace", ".*")
        for project in projects.values()
        for query in expressions(project).values()
    }
    named = [{"record": f"asked:{n}", "expr": query} for n, query in enumerate(sorted(asked))]
    file = tmp_path / "asked.yml"
    file.write_text(yaml.safe_dump({"groups": [{"name": "asked", "rules": named}]}))
    run(program("promtool"), "check", "rules", file)


def test_only_this_host_reaches_them(projects: dict[str, Path]) -> None:
    """In development and in production; and nothing runs as root, or is there unasked."""
    for project in projects.values():
        for name in ("compose.yaml", "compose.prod.yaml"):
            told = yaml.safe_load((project / name).read_text("utf-8"))
            services = told["services"]
            for server, port in LOCAL.items():
                each = services[server]
                assert each["profiles"] == ["monitoring"]
                assert each["ports"] == [f"127.0.0.1:{port}:{port}"]
                assert each["read_only"]
                assert each["cap_drop"] == ["ALL"]
                assert each["security_opt"] == ["no-new-privileges:true"]
                assert each["user"] not in {"root", "0"}
                assert re.fullmatch(r".+:v?\d+\.\d+\.\d+", each["image"])
                assert each["healthcheck"]["test"]
                for volume in each["volumes"]:
                    source, _, _ = volume.partition(":")
                    if source.startswith("./"):
                        assert volume.endswith(":ro")
                        assert (project / source).exists()
                    else:
                        assert source in told["volumes"]
            if "worker" in services:
                assert "ports" not in services["worker"]


def test_nobody_is_let_in_by_a_password_that_others_know(projects: dict[str, Path]) -> None:
    """In development there is no user, in production none without a password of its own."""
    for project in projects.values():
        compose = yaml.safe_load((project / "compose.yaml").read_text("utf-8"))
        settings = compose["services"]["grafana"]["environment"]
        assert settings["GF_SECURITY_DISABLE_INITIAL_ADMIN_CREATION"] == "true"
        assert settings["GF_AUTH_ANONYMOUS_ORG_ROLE"] == "Viewer"
        compose = yaml.safe_load((project / "compose.prod.yaml").read_text("utf-8"))
        grafana = compose["services"]["grafana"]
        assert grafana["environment"]["GF_AUTH_ANONYMOUS_ENABLED"] == "false"
        shell, option, script = grafana["entrypoint"]
        script = script.replace("$$", "$").replace("exec /run.sh", "env")
        kept = {"PATH": os.environ["PATH"]}
        told = run(shell, option, script, env=kept | {"GRAFANA_PASSWORD": "a secret"})
        assert "GF_SECURITY_ADMIN_PASSWORD=a secret" in told
        with pytest.raises(AssertionError, match="must be set"):
            run(shell, option, script, env=kept | {"GRAFANA_PASSWORD": ""})
