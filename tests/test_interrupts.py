"""An interrupt at any moment: the target is absent or complete, and nothing else is left."""

from __future__ import annotations

import random
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from conftest import Command, tree

SIGNALS = [signal.SIGINT, signal.SIGTERM]
both_signals = pytest.mark.parametrize("number", SIGNALS, ids=lambda number: number.name)

# A run takes about a second; a slow machine only shifts what the later moments hit.
MOMENTS = [
    *(step / 10 for step in range(12)),
    *(random.Random(1).uniform(0, 1.5) for _ in range(8)),
]


def catches(process: subprocess.Popen[str], number: int) -> bool:
    """Tell whether a process has a handler for a signal; Python itself has none for SIGTERM."""
    status = Path(f"/proc/{process.pid}/status").read_text()
    return bool(int(re.search(r"SigCgt:\s*(\w+)", status)[1], 16) >> (number - 1) & 1)


def wait_until_ready(process: subprocess.Popen[str]) -> None:
    while process.poll() is None and not catches(process, signal.SIGTERM):
        time.sleep(0.001)


@both_signals
@pytest.mark.parametrize("moment", MOMENTS, ids="{:.2f}".format)
def test_an_interrupt_leaves_all_or_nothing(
    stackyard: Command, number: signal.Signals, moment: float
) -> None:
    process = stackyard.start("new", "fastapi", "deep/shop", "--no-lock")
    wait_until_ready(process)
    time.sleep(moment)
    process.send_signal(number)
    _, said = process.communicate(timeout=30)
    if process.returncode:
        assert process.returncode == 2
        assert said == "stackyard: interrupted: nothing was written\n"
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
    assert (process.returncode, said) == (2, "stackyard: interrupted: nothing was written\n")
    assert tree(stackyard.directory) == {}
    assert stackyard.leftovers() == []


PUBLISH = """
import sys
from pathlib import Path
from stackyard import interrupts
from stackyard.target import Target
interrupts.install()
try:
    target = Target.at(Path("shop"), force=True)
    print("ready", flush=True)
    target.publish(Path("new"), Path("attic"), force=True)
except KeyboardInterrupt:
    sys.exit(2)
"""


@both_signals
@pytest.mark.parametrize("moment", [0, 0.005, 0.02, 0.05])
def test_an_interrupted_overwrite_restores_every_file(
    stackyard: Command, number: signal.Signals, moment: float
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
