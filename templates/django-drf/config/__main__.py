"""Serves the project in production: `python -m config`, which is `gunicorn config.wsgi`."""

import sys

from config import environment  # noqa: F401 - checked before gunicorn reads it


def main() -> None:
    """Run as many web processes as WEB_CONCURRENCY says, until SIGTERM; see gunicorn.conf.py."""
    from gunicorn.app.wsgiapp import run

    sys.argv = ["gunicorn", "config.wsgi"]
    run()


if __name__ == "__main__":
    main()
