"""Whatever happens to an update, the project is as it was, updated, or one command from it."""

from __future__ import annotations

import shlex
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import psutil
import pytest

from conftest import UPSTREAM, Command, commit, run, tree
from interruptions import (
    INTERRUPTED,
    TEMPLATE,
    TREE,
    by_the_clock,
    files_of,
    in_process,
    leaves_open,
    started,
    walk,
    write,
)
from stackyard.making.generate import generate
from stackyard.template import Template
from test_bad_input import NAMESPACE, needs_namespaces
from test_interrupts import wait_until_ready

# A run takes about two seconds; a slow machine only shifts what the later moments hit.
MOMENTS = [0, 0.4, 0.9, 1.4, 2]


def files(project: Path) -> dict[str, tuple[int, bytes]]:
    """Map each path of a project to what is there, git's own left out."""
    return {path: held for path, held in tree(project).items() if path.split("/")[0] != ".git"}


def is_clean(project: Path) -> bool:
    return run("git", "status", "--porcelain", cwd=project) == ""


@leaves_open
def test_an_interrupt_at_any_line_leaves_the_project_as_it_was_or_updated(
    stackyard: Command,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """The newer release adds, deletes and changes a file, the last one in conflict with an edit."""
    upstream, shop, origin = tmp_path / "upstream", stackyard.directory / "shop", tmp_path / "shop"
    write(upstream, TEMPLATE)
    run("git", "init", "--quiet", cwd=upstream)
    commit(upstream, "Start", stackyard.environment)
    run("git", "tag", "v1.0.0", cwd=upstream)
    template = Template.load(upstream, {"_src_path": str(upstream), "_commit": "v1.0.0"})
    command = in_process(stackyard, monkeypatch, capsys)
    generate(template, {}, shop, with_lock=False)
    write(shop, {"app/main.py": "version = 'mine'\n", "app/own.py": "own = True\n"})
    commit(shop, "Edit", stackyard.environment)
    shutil.copytree(shop, origin, symlinks=True)
    before = tree(shop)
    write(upstream, {f"{TREE}app/main.py": "version = 2\n", f"{TREE}NEWS.md": "# News\n"})
    (upstream / TREE / "app" / "old.py").unlink()
    commit(upstream, "Go on", stackyard.environment)
    run("git", "tag", "v2.0.0", cwd=upstream)

    def state() -> tuple[Any, ...]:
        """Return all that an update leaves, but for the times in git's index."""
        names = {path.name for path in (shop / ".git").iterdir()}
        return files(shop), names, run("git", "status", "--porcelain", cwd=shop)

    with started():
        done = command("update", "shop", "--trust-source")
    updated = state()
    assert updated[-1] == "M  .copier-answers.yml\nA  NEWS.md\nUU app/main.py\nD  app/old.py\n"

    def was_stopped(end: tuple[int, str]) -> bool:
        assert stackyard.leftovers() == []
        if end == INTERRUPTED:
            assert tree(shop) == before
            return True
        assert end == done
        assert state() == updated
        shutil.rmtree(shop)
        shutil.copytree(origin, shop, symlinks=True)
        return False

    was_stopped(done)
    places = walk(lambda: command("update", "shop", "--trust-source"), was_stopped)
    assert len(places) > 250
    updating = {"updating/update.py", "updating/merge.py", "updating/worktree.py"}
    engine = updating | {"updating/upstream.py", "making/render.py", "git.py"}
    assert files_of(places, allowed=True) > engine
    assert files_of(places, allowed=False) > updating | {"commands/update.py"}
    kept = {stopped for place, stopped in places.items() if not place.allowed}
    assert kept == {True, False}


@by_the_clock(MOMENTS)
def test_an_interrupt_at_any_moment_leaves_the_project_as_it_was_or_updated(
    user: Command, shop: Path, moment: float, number: signal.Signals
) -> None:
    before = files(shop)
    process = user.start("update", "shop")
    wait_until_ready(process)
    time.sleep(moment)
    process.send_signal(number)
    _, said = process.communicate(timeout=60)
    if process.returncode:
        assert (process.returncode, said) == INTERRUPTED
        assert files(shop) == before
        assert is_clean(shop)
    else:
        assert (shop / "NEWS.md").exists()
        assert not (shop / ".dockerignore").exists()
        assert "UU" not in run("git", "status", "--porcelain", cwd=shop)
    assert user.leftovers() == []


PUBLISH = """
import shlex
from pathlib import Path
from stackyard.updating.merge import Merge, WorkTree
merge = Merge(WorkTree.of(Path("shop")), Path("merge").resolve())
merge.run(Path("base"), Path("theirs"), "v2")
merge.publish(lambda recovery: print(shlex.join(recovery), flush=True))
print("done", flush=True)
"""


@pytest.fixture
def large(stackyard: Command) -> Path:
    """A repository with a thousand files, of which an update changes most."""
    shop = stackyard.directory / "shop"
    for side in ("shop", "base", "theirs"):
        for number in range(1000):
            path = stackyard.directory / side / str(number % 20) / str(number)
            if not (side == "theirs" and number % 10 == 3):
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(f"{side == 'theirs'} {number}\n" * 50)
    for number in range(200):
        (stackyard.directory / "theirs" / f"new-{number}").write_text("new\n")
    run("git", "init", "--quiet", cwd=shop)
    commit(shop, "Start", stackyard.environment)
    return shop


@pytest.mark.parametrize("moment", [0, 0.01, 0.02, 0.03, 0.05, 0.08, 0.12, 0.2])
def test_after_a_crash_the_printed_command_restores_everything(
    stackyard: Command, large: Path, moment: float
) -> None:
    """The command and its git are killed while they write."""
    before = files(large)
    process = psutil.Popen(
        [sys.executable, "-c", PUBLISH],
        cwd=stackyard.directory,
        env=stackyard.environment,
        stdout=subprocess.PIPE,
        text=True,
    )
    recovery = shlex.split(process.stdout.readline())
    time.sleep(moment)
    with suppress(psutil.NoSuchProcess):  # done already
        process.suspend()  # so that it starts nobody meanwhile
        family = [*process.children(recursive=True), process]
        for member in family:
            with suppress(psutil.NoSuchProcess):
                member.kill()
        psutil.wait_procs(family)
    said, _ = process.communicate(timeout=30)
    if said != "done\n":
        run(*recovery, cwd="/", env=stackyard.environment)
        assert files(large) == before
        assert is_clean(large)
    # Nothing that was left behind is in the way of the next one.
    shutil.rmtree(stackyard.directory / "merge")
    run("git", "reset", "--quiet", "--hard", cwd=large)
    run(sys.executable, "-c", PUBLISH, cwd=stackyard.directory, env=stackyard.environment)
    assert len(files(large)) == len(files(stackyard.directory / "theirs"))


@needs_namespaces
@pytest.mark.parametrize("pages", [0, 1, 2, 4, 8, 12, 16, 24])
def test_a_full_disk_leaves_the_project_as_it_was(user: Command, shop: Path, pages: int) -> None:
    """Room for some pages is left in the file system that holds the project.

    What git was told not to look at is edited, and no matter of an update that does not change it.
    """
    run("git", "update-index", "--assume-unchanged", "LICENSE", cwd=shop)
    with (shop / "LICENSE").open("a") as file:
        file.write("mine\n")
    script = f"""
        mkdir mount && mount -t tmpfs -o size=16m none mount && cp -a shop mount && cd mount
        cat /dev/zero >filler 2>/dev/null
        truncate --size=-{pages * 4096} filler
        {user.executable} update shop >/dev/null
        echo $?
        rm filler
        git -C shop status --porcelain
        diff --recursive --no-dereference --exclude=.git shop ../shop
    """
    shell = Command(user.directory, user.temporary, user.environment, Path("/bin/sh"))
    done = shell("-c", script, prefix=NAMESPACE)
    status, _, left = done.stdout.partition("\n")
    if status == "0":
        assert pages > 4, "it cannot have had the room"
        assert "NEWS.md" in left
    else:
        assert (status, left) == ("2", ""), done.stderr
        assert "the disk is full" in done.stderr.splitlines()[-1]
    assert user.leftovers() == []


@contextmanager
def cut_off_after(size: int, port: int) -> Iterator[int]:
    """Pass TCP connections on to a port of this machine, until so many bytes came back."""
    left = size

    def serve() -> None:
        nonlocal left
        while True:
            try:
                near, _ = listener.accept()
            except OSError:
                return
            far = socket.create_connection(("127.0.0.1", port))
            threading.Thread(target=pass_on, args=(near, far), daemon=True).start()
            with near, far:
                while left > 0 and (data := far.recv(min(left, 4096))):
                    left -= len(data)
                    near.sendall(data)
                for end in (near, far):  # another thread waits on them
                    with suppress(OSError):
                        end.shutdown(socket.SHUT_RDWR)

    def pass_on(near: socket.socket, far: socket.socket) -> None:
        with suppress(OSError):
            while data := near.recv(4096):
                far.sendall(data)
            far.shutdown(socket.SHUT_WR)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=serve, daemon=True).start()
        yield listener.getsockname()[1]


