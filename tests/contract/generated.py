"""A client that nobody has written: openapi-python-client makes it of the one document."""

import importlib
import json
import pkgutil
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any

import httpx

from .client import VERIFY

NAME = "bookshelf_client"


def generate(document: dict[str, Any], home: Path) -> ModuleType:
    """Generate a client of a document and import it; a warning is an error."""
    source, config = home / "openapi.json", home / "config.json"
    source.write_text(json.dumps(document))
    config.write_text(json.dumps({"literal_enums": True, "post_hooks": []}))
    command = [sys.executable, "-m", "openapi_python_client", "generate", "--meta=none"]
    options = ["--path", source, "--config", config, "--output-path", home / NAME]
    done = subprocess.run(
        [*command, *options, "--fail-on-warning"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    sys.path.insert(0, str(home))
    for part in ("api", "models"):
        importlib.import_module(f"{NAME}.{part}")
    return importlib.import_module(NAME)


class Generated:
    """The client of a service: its operations are methods, by their ids.

    A status that the document does not name is an error, and so is a body that does not parse.
    """

    def __init__(self, package: ModuleType, base_url: str, token: str = "", **more: Any) -> None:
        self.package, self.base_url, self.token = package, base_url, token
        # Without connections that are kept there is nothing to close.
        more["limits"] = httpx.Limits(max_keepalive_connections=0)
        options = {"verify_ssl": VERIFY, "raise_on_unexpected_status": True, "httpx_args": more}
        if token:
            self.client = package.AuthenticatedClient(base_url, token=token, **options)
        else:
            self.client = package.Client(base_url, **options)

    def __getattr__(self, operation: str) -> Callable[..., Any]:
        module = importlib.import_module(operations(self.package)[operation])
        return partial(module.sync_detailed, client=self.client)

    def altering(self, change: Callable[[httpx.Request], None]) -> "Generated":
        """Return a client whose requests are changed before they go out: it makes none so wrong."""
        hooks = {"request": [change]}
        return Generated(self.package, self.base_url, self.token, event_hooks=hooks)


def operations(package: ModuleType) -> dict[str, str]:
    """Return the modules of a generated client that have an operation, by its id."""
    prefix = f"{package.__name__}.api."
    found = pkgutil.walk_packages(package.api.__path__, prefix)
    return {name.rpartition(".")[2]: name for _, name, is_package in found if not is_package}
