"""The lock file of a new project."""

from __future__ import annotations

import os
import tomllib
from pathlib import Path

import pytest

from conftest import ROOT, Command, Git, report


@pytest.mark.skipif(bool(os.environ.get("LATEST")), reason="the newest versions are not the pins")
def test_the_lock_file_holds_the_tested_versions(stackyard: Command, git: Git) -> None:
    done = stackyard("new", "fastapi", "shop", "--defaults")
    assert (done.returncode, done.stderr) == (0, "")
    project = stackyard.directory / "shop"
    packages = tomllib.loads((project / "uv.lock").read_text())["package"]
    locked = {f"{p['name']}=={p['version']}" for p in packages if "registry" in p["source"]}
    assert locked
    assert locked <= set((ROOT / "templates/pins/fastapi.txt").read_text().splitlines())
    assert "uv.lock" in git(project, "ls-files").splitlines()


def test_without_a_network_the_project_is_made_unlocked(stackyard: Command, tmp_path: Path) -> None:
    offline = {"UV_OFFLINE": "1", "UV_CACHE_DIR": str(tmp_path / "cache")}
    done = stackyard("new", "fastapi", "my shop", "--defaults", **offline)
    assert done.returncode == 0
    assert done.stderr.count("\n") == 1
    assert done.stderr.startswith("stackyard: warning: the dependencies are not locked")
    assert done.stderr.endswith("run later: cd 'my shop' && make lock\n")
    assert not (stackyard.directory / "my shop" / "uv.lock").exists()


def test_a_registry_out_of_reach_is_a_warning_in_json_too(
    stackyard: Command, tmp_path: Path
) -> None:
    nowhere = {"UV_DEFAULT_INDEX": "http://127.0.0.1:9/simple", "UV_HTTP_RETRIES": "0"}
    made = report(stackyard, "fastapi", "shop", UV_CACHE_DIR=str(tmp_path / "cache"), **nowhere)
    assert len(made["warnings"]) == 1
    assert "uv.lock" not in [file["path"] for file in made["files"]]
