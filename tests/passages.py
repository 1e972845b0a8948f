"""Writes `templates/concerns/requests/`: what a request passes in a service, recorded from it.

    python tests/passages.py flask pyramid

Without a name, of all frameworks.
"""

from __future__ import annotations

import json
import socket
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from combinations import FRAMEWORKS, ROOT
from contract.client import BOOKS, bearer, book, signed_in, token_of
from contract.processes import until
from contract.service import Project, Service
from stackyard.comparing.requests import FOLDER

HOOK = Path(__file__).parent / "passing"
"""Where Python finds what records."""
HEAD = "# Recorded from the running service by `make requests`; the numbers are rounded.\n"
WARM = 5
"""How often each request is made before: what is loaded or kept the first time is no part of it."""

Passage = dict[str, Any]
"""The steps of a request, and what is called of libraries after them, as the hook writes it."""


def record(framework: str) -> dict[str, Passage]:
    """Return by request what it passes in a new project of a framework, with default answers."""
    with ExitStack() as stack:
        home = Path(stack.enter_context(TemporaryDirectory(prefix="stackyard-ways-")))
        file = home / "recorded"
        file.touch()
        settings = {"PYTHONPATH": str(HOOK), "RECORDED": str(file), "WEB_CONCURRENCY": "1"}
        service = Service(Project.generate(framework, home), **settings)
        service.worker = service.beat = None
        stack.callback(service.stop)
        service.start()
        token = token_of(stack.enter_context(signed_in(service.base_url)))

        def create() -> int:
            return ask(service.port, "POST", BOOKS, book(), bearer(token))["id"]

        def read(number: int) -> None:
            ask(service.port, "GET", f"{BOOKS}/{number}")

        for _ in range(WARM):
            read(create())
        unread = create()  # of which the cache has no copy yet
        return {
            f"POST {BOOKS}": recorded(file, create),
            f"GET {BOOKS}/{{id}}": recorded(file, lambda: read(unread)),
        }


def recorded(file: Path, act: Callable[[], Any]) -> Passage:
    """Return what the service writes of the one request that is made."""
    file.unlink()
    act()
    until(file.exists, within=20, failing="the request has no end")
    return json.loads(file.read_text("utf-8"))


def ask(
    port: int, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None
) -> Any:
    """Make a request, and return the JSON that is answered.

    All of it is sent at once: in how many pieces it comes is part of what it passes.
    """
    content = b"" if body is None else json.dumps(body).encode()
    told = {"Host": "127.0.0.1", "Connection": "close", **(headers or {})}
    if content:
        told |= {"Content-Type": "application/json", "Content-Length": str(len(content))}
    head = [f"{method} {path} HTTP/1.1", *(f"{name}: {told[name]}" for name in told), "", ""]
    with socket.create_connection(("127.0.0.1", port), timeout=20) as connection:
        connection.sendall("\r\n".join(head).encode() + content)
        with connection.makefile("rb") as answer:
            first, _, rest = answer.read().partition(b"\r\n\r\n")
    assert first.startswith((b"HTTP/1.1 200 ", b"HTTP/1.1 201 ")), first
    return json.loads(rest)


def written(passages: Mapping[str, Passage]) -> str:
    """Return what is kept of a framework: a line for each step."""
    return HEAD + "".join(f"{line}\n" for line in _lines(passages))


def _lines(passages: Mapping[str, Passage]) -> Iterator[str]:
    for request, passage in passages.items():
        yield f"{request}:"
        yield "  steps:"
        for step in passage["steps"]:
            before = f", before: {_numbers(step['before'])}" if step["before"] else ""
            yield f"    - {{at: {step['at']}, depth: {step['depth']}{before}}}"
        yield f"  after: {_numbers(passage['after'])}"


def _numbers(calls: Mapping[str, int]) -> str:
    """Return how much is called of each library, the most first."""
    by_number = sorted(calls.items(), key=lambda one: (-one[1], one[0]))
    return "{" + ", ".join(f"{name}: {rounded(number)}" for name, number in by_number) + "}"


def rounded(number: int) -> int:
    """Return a number with two figures, as the rest changes with any version."""
    return int(float(f"{number:.2g}"))


if __name__ == "__main__":
    for framework in sys.argv[1:] or FRAMEWORKS:
        file = ROOT / FOLDER / f"{framework}.yml"
        file.write_text(written(record(framework)), "utf-8")
        print(file.relative_to(ROOT))  # noqa: T201 - it takes a while