@pytest.fixture
def daemon(upstream: Path) -> Iterator[int]:
    """The upstream repository, served by git over TCP."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    address = ("--listen=127.0.0.1", f"--port={port}", f"--base-path={upstream.parent}")
    process = subprocess.Popen(["git", "daemon", "--reuseaddr", "--export-all", *address])
    try:
        while True:
            try:
                socket.create_connection(("127.0.0.1", port)).close()
                break
            except ConnectionRefusedError:
                assert process.poll() is None
                time.sleep(0.01)
        yield port
    finally:
        for member in psutil.Process(process.pid).children(recursive=True):
            member.kill()
        process.kill()
        process.wait()


@pytest.mark.parametrize("size", [0, 100, 1_000, 50_000, 100_000_000])
def test_a_network_that_is_lost_leaves_the_project_as_it_was(
    from_wheel: Command, made: Path, daemon: int, size: int
) -> None:
    """It is lost while the releases are looked up, or while the template is downloaded."""
    shutil.copytree(made / "shop", from_wheel.directory / "shop", symlinks=True)
    before = tree(from_wheel.directory)
    with cut_off_after(size, daemon) as port:
        with Path(from_wheel.environment["GIT_CONFIG_GLOBAL"]).open("a") as settings:
            settings.write(f'[url "git://127.0.0.1:{port}/"]\n')
            settings.write("\tinsteadOf = https://github.com/stackyard/\n")
        done = from_wheel("update", "shop")
    if size == 100_000_000:
        assert (done.returncode, done.stderr.count("\n")) == (0, 1), done.stderr
        return
    assert done.returncode == 2
    assert done.stderr.startswith(f"stackyard: cannot reach the template at '{UPSTREAM}': ")
    assert done.stderr.count("\n") == 1
    assert tree(from_wheel.directory) == before
    assert from_wheel.leftovers() == []
