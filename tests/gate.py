"""Which tests run: those that decide whether a change lands, all there are, or a shard of them.

`make test` and `make test-containers` are the gate. `make test-all` passes `--everything`, and
`--shard 2/5` where five machines share it. With `--base` the gate judges of other combinations
than the defaults those alone that differ from that commit, which was green: by their bytes, by
their pins, or by what judges them.
"""

from __future__ import annotations

import io
import subprocess
import tarfile
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from zlib import crc32

import pytest

from combinations import DEFAULTS, FRAMEWORKS, PAIRS, ROOT, digest, name_of, render

HERE = Path(__file__).parent
# What judges a combination, by the kind of the judgment: where it differs, all have to be judged.
COMMON = ("tests/conftest.py", "tests/combinations.py", "tests/covering.py", "tests/gate.py")
COMMON += ("Makefile", "pyproject.toml", "constraints.txt")
JUDGES = {
    "suite": (
        "tests/test_generated.py",
        "tests/contract/brokers.py",  # of which some suites have their server
        "tests/contract/databases",
        "generator/stackyard/making/lock.py",
    ),
    "contract": ("tests/contract",),
    "stack": ("tests/containers", "tests/contract"),
    "update": ("tests/updates", "generator"),
}
SLOW = ("workflow", "databases-", "edited-")
"""What the groups are called whose tests take minutes each."""
SAMPLED = ("updates/", "test_new", "test_wizard", "test_resources", "test_distribution")
"""Of the modules of these names, whose tests each run the command, the gate runs a fifth of the
tests, another with each commit."""
SAMPLES = 5
NAMED = pytest.StashKey[bool]()
"""Whether somebody named what to run: that is run whole."""
CHANGED = pytest.StashKey[dict[str, list[str]] | None]()
"""By kind the names of the combinations that differ from the base; None if there is no base."""


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("gate", "what runs")
    group.addoption("--everything", action="store_true", help="what the gate leaves out, too")
    group.addoption("--shard", metavar="K/N", type=shard, help="only the K-th of N parts")
    group.addoption("--base", metavar="COMMIT", help="a commit that was green")
    group.addoption("--first", choices=FRAMEWORKS, help="whose turn it is, not by the commit")


def shard(text: str) -> tuple[int, int]:
    """Read `2/5`: its number, from 1 on, and how many there are."""
    number, count = map(int, text.split("/"))
    if not 1 <= number <= count:
        raise ValueError(text)
    return number, count


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "everything: left to `make test-all`")
    config.addinivalue_line(
        "markers",
        "judges(kind, combination, listed): the gate runs it where the combination differs from"
        " the base and, without a base, if it is `listed`",
    )
    config.addinivalue_line(
        "markers",
        "one_of(turn, framework, among): the gate runs it for one framework, another with each"
        " commit, of all or of those `among` which it is",
    )
    if hasattr(config, "workerinput"):
        config.stash[CHANGED] = config.workerinput["changed"]
        config.stash[NAMED] = config.workerinput["named"]
    else:
        config.stash[NAMED] = config.args_source is pytest.Config.ArgsSource.ARGS
        base = config.getoption("--base")
        config.stash[CHANGED] = differing(base) if base else None


def by_turns(number: int, group: str = "") -> list[object]:
    """Return each framework as a parameter, of which the gate runs the one whose turn it is.

    What has a group is run by one process for each framework.
    """
    return [
        pytest.param(
            framework,
            marks=[
                pytest.mark.one_of(number, framework),
                *([pytest.mark.xdist_group(f"{group}-{framework}")] if group else []),
            ],
        )
        for framework in FRAMEWORKS
    ]


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: pytest.Item) -> None:
    """Have the processes of pytest-xdist go by what was found out once."""
    node.workerinput["changed"] = node.config.stash[CHANGED]
    node.workerinput["named"] = node.config.stash[NAMED]


