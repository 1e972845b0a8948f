"""The same request to all services at once, and what their answers differ in."""

import secrets
from collections import defaultdict
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Self

from .request import Request
from .side import Answer, Side, shared


class Five:
    """The services by their frameworks, all with the same users and books."""

    def __init__(self, addresses: Mapping[str, str]) -> None:
        run = secrets.token_hex(4)
        self._pool = ThreadPoolExecutor(len(addresses))
        self._given = shared(run)
        made = self._pool.map(lambda address: Side(address, run), addresses.values())
        self._sides = dict(zip(addresses, made, strict=True))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._pool.shutdown()
        for side in self._sides.values():
            side.client.close()

    def ask(self, request: Request) -> dict[str, Answer]:
        """Put a request to each; return the answers by framework."""
        given = next(self._given)
        answers = self._pool.map(lambda side: side.ask(request, given), self._sides.values())
        return dict(zip(self._sides, answers, strict=True))


def differing(answers: Mapping[str, Answer]) -> str:
    """Say, part by part, which services answer what; nothing where all answer alike."""
    told = answers.items()
    lines = {name: dict.fromkeys(answer.body.splitlines()) for name, answer in told}
    found = [
        *split({name: [answer.status] for name, answer in told}, "status"),
        *split({name: answer.headers for name, answer in told}, "header"),
        *(split(lines, "body") or split({name: [answer.body] for name, answer in told}, "body")),
    ]
    return "\n".join(found[:50])


def split(told: Mapping[str, Iterable[object]], part: str) -> list[str]:
    """Name what only some of the services tell, and which."""
    who = defaultdict(list)
    for name, values in told.items():
        for value in values:
            who[value].append(name)
    return [
        f"{part} {value!r:.600}: {', '.join(names)}"
        for value, names in sorted(who.items(), key=lambda item: str(item[0]))
        if len(names) != len(told)
    ]
