"""The entry point: ready for an interrupt before anything slow is imported."""

from __future__ import annotations

import gc
import os
import sys
from io import TextIOWrapper

from stackyard import interrupts


def main() -> None:
    """Run the command and exit: 0 done, 1 our own fault, 2 a mistake or an interrupt."""
    interrupts.install()
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:  # it was closed
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: PTH123, SIM115
        stream = getattr(sys, name)
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # any path or name, on any terminal
    gc.disable()  # a second's run makes no garbage worth the tenth of it that collecting takes
    try:
        with interrupts.allowed():
            from stackyard.cli import run

            status = run(sys.argv[1:])
    except KeyboardInterrupt:
        print("stackyard: interrupted: nothing was written", file=sys.stderr)  # noqa: T201
        status = 2
    interrupts.conclude()  # Python gives the signals back their power to kill before it ends
    gc.freeze()  # nor worth the collection at exit
    sys.exit(status)


if __name__ == "__main__":
    main()
