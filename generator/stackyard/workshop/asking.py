"""Asks a service by requests, and its modules by code."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from http import HTTPStatus
from pathlib import Path
from typing import Any

from stackyard.workshop.exercises import Check
from stackyard.workshop.findings import Finding, exception
from stackyard.workshop.service import Answer, NotStartedError, Service, environment, migrate

_SHOWN = 300
"""How many characters of a body are shown."""

_AGAIN = 0.1
"""Seconds between two requests that wait for something."""


def request(course: Path, service: Service, check: Check) -> Finding | None:
    """Send a check's requests, one after the other, until something else comes than it says."""
    known: dict[str, Any] = {}
    for step in check.asked["http"]:
        if finding := _step(course, service, step, known):
            return finding
    return None


def _step(
    course: Path, service: Service, step: Mapping[str, Any], known: dict[str, Any]
) -> Finding | None:
    """Send a request, or ask `within` so many seconds until the answer is the one that is wanted.

    Where there are several statuses, it is sent as often at once, and each of them has to come.
    """
    method, path = _filled(step["send"], known).split(" ", 1)
    headers = {name: _filled(value, known) for name, value in step.get("headers", {}).items()}
    if user := step.get("as"):
        headers["Authorization"] = f"Bearer {service.token(user)}"
    body = None
    if "json" in step:
        body = json.dumps(step["json"], ensure_ascii=False).encode()
        body = body.ljust(step.get("padded", 0))
        headers.setdefault("Content-Type", "application/json")
    elif "text" in step:
        body = step["text"].encode()
    told = (body or b"").decode()
    shown = told.rstrip()[:_SHOWN] + (f" and blanks, {len(told)} bytes" if "padded" in step else "")
    asked = [f"{name}: {headers[name]}" for name in step.get("headers", {})]
    sent = " ".join(filter(None, [method, path, f"(as {user})" if user else "", *asked, shown]))
    before = len(service.printed())
    ask = partial(service.ask, method, path, body, headers)
    try:
        if isinstance(step["status"], list):
            return _at_once(ask, sent, step["status"])
        until = time.monotonic() + step.get("within", 0)
        while (wrong := _wrong(step, came := ask(), known)) and time.monotonic() < until:
            time.sleep(_AGAIN)
    except OSError as error:
        raised = exception(course, service.printed()[before:])
        return Finding(sent, f"no answer: {error}", raised and raised[1])
    if not wrong:
        known |= {name: at(came.json, where) for name, where in step.get("keep", {}).items()}
        known["ETag"] = came.headers.get("etag", "")
        return None
    is_fault = came.status >= HTTPStatus.INTERNAL_SERVER_ERROR
    if is_fault and (raised := exception(course, service.printed()[before:])):
        return Finding(sent, f"{came.status}, by {raised[0]}", raised[1])
    # What is waited for is done by another process, and may have gone wrong before.
    if "within" in step and (raised := exception(course, service.printed())):
        return Finding(sent, f"{came.status}{wrong}, after {raised[0]}", raised[1])
    return Finding(sent, f"{came.status}{wrong}", None)


def _at_once(ask: Callable[[], Answer], sent: str, wanted: Sequence[int]) -> Finding | None:
    """Send a request as often as there are statuses, all at once."""
    with ThreadPoolExecutor(len(wanted)) as pool:
        came = sorted(one.result().status for one in [pool.submit(ask) for _ in wanted])
    if came == sorted(wanted):
        return None
    told = f"{', '.join(map(str, came))}, where {', '.join(map(str, wanted))} were wanted"
    return Finding(f"{sent}, {len(wanted)} times at once", told, None)


def _wrong(step: Mapping[str, Any], came: Answer, known: Mapping[str, Any]) -> str:
    """Return in which way an answer is not what a step says, or nothing."""
    shown = _shown(came)
    if came.status != step["status"]:
        return f"{shown}, where {step['status']} was wanted"
    for name, wanted in step.get("answers", {}).items():
        value = came.headers.get(name.lower())
        if wanted is True:  # whatever it says
            if value is None:
                return f" without the header {name}"
            continue
        exact = _filled(wanted, {**known, **_top(came)})
        if value != exact:
            told = f"{name}: {value}" if value is not None else f"no {name}"
            return f" with {told}, where {name}: {exact} was wanted"
    for where, wanted in step.get("holds", {}).items():
        value = at(came.json, where)
        if value != wanted:
            return f"{shown}, where {where} was to be {json.dumps(wanted, ensure_ascii=False)}"
    return ""


def _shown(came: Answer) -> str:
    """Return a body, and of a problem what it says."""
    told = _top(came)
    if "detail" not in told:
        return f" {came.body[:_SHOWN]}".rstrip()
    fields = [f"{one.get('field')}: {one.get('message')}" for one in told.get("errors") or []]
    return f" {'; '.join([str(told['detail']), *fields])[:_SHOWN]}"


def _top(came: Answer) -> dict[str, Any]:
    return came.json if isinstance(came.json, dict) else {}


def at(value: Any, where: str) -> Any:
    """Return what is in a body at `items.0.title`; nothing where it has nothing so."""
    for part in where.split("."):
        if isinstance(value, list) and part == "length":
            value = len(value)
        elif isinstance(value, list):
            value = value[int(part)] if int(part) < len(value) else None
        else:
            value = value.get(part) if isinstance(value, dict) else None
    return value


def _filled(text: object, known: Mapping[str, Any]) -> str:
    """Return a text in which `{id}` is what was kept of an answer before."""
    filled = str(text)
    for name, value in known.items():
        filled = filled.replace(f"{{{name}}}", str(value))
    return filled


def answers(course: Path, checks: Sequence[Check], scratch: Path) -> list[Finding | None]:
    """Have the course's own Python run the code of checks, in one process; return what it found."""
    if not checks:
        return []
    database = scratch / "code.db"
    try:
        migrate(course, database)
    except NotStartedError as error:
        raised = exception(course, str(error)) or (str(error).strip().splitlines()[-1:], None)
        return [Finding("the migrations were applied", str(raised[0]), raised[1])] * len(checks)
    done = subprocess.run(
        [str(course / ".venv" / "bin" / "python"), str(Path(__file__).with_name("probe.py"))],
        cwd=course,
        env=environment(course, database),
        input=json.dumps([check.asked["code"] for check in checks]),
        capture_output=True,
        text=True,
        check=False,
    )
    try:
        told = json.loads(done.stdout)
    except ValueError:
        lines = done.stderr.strip().splitlines() or ["nothing"]
        return [Finding("its modules were imported", lines[-1], None)] * len(checks)
    return [_finding(one) for one in told]


def _finding(told: Mapping[str, Any] | None) -> Finding | None:
    if told is None:
        return None
    place = f"{told['at'][0]}:{told['at'][1]}" if told["at"] else None
    return Finding(told["sent"] or "its modules were asked", told["came"], place)