def pytest_report_header(config: pytest.Config) -> list[str]:
    """Say what decides on what runs."""
    names = [turn(config, number) or "" for number in range(len(FRAMEWORKS))]
    lines = [f"by turns: {', '.join(names)}"]
    changed = config.stash[CHANGED]
    if base := config.getoption("--base"):
        if changed is None:
            lines.append(f"base: {base} cannot be had or rendered: all that the gate lists is run")
        for kind, names in (changed or {}).items():
            lines.append(f"differs from {base}, {kind}: {', '.join(names) or 'nothing'}")
    return lines


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Choose what runs; what belongs together runs in one process and in one shard.

    That is a module, unless its tests have an `xdist_group` of their own.
    """
    for item in items:
        if item.get_closest_marker("xdist_group") is None:
            item.add_marker(pytest.mark.xdist_group(str(item.path.relative_to(HERE.parent))))
    if config.getoption("--everything"):
        kept = items[:]
    else:
        kept = [item for item in items if in_gate(item)]
    if told := config.getoption("--shard"):
        number, count = told
        groups = sorted({group_of(item) for item in items})
        mine = {*groups[number - 1 :: count]}
        kept = [item for item in kept if group_of(item) in mine]
    left = {*items} - {*kept}
    config.hook.pytest_deselected(items=[item for item in items if item in left])
    items[:] = kept


@pytest.hookimpl(tryfirst=True)
def pytest_collection_finish(session: pytest.Session) -> None:
    """One process alone keeps the order of the files, in which services are shared."""
    if hasattr(session.config, "workerinput"):
        session.items[:] = in_order(session.items)


def in_order(items: list[pytest.Item]) -> list[pytest.Item]:
    """Sort the groups, in which order the processes of pytest-xdist begin them.

    Long ones come first, so that none is left for the end: those whose tests take minutes each,
    then those of most tests. The groups of faults mostly wait, and beside each other they would
    leave the cores idle: they are spread among the others.
    """
    groups: dict[str, list[pytest.Item]] = {}
    for item in items:
        groups.setdefault(group_of(item), []).append(item)
    names = sorted(groups, key=lambda name: (not name.startswith(SLOW), -len(groups[name])))
    waiting = [name for name in names if name.startswith("faults-")]
    places = {name: number / len(waiting) for number, name in enumerate(waiting)}
    working = [name for name in names if name not in places]
    places |= {name: number / len(working) for number, name in enumerate(working)}
    return [item for name in sorted(places, key=places.__getitem__) for item in groups[name]]


def group_of(item: pytest.Item) -> str:
    [name] = item.get_closest_marker("xdist_group").args
    return name


def in_gate(item: pytest.Item) -> bool:
    """Tell whether the gate runs a test."""
    if item.get_closest_marker("everything"):
        return False
    for mark in item.iter_markers("one_of"):
        number, framework, *among = mark.args
        if framework != turn(item.config, number, *among):
            return False
    if is_sampled(item) and not item.config.stash[NAMED]:
        number = FRAMEWORKS.index(turns(item.config.getoption("--first"))[0])
        if (crc32(item.nodeid.encode()) + number) % SAMPLES:
            return False
    return all(
        is_new(item.config, *mark.args, **mark.kwargs) for mark in item.iter_markers("judges")
    )


def is_sampled(item: pytest.Item) -> bool:
    """Tell whether a test is one of many alike that the gate shares out among commits."""
    path = item.path.relative_to(HERE).as_posix()
    return path.startswith(SAMPLED) and not item.get_closest_marker("one_of")


def is_new(config: pytest.Config, kind: str, combination: str, *, listed: bool) -> bool:
    """Tell whether a combination differs from the base; without one, whether it is `listed`."""
    changed = config.stash[CHANGED]
    return listed if changed is None else combination in changed[kind]


def turn(config: pytest.Config, number: int, among: Sequence[str] = FRAMEWORKS) -> str | None:
    """Return the framework with which the gate tries what it tries with one alone.

    Each number has another, of those whose containers it tries at all, if any of `among` are. Of
    the contract `--framework` names those that may have a turn; with one it has them all.
    """
    changed = config.stash[CHANGED]
    wanted = config.getoption("--framework", None) or FRAMEWORKS
    told = turns(config.getoption("--first"))
    ours = [each for each in told if each in among and each in wanted]
    tried = [
        framework
        for framework in ours
        if changed is None or name_of(DEFAULTS[framework]) in changed["stack"]
    ]
    those = tried or ours
    return those[number % len(those)] if those else None


@cache
def turns(told: str | None = None) -> list[str]:
    """Return the frameworks in an order of which each commit has another beginning, or as told."""
    if told is None:
        done = subprocess.run(
            ["git", "rev-parse", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=False
        )
        first = int(done.stdout or "0", 16) % len(FRAMEWORKS)
    else:
        first = FRAMEWORKS.index(told)
    return FRAMEWORKS[first:] + FRAMEWORKS[:first]


def differing(base: str) -> dict[str, list[str]] | None:
    """Name what differs from a commit, by kind; None if that cannot be told."""
    told = {name_of(answers): answers for answers in PAIRS}
    with TemporaryDirectory() as directory:
        home = Path(directory)
        try:
            then = digests(unpack(base, home / "checkout"), home / "then", told)
        except (subprocess.CalledProcessError, OSError):
            return None
        now = digests(ROOT, home / "now", told)
    changed = [name for name in told if now[name] != then[name]]
    found = {
        kind: [*told] if differs(base, *COMMON, *judges) else changed
        for kind, judges in JUDGES.items()
    }
    defaults = [name_of(DEFAULTS[framework]) for framework in turns()]
    if not {*defaults} & {*found["stack"]}:
        found["stack"] = [*found["stack"], defaults[0]]  # at least one is always tried
    return found


def unpack(commit: str, place: Path) -> Path:
    """Write the files of a commit into a new directory."""
    archive = subprocess.run(
        ["git", "archive", "--format=tar", commit], cwd=ROOT, capture_output=True, check=True
    )
    with tarfile.open(fileobj=io.BytesIO(archive.stdout)) as files:
        files.extractall(place, filter="data")
    return place


def digests(checkout: Path, place: Path, told: dict[str, dict[str, str]]) -> dict[str, str]:
    render(checkout, place, told)
    pins = checkout / "templates" / "pins"
    return {
        name: digest(place / name / "shop", pins / f"{answers['framework']}.txt")
        for name, answers in told.items()
    }


def differs(base: str, *paths: str) -> bool:
    """Tell whether files of the checkout differ from a commit's, new ones included."""

    def ask(*command: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["git", *command, "--", *paths], cwd=ROOT, capture_output=True, text=True, check=False
        )

    new = ask("ls-files", "--others", "--exclude-standard").stdout
    return bool(new) or ask("diff", "--quiet", base).returncode != 0
