"""Runs every benchmark, or those of the frameworks that are named.

With other answers than the defaults where they are told: `python -m benchmarks flask
database=sqlite`.
"""

import sys

from tests.contract.service import WITH_FEED

from benchmarks import command, feed, services


def main() -> None:
    """Print the tables."""
    named = [word for word in sys.argv[1:] if "=" not in word]
    answers = dict(word.split("=", 1) for word in sys.argv[1:] if "=" in word)
    command.report()
    for framework in named or services.HELLO_COMMANDS:
        services.report(framework, answers)
        if framework in WITH_FEED and not answers:
            feed.report(framework)


if __name__ == "__main__":
    main()
