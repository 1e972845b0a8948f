"""`make load`: users at once on a service, by Locust, and what it says of them."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from combinations import DEFAULTS, LEAST, TEMPLATE
from conftest import STACKYARD, Command, run
from gate import by_turns
from stackyard.making.generate import generate
from stackyard.resources import canonical
from test_resources import ODD, SHOP

OWN = canonical(
    [
        "maker name!",
        "product sku!:uniq price:decimal{10.2} path",
        "part number:integer!:uniq",
        "lot size:integer maker:references!",
    ]
)
WAY = {
    "POST /api/v1/users",
    "POST /api/v1/auth/token",
    "GET /api/v1/users/me",
    "GET /api/v1/books",
    "GET /api/v1/books?page_size=50&ordering=title",
    "GET /api/v1/books?search=load",
    "POST /api/v1/books",
    "GET /api/v1/books/{id}",
    "PATCH /api/v1/books/{id}",
    "DELETE /api/v1/books/{id}",
    "POST /api/v1/reports",
    "GET /api/v1/reports/{id}",
}
SAID = re.compile(
    r"(\d+) users (held|not held): ([\d.]+) requests/s, 95 % within (\d+) ms, ([\d.]+) % errors"
)
ROW = re.compile(r"^(GET|POST|PATCH|DELETE) +(\S+) +(\d+) +(\d+)\(", re.MULTILINE)


class Failing(BaseHTTPRequestHandler):
    """A service whose answer to everything is an error."""

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_error(500)

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def failing() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Failing) as server:
        Thread(target=server.serve_forever).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def load(project: Path, environment: dict[str, str], **told: str) -> tuple[int, str, str]:
    """Return what `make load` ends with, all that it printed, and its last line."""
    settings = [f"{name}={value}" for name, value in told.items()]
    done = subprocess.run(
        ["make", "load", *settings],
        cwd=project,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr, done.stdout.splitlines()[-1]


def rows(printed: str) -> dict[str, tuple[int, int]]:
    """Return the requests and failures of each step, as the table has them."""
    table = printed.partition("Response time percentiles")[0]
    return {
        f"{method} {name}": (int(requests), int(failures))
        for method, name, requests, failures in ROW.findall(table)
    }


@pytest.mark.slow
@pytest.mark.parametrize("framework", by_turns(1))
def test_users_go_the_whole_way(
    stackyard: Command, environment: dict[str, str], framework: str
) -> None:
    """Each step is asked for, none fails, and books are as they were; the tests have no Locust.

    Against a service that answers errors the same command fails, unless so many are allowed.
    """
    done = stackyard("new", framework, "shop", "--defaults")
    assert done.returncode == 0, done.stderr
    project = stackyard.directory / "shop"

    status, printed, last = load(project, environment, USERS="4", RAMP="4", FOR="25s")

    assert status == 0, printed
    found = rows(printed)
    assert {*found} == WAY
    assert all(requests and not failures for requests, failures in found.values()), printed
    assert found["POST /api/v1/books"] == found["DELETE /api/v1/books/{id}"]
    said = SAID.fullmatch(last)
    assert said
    assert said.group(1, 2, 5) == ("4", "held", "0.00")
    assert float(said[3]) > 0
    assert "locust" not in run("uv", "pip", "freeze", cwd=project, env=environment)

    with failing() as address:
        told = {"USERS": "2", "RAMP": "2", "FOR": "2s", "URL": address}
        for errors, right in ({}, (2, "not held")), ({"ERRORS": "100"}, (0, "held")):
            status, printed, last = load(project, environment, **told, **errors)
            said = SAID.fullmatch(last)
            assert said, printed
            assert (status, said[2], said[5]) == (*right, "100.00")


@pytest.fixture
def own(stackyard: Command) -> Path:
    """A project of its owner's resources, on what has the least."""
    told = LEAST["flask"] | {"resources": OWN, "example": "none"}
    path = stackyard.directory / "shop"
    generate(TEMPLATE, told, path, with_git=False)
    return path


@pytest.mark.slow
@pytest.mark.everything
def test_resources_of_one_s_own_are_visited(own: Path, environment: dict[str, str]) -> None:
    """Rows are created where nothing is in the way: a reference, or a unique number."""
    status, printed, _ = load(own, environment, USERS="2", RAMP="2", FOR="25s")

    assert status == 0, printed
    found = rows(printed)
    lists = {f"GET /api/v1/{name}" for name in ("makers", "products", "parts", "lots")}
    assert lists <= {*found}
    assert {name for name in found if name.startswith("POST")} == {
        "POST /api/v1/users",
        "POST /api/v1/auth/token",
        "POST /api/v1/makers",
        "POST /api/v1/products",
    }
    for name in ("makers", "products"):
        assert found[f"PATCH /api/v1/{name}/{{id}}"][0]
        assert found[f"POST /api/v1/{name}"] == found[f"DELETE /api/v1/{name}/{{id}}"]


def test_its_types_are_right(tmp_path: Path) -> None:
    """Whatever there is to visit."""
    answers = [DEFAULTS["fastapi"], LEAST["fastapi"]]
    answers += [told | {"example": "none"} for told in answers]
    answers += [answers[-1] | {"resources": told} for told in (OWN, canonical([SHOP, *ODD]))]
    ways = []
    for number, told in enumerate(answers):
        project = tmp_path / f"shop{number}"
        generate(TEMPLATE, told, project, with_git=False, with_lock=False)
        ways.append(tmp_path / f"way{number}.py")
        shutil.copy(project / "load" / "locustfile.py", ways[-1])

    options = ["--strict", "--untyped-calls-exclude=locust", "--config-file="]
    run(sys.executable, "-m", "mypy", *options, *ways, cwd=tmp_path)
    ruff = STACKYARD.parent / "ruff"
    run(ruff, "format", "--check", "--config=line-length=100", *ways, cwd=tmp_path)
