"""The databases that a service may have: a module each, and what all of them are asked."""

from collections.abc import Callable
from pathlib import Path

from .database import Database
from .mysql import MariaDBServer, MySQLServer
from .postgresql import PostgreSQLServer
from .proxied import Proxy, proxied
from .sqlite import SQLite

DATABASES: dict[str, Callable[[Path], Database]] = {
    "postgresql": PostgreSQLServer,
    "sqlite": SQLite,
    "mariadb": MariaDBServer,
    "mysql": MySQLServer,
}
"""By the answer to `database`; each is made in a directory of its own."""

__all__ = ["DATABASES", "Database", "Proxy", "proxied"]
