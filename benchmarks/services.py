"""Requests a second of a generated service, and their ratio to a bare hello's."""

import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.contract.client import BOOKS, ME, book, signed_in
from tests.contract.processes import Process, accepts, free_port, until
from tests.contract.service import Project, Service

HELLO = Path(__file__).with_name("hello")
# As gunicorn serves the services.
GUNICORN = "gunicorn hello:{} --workers 2 --worker-class {}.server.Worker --bind 127.0.0.1:{{port}}"
# How each framework's hello is served: as its service is, by as many processes.
HELLO_COMMANDS = {
    "fastapi": "uvicorn hello:app --workers 2 --no-access-log --port {port}",
    "django-drf": GUNICORN.format("application", "core"),
    "flask": GUNICORN.format("app", "app"),
    "pyramid": GUNICORN.format("app", "app"),
    "tornado-ws": "python hello.py {port}",
}
BOOK_COUNT = 10_000
# The best of the rounds counts: wrk opens its connections all at once, and often enough one
# process has accepted all of them before the other one wakes.
ROUNDS = 12
SECONDS = 2
CONNECTIONS = 16


@dataclass
class Measure:
    """One run of wrk: requests a second, and latencies in milliseconds."""

    rate: float
    p50: float
    p99: float


def measure(url: str, authorization: str = "") -> Measure:
    """Drive the URL with wrk, which must be answered with 2xx throughout."""
    command = ["wrk", "--threads", "1", "--connections", str(CONNECTIONS), "--latency"]
    command += ["--duration", f"{SECONDS}s", "--header", authorization or "Accept: */*", url]
    printed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    if "Non-2xx" in printed:
        sys.exit(f"{url} did not always answer 2xx:\n{printed}")
    found = dict(re.findall(r"^\s+(50|99)%\s+(\S+)$", printed, re.MULTILINE))
    rate = re.search(r"Requests/sec:\s+([\d.]+)", printed)
    assert rate, printed
    return Measure(float(rate[1]), _milliseconds(found["50"]), _milliseconds(found["99"]))


def _milliseconds(text: str) -> float:
    value, unit = re.fullmatch(r"([\d.]+)(us|ms|s)", text).groups()
    return float(value) * {"us": 0.001, "ms": 1, "s": 1000}[unit]


@contextmanager
def hello(framework: str, service: Service, home: Path) -> Iterator[str]:
    """Serve the framework's hello in the service's environment; give its address."""
    shutil.copy(HELLO / f"{framework}.py", home / "hello.py")
    port = free_port()
    command = HELLO_COMMANDS[framework].format(port=port)
    env = {**service.env, "PYTHONPATH": str(service.project.path)}
    process = Process("hello", ["/bin/sh", "-c", f"exec {command}"], logs=home, cwd=home, env=env)
    process.start()
    try:
        until(lambda: accepts(port), within=20, failing="hello does not start")
        yield f"http://127.0.0.1:{port}/"
    finally:
        process.stop()


def report(framework: str, answers: dict[str, str]) -> None:
    """Print the table of one framework, with other answers than the defaults if they are told."""
    if shutil.which("wrk") is None:
        sys.exit("the benchmark is driven by wrk, which is not here: apt-get install wrk")
    with tempfile.TemporaryDirectory(prefix="stackyard-bench-") as directory:
        home = Path(directory)
        service = Service(Project.generate(framework, home, **answers), LOG_LEVEL="info")
        try:
            service.start()
            with signed_in(service.base_url) as user:
                with ThreadPoolExecutor(8) as pool:
                    created = pool.map(lambda _: user.post(BOOKS, json=book()), range(BOOK_COUNT))
                    path = [response.headers["Location"] for response in created][-1]
                bearer = f"Authorization: {user.headers['Authorization']}"
                with hello(framework, service, home) as address:
                    targets = {
                        "hello": (address, ""),
                        "GET /api/v1/books/{id}": (service.base_url + path, ""),
                        "GET /api/v1/users/me": (service.base_url + ME, bearer),
                        "GET /api/v1/books": (service.base_url + BOOKS, ""),
                    }
                    runs = [
                        {name: measure(*target) for name, target in targets.items()}
                        for _ in range(ROUNDS)
                    ]
        finally:
            service.stop()
    named = ", ".join([framework, *answers.values()])
    print(f"\n{named}: 2 web processes, {CONNECTIONS} connections, {BOOK_COUNT} books")
    print(f"{'':<24} {'req/s':>8} {'p50 ms':>8} {'p99 ms':>8} {'of hello':>9}")
    best = {name: max((run[name] for run in runs), key=lambda one: one.rate) for name in targets}
    for name, one in best.items():
        ratio = one.rate / best["hello"].rate
        print(f"{name:<24} {one.rate:>8.0f} {one.p50:>8.2f} {one.p99:>8.2f} {ratio:>9.2f}")
