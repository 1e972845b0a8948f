"""What is measured, and what follows of it and what does not."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from dataclasses import asdict
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from shutil import which

import pytest
from click import unstyle

from conftest import Command, replace
from figures import drawn, invented
from gate import by_turns
from stackyard.commands.measured import table
from stackyard.measuring.errors import LoadError
from stackyard.measuring.figures import IN_ROUNDS, Figure, Measured, Report, rounded, shipped
from stackyard.measuring.intervals import interval
from stackyard.measuring.load import GENERATORS, Generator, Request
from stackyard.measuring.measure import measure

RATE = next(figure for figure in IN_ROUNDS if figure.name == "book.rate")
RUNS = range(100)


def apart(one: list[float], other: list[float]) -> bool:
    return not interval(one).overlaps(interval(other))


def test_two_that_are_equal_are_not_told_apart() -> None:
    found = [apart(drawn(100, 5, seed=run), drawn(100, 5, seed=run + 1000)) for run in RUNS]
    assert sum(found) <= 5


def test_a_difference_is_found() -> None:
    found = [apart(drawn(100, 5, seed=run), drawn(125, 5, seed=run + 1000)) for run in RUNS]
    assert sum(found) >= 95


@pytest.mark.parametrize(("count", "share"), [(5, 0.9), (10, 0.92)])
def test_the_value_behind_the_samples_is_within_the_interval(count: int, share: float) -> None:
    found = [interval(drawn(100, 5, count, seed=run)) for run in range(400)]
    assert sum(one.low <= 100 <= one.high for one in found) >= share * len(found)
    assert found[0] == interval(drawn(100, 5, count, seed=0))


def test_one_sample_has_no_interval() -> None:
    with pytest.raises(ValueError, match="1 samples"):
        interval([3.0])
    assert Measured("flask", samples={"start": [3.0]}).interval("start") is None


def test_nobody_is_better_where_no_difference_is_shown() -> None:
    report = invented("slow", "fast")
    assert report.best(RATE) == {"fast"}
    assert report.best(Figure("start", "", "s", "less")) == {"slow"}
    assert report.best(Figure("start", "", "s", "")) == set()
    report.sides[0].samples = report.sides[1].samples
    assert report.best(RATE) == set()
    assert Report("1", {}, report.sides[:1], 5).best(RATE) == set()
    assert Report.of(json.loads(json.dumps(asdict(report)))) == report


def test_what_was_measured_for_the_release_is_of_its_frameworks(tmp_path: Path) -> None:
    assert shipped(tmp_path, ["flask"]) is None
    report = invented("flask", "pyramid")
    (tmp_path / "templates" / "concerns").mkdir(parents=True)
    (tmp_path / "templates" / "concerns" / "figures.json").write_text(json.dumps(asdict(report)))
    assert shipped(tmp_path, ["pyramid", "flask"]) == report
    alone = shipped(tmp_path, ["flask"])
    assert alone
    assert alone.sides == report.sides[:1]
    assert shipped(tmp_path, ["flask", "shelf"]) is None


@pytest.mark.parametrize(
    ("value", "told"), [(1234.6, "1235"), (12.345, "12.3"), (0.01234, "0.0123"), (7.0, "7")]
)
def test_numbers_have_the_figures_that_count(value: float, told: str) -> None:
    assert rounded(value) == told


def test_the_table_tells_who_is_best_and_what_it_is_worth() -> None:
    report = invented("fastapi", "flask")
    report.sides.append(Measured("pyramid", refused="it breaks the contract: FAILED test_books.py"))
    report.sides[1].saturated.append("hello")
    report.partial = True
    lines = unstyle("\n".join(table(report))).splitlines()
    assert lines[:2] == [
        "Partial: it was stopped before its end.",
        "pyramid has no figures: it breaks the contract: FAILED test_books.py",
    ]
    assert lines[2].split() == ["fastapi", "flask"]
    [rate] = [line for line in lines if line.startswith(RATE.title + ", req")]
    assert rate.rstrip().endswith("%*")
    assert rate.count("±") == 2
    assert rate.count("*") == 1
    assert "flask: the load was at its own limit, these are lower bounds: hello" in lines
    assert "CPU: an old one" in lines


class Handler(BaseHTTPRequestHandler):
    """Answers a GET with 200, and a POST with what its body says."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self.answer(200)

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        told = (self.headers["Content-Type"], self.headers["Authorization"])
        self.answer(json.loads(body)["status"] if told == ("application/json", "Bearer x") else 400)

    def answer(self, status: int) -> None:
        self.send_response(status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()
    server.server_close()


HERE = [one for one in GENERATORS if one.name == "locust" or which(one.name)]


@pytest.mark.parametrize("generator", HERE, ids=lambda one: one.name)
def test_load_is_driven_and_errors_are_counted(address: str, generator: Generator) -> None:
    got = generator.drive(Request(address), 4, 1)
    assert got.errors == 0
    assert got.rate > 20
    assert 0 <= got.p50 <= got.p99  # Locust tells whole milliseconds
    assert 0 < got.cores < 1.5
    headers = {"Content-Type": "application/json", "Authorization": "Bearer x"}
    created = Request(address, "POST", headers, json.dumps({"status": 201}))
    assert generator.drive(created, 4, 1).errors == 0
    failing = Request(address, "POST", headers, json.dumps({"status": 503}))
    failed = generator.drive(failing, 4, 1)
    assert failed.errors > 20
    assert failed.rate == 0


def test_a_generator_that_fails_is_told() -> None:
    failing = Generator("false", lambda *_: ["false"], GENERATORS[0].read)
    with pytest.raises(LoadError, match="false could not drive"):
        failing.drive(Request("http://127.0.0.1:1/"), 1, 1)


@pytest.mark.slow
@pytest.mark.parametrize("framework", by_turns(3))
def test_what_was_measured_by_an_interrupt_is_kept(framework: str) -> None:
    """All of a measurement, up to its third round; Flask's on servers that come in no wheel."""
    brought = {"database": "mariadb", "broker": "rabbitmq"} if framework == "flask" else {}
    told = []

    def progress(step: str, share: float) -> None:
        told.append(share)
        if step.startswith("round 3 of 3: GET the current"):
            raise KeyboardInterrupt

    report = measure([framework], brought, "1.2.3", rounds=3, seconds=1, progress=progress)
    assert report.partial, report.sides[0].refused
    assert told == sorted(told)
    assert 0 <= told[0] <= told[-1] < 1
    [side] = report.sides
    assert (side.framework, side.refused, side.errors) == (framework, "", 0)
    assert {name: len(samples) for name, samples in side.samples.items()} == {
        "start": 3,
        "idle": 3,
        "loaded": 2,
        **{
            f"{name}.{one}": 3
            for name in ("hello", "book", "list")
            for one in ("rate", "p50", "p99")
        },
        **{f"{name}.{one}": 2 for name in ("me", "write") for one in ("rate", "p50", "p99")},
    }
    assert all(value > 0 for samples in side.samples.values() for value in samples)
    assert side.once["tests"] > 300
    assert side.once["typed"] > 95
    assert 20 < side.once["packages"] < 100
    assert sum(side.licenses.values()) == side.once["packages"]
    assert side.once["green"] > side.once["suite"] > 1


@pytest.mark.slow
def test_what_breaks_the_contract_has_no_figures(stackyard: Command) -> None:
    made = stackyard("new", "flask", "shelf", "--no-lock", "--defaults")
    assert made.returncode == 0, made.stderr
    shelf = stackyard.directory / "shelf"
    located = 'return book, {"Location": url_for("books.read_book", id=book.id)}'
    replace(shelf / "app" / "books.py", located, "return book")
    before = {path: path.read_bytes() for path in shelf.rglob("*") if path.is_file()}
    report = measure([str(shelf)], {}, "1.2.3", rounds=2, seconds=1)
    [side] = report.sides
    assert side.refused.startswith("it breaks the contract: FAILED")
    assert (side.samples, side.once, report.partial) == ({}, {}, False)
    # Nothing of it is done in the owner's own copy.
    assert {path: path.read_bytes() for path in shelf.rglob("*") if path.is_file()} == before


def test_what_does_not_go_together_is_said(stackyard: Command) -> None:
    for arguments in (["--measure", "--concern", "lists"], ["--rounds", "7"], ["--rounds", "2"]):
        done = stackyard("compare", *arguments)
        assert (done.returncode, done.stdout) == (2, "")
        assert "Traceback" not in done.stderr


def test_measuring_needs_the_extra(stackyard: Command, from_wheel: Command, tmp_path: Path) -> None:
    done = from_wheel("compare", "flask", "--measure")
    assert done.returncode == 2
    assert "stackyard[compare]" in done.stderr
    assert done.stderr.count("\n") == 1
