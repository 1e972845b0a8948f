"""What Docker Compose makes of the files, whatever was chosen."""

from pathlib import Path

import pytest

from .stack import docker

pytestmark = pytest.mark.xdist_group("rendered")

NEEDED = {
    "IMAGE": "bookshelf:1.0.0",
    "SECRET_KEY": "k" * 32,
    "POSTGRES_PASSWORD": "p",
    "MARIADB_PASSWORD": "m",
    "MYSQL_PASSWORD": "m",
    "REDIS_PASSWORD": "r",
    "RABBITMQ_PASSWORD": "r",
    "ALLOWED_HOSTS": "books.example.org",
}


@pytest.mark.parametrize("path", ["compose.yaml", "compose.prod.yaml"])
def test_compose_reads_every_file(rendered: dict[str, Path], path: str) -> None:
    """It takes the files of one project at a time: those that differ, once each."""
    files = [project / path for project in rendered.values()]
    for file in {file.read_text("utf-8"): file for file in files}.values():
        done = docker("compose", "--file", file, "config", "--quiet", **NEEDED)
        assert (done.returncode, done.stdout) == (0, ""), file
