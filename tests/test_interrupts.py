"""An interrupt at any moment: the target is absent or complete, and nothing else is left."""

from __future__ import annotations

import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from conftest import Command, generated, tree
from interruptions import (
    INTERRUPTED,
    SIGNALS,
    TEMPLATE,
    by_the_clock,
    files_of,
    in_process,
    leaves_open,
    started,
    walk,
    write,
)
from stackyard import interrupts
from stackyard.making.target import Target, directory_in
from stackyard.template import Template

# A run takes about a second; a slow machine only shifts what the later moments hit.
MOMENTS = [0, 0.3, 0.6, 0.9, 1.3]
both_signals = pytest.mark.parametrize("number", SIGNALS, ids=lambda number: number.name)


@leaves_open
def test_an_interrupt_at_any_line_leaves_all_or_nothing(
    stackyard: Command,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    write(tmp_path / "template", TEMPLATE)
    template = Template.load(tmp_path / "template", {"_commit": "v1.0.0"})
    monkeypatch.setattr(Template, "installed", lambda: template)
    command = in_process(stackyard, monkeypatch, capsys)
    shop = stackyard.directory / "deep" / "shop"
    arguments = ("new", "tiny", "deep/shop", "--no-lock", "--defaults")
    with started():
        assert command(*arguments) == (0, "")
    whole = generated(shop)
    shutil.rmtree(shop.parent)

    def was_stopped(end: tuple[int, str]) -> bool:
        assert stackyard.leftovers() == []
        if end == INTERRUPTED:
            assert tree(stackyard.directory) == {}
            return True
        assert end == (0, "")
        assert generated(shop) == whole
        assert (shop / ".env").is_file()
        assert (shop / ".git" / "refs" / "heads" / "main").is_file()
        shutil.rmtree(shop.parent)
        return False

    places = walk(lambda: command(*arguments), was_stopped)
    assert len(places) > 150
    making = {"making/generate.py", "making/target.py"}
    engine = making | {"making/render.py", "making/repository.py", "git.py"}
    assert files_of(places, allowed=True) > engine
    assert files_of(places, allowed=False) > making | {"commands/new.py"}
    kept = {stopped for place, stopped in places.items() if not place.allowed}
    assert kept == {True, False}


def test_an_interrupt_at_any_line_of_an_overwrite_restores_every_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    old = {"a": "old", "b/c": "old"}
    new = {"a": "new", "b/c": "new", "b/d": "new", "e/f": "new"}
    own = {"b/own": "own", "own": "own"}
    write(tmp_path / "shop", old | own)
    write(tmp_path / "new", new)
    before = tree(tmp_path)
    target = Target.at(Path("shop"), force=True)

    def run() -> bool:
        try:
            target.publish(Path("new"), Path("attic"), force=True)
        except KeyboardInterrupt:
            return True
        return False

    def was_stopped(stopped: bool) -> bool:  # noqa: FBT001
        if stopped:
            assert tree(tmp_path) == before
            return True
        left = {path: held.decode() for path, (_, held) in tree(tmp_path / "shop").items() if held}
        assert left == new | own
        assert {path.name for path in tmp_path.iterdir()} == {"shop", "new"}
        for name in ("shop", "new"):
            shutil.rmtree(name)
        write(tmp_path / "shop", old | own)
        write(tmp_path / "new", new)
        return False

    places = walk(run, was_stopped, visits=100)
    assert len(places) > 100
    assert {*places.values()} == {True, False}


def test_a_directory_of_our_own_is_removed_wherever_an_interrupt_comes(tmp_path: Path) -> None:
    """Even if whoever asks for it allows interrupts."""

    def run() -> bool:
        try:
            with directory_in(tmp_path, "own") as directory, interrupts.allowed():
                write(directory, {"a/b": "1"})
        except KeyboardInterrupt:
            return True
        return False

    def was_stopped(stopped: bool) -> bool:  # noqa: FBT001
        assert tree(tmp_path) == {}
        return stopped

    places = walk(run, was_stopped, visits=100, allowed=True)
    assert len(places) > 30
    for allowed in (True, False):
        assert files_of(places, allowed=allowed) == {"making/target.py", __file__}


def catches(process: subprocess.Popen[str], number: int) -> bool:
    """Tell whether a process has a handler for a signal; Python itself has none for SIGTERM."""
    status = Path(f"/proc/{process.pid}/status").read_text()
    return bool(int(re.search(r"SigCgt:\s*(\w+)", status)[1], 16) >> (number - 1) & 1)


def wait_until_ready(process: subprocess.Popen[str]) -> None:
    while process.poll() is None and not catches(process, signal.SIGTERM):
        time.sleep(0.001)


@by_the_clock(MOMENTS)
def test_an_interrupt_at_any_moment_leaves_all_or_nothing(
    stackyard: Command, moment: float, number: signal.Signals
) -> None:
    process = stackyard.start("new", "fastapi", "deep/shop", "--no-lock")
    wait_until_ready(process)
    time.sleep(moment)
    process.send_signal(number)
    _, said = process.communicate(timeout=30)
    if process.returncode:
        assert (process.returncode, said) == INTERRUPTED
        assert tree(stackyard.directory) == {}
    else:
        assert said == ""
        assert (stackyard.directory / "deep" / "shop" / ".env").is_file()
    assert stackyard.leftovers() == []


@both_signals
def test_an_interrupt_while_locking_leaves_nothing(
    stackyard: Command, number: signal.Signals, tmp_path: Path
) -> None:
    """The registry is one that never answers: a socket that nobody accepts from."""
    import socket

    with socket.create_server(("127.0.0.1", 0)) as registry:
        address = "http://{}:{}/simple".format(*registry.getsockname())
        stackyard.environment |= {"UV_DEFAULT_INDEX": address, "UV_CACHE_DIR": f"{tmp_path}/cache"}
        process = stackyard.start("new", "fastapi", "shop")
        registry.settimeout(30)
        connection, _ = registry.accept()
        with connection:
            process.send_signal(number)
            _, said = process.communicate(timeout=30)
    assert (process.returncode, said) == INTERRUPTED
    assert tree(stackyard.directory) == {}
    assert stackyard.leftovers() == []


PUBLISH = """
import sys
from pathlib import Path
from stackyard import interrupts
from stackyard.making.target import Target
interrupts.install()
try:
    target = Target.at(Path("shop"), force=True)
    print("ready", flush=True)
    target.publish(Path("new"), Path("attic"), force=True)
except KeyboardInterrupt:
    sys.exit(2)
"""


@by_the_clock([0, 0.005, 0.02, 0.05])
def test_an_interrupted_overwrite_restores_every_file(
    stackyard: Command, moment: float, number: signal.Signals
) -> None:
    for name in ("shop", "new"):
        for part in range(40):
            (stackyard.directory / name / str(part)).mkdir(parents=True)
            for file in range(50):
                (stackyard.directory / name / str(part) / str(file)).write_text(name)
    old, new = (tree(stackyard.directory / name) for name in ("shop", "new"))
    process = subprocess.Popen(
        [sys.executable, "-c", PUBLISH],
        cwd=stackyard.directory,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    process.stdout.readline()
    time.sleep(moment)
    process.send_signal(number)
    _, said = process.communicate(timeout=30)
    assert said == ""
    left = tree(stackyard.directory / "shop")
    if process.returncode:
        assert (process.returncode, left) == (2, old)
        assert tree(stackyard.directory / "new") == new
    else:
        assert left == new
