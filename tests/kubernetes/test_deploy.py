"""How a version gets into a cluster: what `make deploy` does in which order, and undoes."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from .conftest import Cluster


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
