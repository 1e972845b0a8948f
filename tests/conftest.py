"""The real command, run the way a user runs it, and a look at what it leaves on disk."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from selenium.webdriver import Chrome, ChromeOptions, ChromeService
from uv import find_uv_bin

from combinations import ASIDE, BY_NAME, CHOICES, COMBINATIONS, ROOT, TEMPLATE, name_of, render
from contract.brokers import RabbitMQ
from contract.databases.mysql import MariaDBServer, MySQLServer
from covering import covering

pytest_plugins = ["courses", "gate", "minutes"]

UPSTREAM = "https://github.com/stackyard/stackyard"
STACKYARD = Path(sys.executable).parent / "stackyard"
HOSTILE = """Goods, "new" & 'old': $5 #1 \\ {each} %s"""
CHECKOUT_WARNINGS = "ignore::copier.errors.CopierWarning"
QUICK = ["--defaults", "--no-lock"]
UNPRIVILEGED = ["setpriv", "--inh-caps=-all", "--bounding-set=-all"] if os.geteuid() == 0 else []
needs_unprivileged = pytest.mark.skipif(
    bool(UNPRIVILEGED) and not shutil.which("setpriv"),
    reason="root may write anywhere, and setpriv is not there to stop it",
)
Git = Callable[..., str]
# What comes in no wheel: the tests have it.
BROUGHT = {"mariadb": MariaDBServer, "mysql": MySQLServer, "rabbitmq": RabbitMQ}
VERSION = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["version"]


def run(*command: str | Path, **options: Any) -> str:
    """Return what a command prints; it must succeed."""
    done = subprocess.run(command, capture_output=True, text=True, check=False, **options)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def report(command: Command, *arguments: str, **environment: str) -> dict[str, Any]:
    """Return what `new --json` tells; it must succeed."""
    done = command("new", *arguments, "--json", **environment)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def replace(file: Path, before: str, after: str) -> None:
    """Replace a text that must be there, once."""
    text = file.read_text("utf-8")
    assert before in text, f"{file} has no {before!r}"
    file.write_text(text.replace(before, after, 1), "utf-8")


def commit(repository: Path, message: str, environment: dict[str, str]) -> None:
    """Commit everything."""
    run("git", "add", "--all", cwd=repository, env=environment)
    run("git", "commit", "--quiet", "--message", message, cwd=repository, env=environment)


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "slow: takes more than ten seconds")


def tree(directory: Path) -> dict[str, tuple[int, bytes]]:
    """Map each path under a directory to its mode and to what it holds or links to."""
    found = {}
    for path in sorted(directory.rglob("*")):
        held = b""
        if path.is_symlink():
            held = os.fsencode(path.readlink())
        elif path.is_file():
            held = path.read_bytes()
        found[path.relative_to(directory).as_posix()] = (path.lstat().st_mode, held)
    return found


def generated(project: Path) -> dict[str, bytes]:
    """Map each file of a project to its bytes, without git's own and the secret in `.env`."""
    return {
        path: held
        for path, (_, held) in tree(project).items()
        if (project / path).is_file() and not path.startswith(".git/") and path != ".env"
    }


@dataclass
class Command:
    """`stackyard`, in a directory and with temporary files of its own."""

    directory: Path
    temporary: Path
    environment: dict[str, str] = field(default_factory=dict)
    executable: Path = STACKYARD

    def __call__(
        self, *arguments: str | bytes, prefix: list[str] | None = None, **environment: str
    ) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*(prefix or []), self.executable, *arguments],
            cwd=self.directory,
            env=self.environment | environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [self.executable, *arguments],
            cwd=self.directory,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def leftovers(self) -> list[str]:
        """Name what a run has left beside its target or among temporary files."""
        hidden = [str(path) for path in self.directory.rglob(".stackyard-*")]
        return hidden + [path.name for path in self.temporary.iterdir()]


@pytest.fixture
def stackyard(tmp_path: Path) -> Command:
    """The command, outside of any work tree, run by a user whom git knows."""
    directory, temporary = tmp_path / "work", tmp_path / "tmp"
    directory.mkdir()
    temporary.mkdir()
    settings = tmp_path / "gitconfig"
    settings.write_text("[user]\n\tname = Example Author\n\temail = author@example.org\n")
    kept = {k: v for k, v in os.environ.items() if not k.startswith("GIT_")}
    environment = kept | {
        "GIT_CONFIG_GLOBAL": str(settings),
        "GIT_CONFIG_NOSYSTEM": "1",
        "TMPDIR": str(temporary),
    }
    return Command(directory, temporary, environment)


@pytest.fixture
def without_uv() -> dict[str, str]:
    """What a user has who has neither servers nor uv."""
    servers = {"DATABASE_URL", "REDIS_URL", "CELERY_BROKER_URL", "VIRTUAL_ENV", "SECRET_KEY"}
    kept = {
        key: value
        for key, value in os.environ.items()
        # Nor are they inside a pytest or a make of ours.
        if key not in servers and not key.startswith(("PYTEST_", "MAKE", "MFLAGS"))
    }
    paths = [path for path in kept["PATH"].split(os.pathsep) if not (Path(path) / "uv").exists()]
    return kept | {"PATH": os.pathsep.join(paths)}


