"""What each CI is told: the same jobs by the same `make` targets, and nothing published unasked."""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import yaml

from conftest import run
from pipelines import CI, FILES, Job, with_ci

pytestmark = pytest.mark.xdist_group("rendered")

# What has the job run that publishes: a tag, and a variable of the owner's.
ASKED = {
    "github": "github.ref_type == 'tag' && vars.PUBLISH_IMAGE == 'true'",
    "gitlab": [{"if": '$CI_COMMIT_TAG =~ /^v/ && $PUBLISH_IMAGE == "true"'}],
    "jenkins": {"beforeAgent": True, "tag": "v*", "expression": "env.PUBLISH_IMAGE"},
}


DEPLOYED = {
    "github": "github.ref_type == 'tag' && vars.DEPLOY == 'true'",
    "gitlab": [{"if": '$CI_COMMIT_TAG =~ /^v/ && $PUBLISH_IMAGE == "true" && $DEPLOY == "true"'}],
    "jenkins": {"beforeAgent": True, "tag": "v*", "expression": "env.DEPLOY"},
}


def read(ci: str, rendered: dict[str, Path]) -> list[list[Job]]:
    """Return the jobs of every file of a CI that differs from the others, but for `deploy`.

    That one is the last, where there is a cluster, and is asked for by an owner as well.
    """
    files = {(project / FILES[ci]).read_bytes(): project for project in with_ci(ci, rendered)}
    found = []
    for project in files.values():
        jobs = [*CI[ci](project)]
        if (project / "k8s").exists():
            deploy = jobs.pop()
            assert (deploy.targets, deploy.condition) == (["deploy"], DEPLOYED[ci])
        found.append(jobs)
    return found


@pytest.mark.parametrize("ci", [*CI, "none"])
def test_a_project_has_the_file_of_its_ci_alone(ci: str, rendered: dict[str, Path]) -> None:
    for project in with_ci(ci, rendered):
        held = {name for name, path in FILES.items() if (project / path).exists()}
        assert held == {ci} - {"none"}
        assert (project / ".github").exists() == (ci == "github")


@pytest.mark.parametrize("ci", CI)
def test_the_jobs_are_the_same(ci: str, rendered: dict[str, Path]) -> None:
    """The same targets, on the same Pythons, by a lock file that has to be in step."""
    for jobs in read(ci, rendered):
        assert [(job.targets, job.python) for job in jobs] == [
            (["lint"], ""),
            (["test"], "3.11"),
            (["test"], "3.13"),
            (["image"], ""),
            (["publish"], ""),
        ]
        assert {job.environment["UV_LOCKED"] for job in jobs} == {"1"}


@pytest.mark.parametrize("ci", ["github", "gitlab"])
def test_the_tests_have_the_servers_of_compose(ci: str, rendered: dict[str, Path]) -> None:
    """The same images by the same names; whatever server is named by a variable is there.

    But for a replica: the tests of it start their own, and its primary. Nor what a profile brings.
    """
    for project in with_ci(ci, rendered):
        services = yaml.safe_load((project / "compose.yaml").read_text("utf-8"))["services"]
        images = {name: told["image"] for name, told in services.items() if "profiles" not in told}
        servers = {name: image for name, image in images.items() if not image.startswith("shop:")}
        servers.pop("replica", None)
        told = services["web"]["environment"].items()
        urls = {
            name
            for name, url in told
            if name.endswith("_URL") and urlsplit(usual(url)).hostname in servers
        }
        tests = [job for job in CI[ci](project) if job.targets == ["test"]]
        assert tests
        for job in tests:
            assert {name: told["image"] for name, told in job.services.items()} == servers
            assert {name for name in job.environment if name.endswith("_URL")} == urls


def usual(text: str) -> str:
    """Return what compose reads where nobody has set a variable."""
    return re.sub(r"\$\{\w+:-([^}]*)\}", r"\1", text)


@pytest.mark.parametrize("ci", CI)
def test_the_image_is_published_only_where_that_was_asked_for(
    ci: str, rendered: dict[str, Path]
) -> None:
    """Only for a tag, only by the word of an owner, and after everything else."""
    for *others, publish in read(ci, rendered):
        assert publish.condition == ASKED[ci]
        assert [job.condition for job in others] == [None] * len(others)


def test_github_waits_for_all_before_it_publishes(rendered: dict[str, Path]) -> None:
    """Nobody else may write, either."""
    for project in with_ci("github", rendered):
        jobs = yaml.safe_load((project / FILES["github"]).read_text("utf-8"))["jobs"]
        publish = jobs.pop("publish")
        assert jobs.pop("deploy", {"needs": ["publish"]})["needs"] == ["publish"]
        assert {*publish["needs"]} == {*jobs}
        writers = [job for job in jobs.values() if "write" in job["permissions"].values()]
        assert writers == []


def test_gitlab_waits_for_all_before_it_publishes(rendered: dict[str, Path]) -> None:
    for project in with_ci("gitlab", rendered):
        told = yaml.safe_load((project / FILES["gitlab"]).read_text("utf-8"))
        stages = {name: job["stage"] for name, job in told.items() if "stage" in job}
        last = ["publish", "deploy"] if "deploy" in stages else ["publish"]
        assert [stages.pop(name) for name in last] == told["stages"][-len(last) :]
        assert {*stages.values()} == {*told["stages"][: -len(last)]}


def test_gitlab_has_the_uv_of_the_image(rendered: dict[str, Path]) -> None:
    uv = re.compile(r"ghcr\.io/astral-sh/uv:([\d.]+)")
    for project in with_ci("gitlab", rendered):
        texts = [(project / name).read_text("utf-8") for name in ("Dockerfile", FILES["gitlab"])]
        assert len({version for text in texts for version in uv.findall(text)}) == 1


@pytest.mark.parametrize(
    ("version", "tags"),
    [
        ("v1.2.3", ["1.2.3", "latest"]),
        ("v1.3.0-rc1", ["1.3.0-rc1"]),
        ("1.2.3", ["1.2.3", "latest"]),
    ],
)
def test_a_version_is_the_latest_unless_it_is_a_pre_release(
    rendered: dict[str, Path], tmp_path: Path, version: str, tags: list[str]
) -> None:
    """By what docker is told: here it says so, and does nothing."""
    (tmp_path / "docker").symlink_to(shutil.which("echo"))
    path = os.pathsep.join([str(tmp_path), os.environ["PATH"]])
    told = {"PATH": path, "IMAGE": "registry.example.org/shop", "VERSION": version}
    kept = {key: value for key, value in os.environ.items() if not key.startswith("MAKE")}
    for project in with_ci("none", rendered):
        done = run("make", "--silent", "publish", cwd=project, env=kept | told)
        assert "--push" in done
        assert re.findall(r"--tag registry\.example\.org/shop:(\S+)", done) == tags
