"""The time that the command takes, beside Copier's own on the same template."""

import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from stackyard.template import Template

ROUNDS = 9  # of which the median counts; the contenders take turns


def seconds(command: list[str]) -> float:
    """Run a command; return the wall time that it took."""
    started = time.perf_counter()
    subprocess.run(command, capture_output=True, check=True)
    return time.perf_counter() - started


def main() -> None:
    """Print the medians of `stackyard --help`, of `new` and of `copier copy`."""
    stackyard = str(Path(sys.executable).with_name("stackyard"))
    template = str(Template.installed().root)
    with tempfile.TemporaryDirectory(prefix="stackyard-bench-") as directory:
        target = str(Path(directory) / "bookshelf")
        copier = [sys.executable, "-m", "copier", "copy", "--defaults", "--vcs-ref", "HEAD"]
        commands = {
            "stackyard --help": [stackyard, "--help"],
            "stackyard new": [stackyard, "new", "fastapi", target, "--defaults", "--no-lock"],
            "copier copy": [*copier, template, target],
        }
        times: dict[str, list[float]] = {name: [] for name in commands}
        for _ in range(ROUNDS):
            for name, command in commands.items():
                times[name].append(seconds(command))
                shutil.rmtree(target, ignore_errors=True)
    medians = {name: statistics.median(taken) for name, taken in times.items()}
    for name, taken in medians.items():
        print(f"{name:<24} {taken * 1000:>8.0f} ms")
    ratio = medians["stackyard new"] / medians["copier copy"]
    print(f"{'new, of copier copy':<24} {ratio:>8.2f}")


if __name__ == "__main__":
    main()
