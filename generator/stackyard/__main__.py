"""The entry point: ready for an interrupt before anything slow is imported."""

from __future__ import annotations

import gc
import sys

from stackyard import interrupts


def main() -> None:
    """Run the command and exit: 0 done, 1 our own fault, 2 a mistake or an interrupt."""
    interrupts.install()
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
