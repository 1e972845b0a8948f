"""The release rule: projects that earlier releases made, and their owners edited, stay updatable.

The last two releases are those of the repository's tags. As long as there are none, the template
as it is, with some of it undone, stands for one.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from itertools import product
from pathlib import Path

import pytest

from combinations import DEFAULTS, FRAMEWORKS, ROOT, name_of
from conftest import Command, commit, generated, replace, run
from gate import is_new
from index import write_index
from stackyard.making.generate import generate
from stackyard.template import Template
from stackyard.updating.upstream import Download, Upstream

from .conftest import without_history

pytestmark = pytest.mark.slow

STAND_IN = "v0.0.1"
EDITS = Path(__file__).parent / "edits"
# Where a new resource, of the files in `edits/`, is registered: after which line, and how.
REGISTRATIONS = {
    "fastapi": [
        ("app/main.py", "    auth,", "    authors,"),
        ("app/main.py", "app.include_router(books.router)", "app.include_router(authors.router)"),
    ],
    "django-drf": [
        ("config/settings.py", '    "accounts",', '    "authors",'),
        (
            "config/urls.py",
            '    path("api/v1/", include("books.urls")),',
            '    path("api/v1/", include("authors.urls")),',
        ),
    ],
    "flask": [
        ("app/__init__.py", "        auth,", "        authors,"),
        ("app/__init__.py", "        books.books,", "        authors.authors,"),
    ],
    "pyramid": [
        (
            "app/routes.py",
            '    config.add_route("books", "/api/v1/books")',
            '    config.add_route("authors", "/api/v1/authors")',
        ),
        (
            "app/openapi.yaml",
            "paths:",
            """\
  /api/v1/authors:
    get:
      tags: [authors]
      summary: List authors by name
      responses:
        "200":
          description: Everybody who has written a book of the catalogue
          content:
            application/json:
              schema:
                type: object
                required: [items]
                properties:
                  items: {type: array, items: {type: string}}
        "503": {$ref: "#/components/responses/ServiceUnavailable"}
""",
        ),
    ],
    "tornado-ws": [
        ("app/app.py", "    auth,", "    authors,"),
        (
            "app/app.py",
            '    "/api/v1/books": books.BooksHandler,',
            '    "/api/v1/authors": authors.AuthorsHandler,',
        ),
    ],
}
SETTINGS = dict.fromkeys(FRAMEWORKS, "app/settings.py") | {"django-drf": "config/environment.py"}


def earlier_releases() -> list[str]:
    """Name the last two releases before the commit that is checked out."""
    asked = ("--list", "v*", "--merged", "HEAD", "--no-contains", "HEAD", "--sort=version:refname")
    tags = run("git", "tag", *asked, cwd=ROOT).split()
    return [tag for tag in tags if re.fullmatch(r"v\d+\.\d+\.\d+", tag)][-2:]


RELEASES = earlier_releases()
CASES = [
    pytest.param(
        framework,
        release,
        id=f"{framework}-{release}",
        marks=[pytest.mark.xdist_group(f"edited-{framework}"), pytest.mark.one_of(2, framework)],
    )
    for framework, release in product(FRAMEWORKS, RELEASES or [STAND_IN])
]


@pytest.fixture(scope="session")
def history(clone: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository of what is in the checkout now, with the releases before it."""
    place = tmp_path_factory.mktemp("history") / "stackyard"
    run("git", "clone", "--quiet", "--no-tags", clone, place)
    run("git", "config", "user.name", "Example Author", cwd=place)
    run("git", "config", "user.email", "author@example.org", cwd=place)
    for release in RELEASES:
        tag = f"refs/tags/{release}"
        run("git", "fetch", "--quiet", "--no-tags", ROOT, f"{tag}:{tag}", cwd=place)
    if not RELEASES:
        undo(place / "templates")
        commit(place, "Undo some of it", {})
        run("git", "tag", STAND_IN, cwd=place)
        run("git", "revert", "--no-edit", "HEAD", cwd=place)
    return place