@pytest.fixture
def environment(without_uv: dict[str, str], tmp_path: Path) -> dict[str, str]:
    """What a user has: no servers, and uv on PATH."""
    uv = tmp_path / "bin" / "uv"
    uv.parent.mkdir()
    uv.symlink_to(find_uv_bin())
    return without_uv | {"PATH": os.pathsep.join([str(uv.parent), without_uv["PATH"]])}


@pytest.fixture(scope="session")
def brought(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], Any]]:
    """Give a function that runs a server which no project brings, once."""
    with ExitStack() as stack:

        @cache
        def server(name: str) -> Any:
            made = BROUGHT[name](tmp_path_factory.mktemp(name))
            made.start()
            stack.callback(made.stop)
            return made

        yield server


@pytest.fixture
def occupied(stackyard: Command) -> Command:
    """A command beside a directory that is not empty."""
    (stackyard.directory / "full").mkdir()
    (stackyard.directory / "full" / "kept.txt").write_text("mine\n")
    return stackyard


@pytest.fixture
def git(stackyard: Command) -> Callable[..., str]:
    """Ask git about a project."""

    def ask(project: Path, *arguments: str) -> str:
        return subprocess.run(
            ["git", "-C", project, *arguments],
            env=stackyard.environment,
            capture_output=True,
            text=True,
            check=True,
        ).stdout.strip()

    return ask


# Every combination, and more of them with each two answers also to what makes no other service.
_WHOLE = [{**answers, **ASIDE} for answers in COMBINATIONS]
_MORE = covering(CHOICES, TEMPLATE.catalogue.refusal, _WHOLE)[len(_WHOLE) :]
RENDERED = BY_NAME | {name_of(answers): {**answers, "description": HOSTILE} for answers in _MORE}


@pytest.fixture(scope="session")
def rendered(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The projects of `RENDERED` by name: each is called shop, in a directory of that name."""
    place = tmp_path_factory.mktemp("rendered")
    render(ROOT, place, {k: v | {"author_name": "Example Author"} for k, v in RENDERED.items()})
    return {name: place / name / "shop" for name in RENDERED}


@pytest.fixture(scope="session")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A git repository of what is in the checkout now, tagged as its version."""
    place = tmp_path_factory.mktemp("clone") / "stackyard"
    identity = ("-c", "user.name=Example Author", "-c", "user.email=author@example.org")
    run("git", "clone", "--quiet", "--no-tags", ROOT, place)
    listed = run("git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", cwd=ROOT)
    run("git", "rm", "-r", "--quiet", ".", cwd=place)
    for name in listed.split("\0"):
        if name and (ROOT / name).is_file():
            (place / name).parent.mkdir(parents=True, exist_ok=True)
            (place / name).write_bytes((ROOT / name).read_bytes())
    run("git", "add", "--all", cwd=place)
    run("git", *identity, "commit", "--quiet", "--allow-empty", "-m", "As it stands", cwd=place)
    run("git", "tag", f"v{VERSION}", cwd=place)
    return place


@pytest.fixture(scope="session")
def installed(clone: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The command of a wheel that was built through the sdist, in an environment of its own."""
    place = tmp_path_factory.mktemp("installed")
    uv = find_uv_bin()
    run(uv, "build", "--quiet", "--out-dir", place / "dist", clone)
    run(uv, "venv", "--quiet", place / "venv")
    (wheel,) = (place / "dist").glob("*.whl")
    constraints = [] if os.environ.get("LATEST") else ["--constraints", ROOT / "constraints.txt"]
    python = place / "venv" / "bin" / "python"
    run(uv, "pip", "install", "--quiet", "--python", python, wheel, *constraints)
    return place / "venv" / "bin" / "stackyard"


@pytest.fixture
def from_wheel(stackyard: Command, installed: Path) -> Command:
    return Command(stackyard.directory, stackyard.temporary, stackyard.environment, installed)


@pytest.fixture
def browser(tmp_path: Path) -> Iterator[Chrome]:
    """Chromium, without a window, and with nothing that it remembers."""
    chromium, driver = shutil.which("chromium") or shutil.which("google-chrome"), "chromedriver"
    if not (chromium and shutil.which(driver)):
        reason = "needs Chromium and ChromeDriver: apt-get install chromium chromium-driver"
        pytest.fail(reason) if os.environ.get("CI") else pytest.skip(reason)
    options = ChromeOptions()
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    options.binary_location = chromium
    for argument in (
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-dev-shm-usage",
        "--disable-background-networking",
        "--window-size=1200,900",
        f"--user-data-dir={tmp_path / 'profile'}",
    ):
        options.add_argument(argument)
    browser = Chrome(options, ChromeService(shutil.which(driver)))
    try:
        yield browser
    finally:
        browser.quit()
