"""Runs every benchmark, or those of the frameworks that are named: `python -m benchmarks`."""

import sys

from tests.contract.service import WITH_FEED

from benchmarks import command, feed, services


def main() -> None:
    """Print the tables."""
    command.report()
    for framework in sys.argv[1:] or services.HELLO_COMMANDS:
        services.report(framework)
        if framework in WITH_FEED:
            feed.report(framework)


if __name__ == "__main__":
    main()