def undo(templates: Path) -> None:
    """Make the templates differ from what they are as those of an earlier release may."""
    shared = templates / "shared" / "all"
    replace(shared / "Makefile.jinja", "# uv from PATH, or else", "# The uv of PATH, or else")
    replace(shared / "Makefile.jinja", "\nlint: $(OWN_UV) ## ruff", "\ncheck: $(OWN_UV) ## ruff")
    replace(shared / "app" / "settings.py.jinja", '] = "info"', '] = "warning"')
    for framework in FRAMEWORKS:
        (templates / framework / "NOTES.md").write_text("# Notes\n")
        pins = templates / "pins" / f"{framework}.txt"
        pins.write_text(re.sub(r"(?m)^idna==.*", "idna==3.10", pins.read_text()))
    write_index(templates.parent)


@pytest.mark.parametrize(("framework", "release"), CASES)
def test_an_edited_project_of_an_earlier_release_becomes_one_of_the_checkout(
    framework: str,
    release: str,
    *,
    history: Path,
    stackyard: Command,
    environment: dict[str, str],
    pytestconfig: pytest.Config,
) -> None:
    """No conflict, nor when an answer changes both ways, and its own suite is green.

    Each time it is what the checkout makes anew, on the same versions, with the same edits; its
    history alone goes on, and no release takes anything from that.
    """
    everything = pytestconfig.getoption("--everything")
    place = stackyard.directory
    download = Upstream.at(str(history), trusted=True).download(place / "download")
    earlier = unpack(download, release, place / "earlier")
    checkout = unpack(download, "HEAD", place / "checkout")
    shop = place / "shop"
    generate(earlier, {"framework": framework}, shop, with_git=False)
    run("git", "init", "--quiet", cwd=shop, env=stackyard.environment)
    commit(shop, "Start", stackyard.environment)
    edit(shop, framework)
    commit(shop, "Make it mine", stackyard.environment)
    made: dict[str, dict[str, bytes]] = {}
    for step, change, tasks in [
        ("to the checkout", ["--to", "HEAD"], "celery"),
        ("to another answer", ["-d", "tasks=none"], "none"),
        ("and back", ["-d", "tasks=celery"], "celery"),
    ]:
        done = stackyard("update", "shop", "--trust-source", *change)
        assert (done.returncode, "warning" in done.stderr) == (0, False), done.stdout + done.stderr
        commit(shop, step, stackyard.environment)
        kept = run("git", "ls-files", cwd=shop).splitlines()
        held = without_history({path: (shop / path).read_bytes() for path in kept})
        drops = "Data are lost" in done.stdout
        assert drops == (change == ["-d", "tasks=none"])
        if tasks in made:
            assert held == made[tasks], "the way back led elsewhere"
            continue
        anew = place / step / "shop"
        anew.parent.mkdir()
        generate(checkout, {"framework": framework, "tasks": tasks}, anew, with_git=False)
        edit(anew, framework)
        made[tasks] = without_history(generated(anew))
        assert held == made[tasks]
        name = name_of(DEFAULTS[framework] | {"tasks": tasks})
        new = is_new(pytestconfig, "update", name, listed=tasks == "celery")
        if everything or new:
            suite = subprocess.run(
                ["uv", "run", "pytest"],
                cwd=shop,
                env=environment,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                check=False,
            )
            assert suite.returncode == 0, f"{step}: {suite.stdout[-10_000:]}"
    assert len(made) == 2


def unpack(download: Download, version: str, place: Path) -> Template:
    """Return a version of the template, stamped as `stackyard new` of that version is."""
    name = download.name(version)
    stamps = {"_src_path": download.upstream.source, "_commit": name}
    return Template.load(download.unpack(name, place), stamps)


def edit(project: Path, framework: str) -> None:
    """Make typical edits: add a resource with its test, change a setting, remove a file."""
    shutil.copytree(EDITS / framework, project, dirs_exist_ok=True)
    for file, line, new in REGISTRATIONS[framework]:
        replace(project / file, f"{line}\n", f"{line}\n{new}\n")
    before, after = "web_concurrency: PositiveInt = 1", "web_concurrency: PositiveInt = 2"
    replace(project / SETTINGS[framework], before, after)
    (project / ".github" / "dependabot.yml").unlink()
