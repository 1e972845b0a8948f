"""One running service a session, and the people who use it.

    pytest tests/contract --framework fastapi
    pytest tests/contract --project=path/to/a/generated/project
    pytest tests/contract --project=path/to/it --base-url=http://127.0.0.1:8000

The last judges what is running there. It has no processes to look into: what needs them is skipped.
Without `--project` it is taken to have a cache and tasks. The tests of a combination of answers
share one service, those of faults another: `--dist loadgroup` starts each once.
"""

import signal
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from functools import cache, partial
from pathlib import Path
from types import ModuleType
from typing import Any

import httpx
import pytest

from combinations import (
    BY_NAME,
    DEFAULTS,
    FRAMEWORKS,
    LEAST,
    PAIRS,
    SMOKED,
    name_of,
)

from .brokers import REFUSALS
from .client import BOOKS, book, connect, get, login, register, signed_in_again, token_of
from .document import written
from .exceptions import is_excepted
from .feed import FEED, Listener, Writer, both, in_each, listening, until_it_crosses, writing
from .generated import generate
from .processes import Process
from .service import OTHERWISE, WITH_FEED, Project, Service, Target, database_of, parts_of, running
from .subjects import BOOK, NAMED, PRODUCT, SHOPS, Subject, in_turn

# The defaults of each framework with something in front of the database: their own names, what the
# service is run with, and as what the table of exceptions knows it.
IN_FRONT = {
    f"{name_of(told)}-{name}": (told, options, name)
    for name, options in {"pgbouncer": {"pooled": True}}.items()
    for told in DEFAULTS.values()
}
ASKED = BY_NAME | {name: told for name, (told, *_) in IN_FRONT.items()} | SHOPS
# Which turn it is that has the whole of them asked of a default: see `tests/gate.py`.
TURNS = {"contract": 0, "faults": 3}
RAN = pytest.StashKey[Counter[str | None]]()
"""How many tests of the smoke have run in this process, by combination."""


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("contract")
    group.addoption("--framework", action="append", choices=FRAMEWORKS, help="only this one")
    group.addoption("--project", type=Path, help="a project generated already")
    group.addoption("--base-url", help="a service that runs already")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line(
        "markers",
        "smoke: what is asked of a service in containers, where all of it was judged by processes",
    )
    config.addinivalue_line(
        "markers", "database(*answers): a rule of these databases alone, or what holds with them"
    )
    config.addinivalue_line(
        "markers",
        "resources(*also): a rule of the owner's own resources, and of `books` if told",
    )
    config.addinivalue_line("markers", "last: runs after the other tests of its framework")
    # A supervisor's SIGTERM ends the services too, as Ctrl-C does.
    signal.signal(signal.SIGTERM, signal.default_int_handler)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "combination" in metafunc.fixturenames:
        option = metafunc.config.getoption
        wanted = option("--framework", None) or FRAMEWORKS
        mark = metafunc.definition.get_closest_marker("resources")
        chosen = [
            name
            for name, told in ASKED.items()
            if told["framework"] in wanted
            and is_there(mark, name)
            and (option("--everything") or in_gate(name, metafunc))
        ]
        if option("--project", None) or option("--base-url", None):
            chosen = ["given"]
        metafunc.parametrize("combination", chosen, indirect=True, scope="session")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Sort the tests by their service, and leave out those that it is not asked."""
    order = ["given", *ASKED]

    def place(item: pytest.Item) -> tuple[int, bool, bool]:
        return order.index(combination_of(item)), is_of_faults(item), is_last(item)

    others = [item for item in items if not combination_of(item)]
    ours = sorted((item for item in items if combination_of(item)), key=place)
    left = {item for item in ours if is_of_another(item) or is_of_another_database(item)}
    config.hook.pytest_deselected(items=[item for item in ours if item in left])
    ours = [item for item in ours if item not in left]
    items[:] = [*ours, *others]
    for item in ours:
        name = combination_of(item)
        kind = "faults" if is_of_faults(item) else "contract"
        item.add_marker(pytest.mark.xdist_group(f"{kind}-{name}"))
        told = ASKED.get(name)
        if name in IN_FRONT:
            by_turns = pytest.mark.one_of(0, told["framework"])
            smoke = item.get_closest_marker("smoke")
            item.add_marker(by_turns if smoke else pytest.mark.everything)
            continue
        if told is None:
            continue
        if name in SHOPS:
            also_of_books = bool(item.get_closest_marker("resources").args)
            for mark in in_turn(told, also_of_books=also_of_books):
                item.add_marker(mark)
            continue
        if told in DEFAULTS.values():
            # The smoke is asked of each.
            if not item.get_closest_marker("smoke"):
                item.add_marker(pytest.mark.one_of(TURNS[kind], told["framework"]))
            continue
        if item.get_closest_marker("smoke") and told in PAIRS:
            item.add_marker(pytest.mark.judges("contract", name, listed=told in SMOKED))
            if told not in LEAST.values():
                item.add_marker(pytest.mark.one_of(1, told["framework"]))
        else:
            item.add_marker(pytest.mark.everything)


def is_there(mark: pytest.Mark | None, name: str) -> bool:
    """Tell whether a project has what a test judges: resources of its own, or books."""
    if name in SHOPS:
        return mark is not None
    return mark is None or "books" in mark.args


def in_gate(name: str, metafunc: pytest.Metafunc) -> bool:
    """Tell whether the gate may ask a combination some of a test, as all but a few have the smoke.

    It collects no others: they are many times as many.
    """
    told = ASKED[name]
    if name in SHOPS or (told in DEFAULTS.values() and name not in IN_FRONT):
        return True
    marks = [*metafunc.definition.iter_markers()]
    each = [value for mark in marks if mark.name == "parametrize" for value in mark.args[1]]
    marks += [mark for value in each for mark in getattr(value, "marks", ())]
    return told in PAIRS and any(mark.name == "smoke" for mark in marks)


def combination_of(item: pytest.Item) -> str | None:
    """Name what a test of the contract is about: a combination of answers, or what was given."""
    ours = module_of(item.path) and hasattr(item, "callspec")
    return item.callspec.params.get("combination") if ours else None


@cache
def module_of(path: Path) -> str:
    """Name a module by its path below this directory; nothing if it is elsewhere."""
    ours = Path(__file__).parent
    return path.relative_to(ours).as_posix() if ours in path.parents else ""


def is_of_faults(item: pytest.Item) -> bool:
    return module_of(item.path).startswith("faults/")


def is_last(item: pytest.Item) -> bool:
    return item.get_closest_marker("last") is not None


def is_of_another(item: pytest.Item) -> bool:
    """Tell whether a test is about a part that its combination does not have."""
    name = combination_of(item)
    told = ASKED.get(name)
    if told is None:
        return name == "given" and not is_there(item.get_closest_marker("resources"), name)
    refusal = item.callspec.params.get("refusal")
    return (
        ("with_feed" in item.fixturenames and told["framework"] not in WITH_FEED)
        or ("by_redis" in item.fixturenames and told["broker"] != "redis")
        or ("by_rabbitmq" in item.fixturenames and told["broker"] != "rabbitmq")
        or (refusal is not None and refusal not in REFUSALS[told["broker"]])
    )


def test_of(item: pytest.Item) -> tuple[str, str]:
    """Name a test by its module and function, and its parameters without the combination."""
    parameters = item.callspec.id.removeprefix(combination_of(item)).removeprefix("-")
    return f"{module_of(item.path)}::{item.originalname}", parameters


def is_of_another_database(item: pytest.Item) -> bool:
    """Tell whether a test is asked only where the database is another, or not with this one."""
    name, given = combination_of(item), item.config.getoption("--project", None)
    if name in ASKED:
        asked = {ASKED[name]["database"]}
    else:
        asked = {database_of(given) if given else "postgresql"}
    if name in IN_FRONT:
        asked.add(IN_FRONT[name][-1])
    mark = item.get_closest_marker("database")
    elsewhere = bool(mark) and not asked & {*mark.args}
    return elsewhere or any(is_excepted(*test_of(item), each) for each in asked)


def pytest_runtest_teardown(item: pytest.Item) -> None:
    if item.get_closest_marker("smoke"):
        item.session.stash.setdefault(RAN, Counter())[combination_of(item)] += 1


@pytest.fixture(scope="session")
def combination(request: pytest.FixtureRequest) -> str:
    """Name what is under test: only the generator's command line may know which."""
    return request.param


@pytest.fixture(scope="session")
def project(combination: str, request: pytest.FixtureRequest) -> Iterator[Project]:
    if request.config.getoption("--base-url", None):
        pytest.skip("needs the service's own processes")
    given = request.config.getoption("--project", None)
    with tempfile.TemporaryDirectory(prefix="stackyard-contract-") as directory:
        home = Path(directory)
        if given:
            yield Project.at(given, home)
        else:
            yield Project.generate(home=home, **ASKED[combination])


@pytest.fixture(scope="session")
def in_front(combination: str) -> dict[str, bool]:
    """What a service is run with: what stands in front of its database."""
    return IN_FRONT[combination][1] if combination in IN_FRONT else {}


@pytest.fixture(scope="session")
def service(project: Project, in_front: dict[str, bool]) -> Iterator[Service]:
    """Run the service that most tests share: two web processes, a worker and beat.

    One that may read from a replica does. No write is answered before the replica has it, as tests
    are many readers who see at once what others have written; how old a list may be is in
    `tests/test_replicas.py`.
    """
    replicated = parts_of(project.path)["may_have_replica"]
    with running(project, replicated=replicated, **in_front) as service:
        if replicated:
            service.replica.awaited()
        yield service


@pytest.fixture(scope="session")
def another(service: Service) -> Iterator[tuple[Process, str]]:
    """Run one more web process beside the first, of other settings; give its address."""
    with service.another_web(WEB_CONCURRENCY="1", **OTHERWISE) as found:
        yield found


@pytest.fixture(scope="session")
def development(service: Service) -> Iterator[tuple[Process, str]]:
    """Run one more web process, as in development and without a key; give its address."""
    settings = {"ENVIRONMENT": "development", "SECRET_KEY": None, "WEB_CONCURRENCY": "1"}
    with service.another_web(**settings) as found:
        yield found


@pytest.fixture(scope="session")
def target(combination: str, request: pytest.FixtureRequest) -> Target:
    """Give what a test needs that only talks HTTP."""
    if base_url := request.config.getoption("--base-url", None):
        if path := request.config.getoption("--project", None):
            return Target(base_url, **parts_of(path))
        return Target(base_url, has_feed=get(f"{base_url}{FEED}").status_code != 404)
    return request.getfixturevalue("service")


@pytest.fixture(scope="session")
def base_url(target: Target) -> str:
    return target.base_url


@pytest.fixture(scope="session")
def anonymous(base_url: str) -> Iterator[httpx.Client]:
    with connect(base_url) as client:
        yield client


@pytest.fixture(scope="session")
def pairs(anonymous: httpx.Client) -> list[dict[str, Any]]:
    """Register two users, and give their tokens."""
    return [login(anonymous, register(anonymous)) for _ in range(2)]


@pytest.fixture(scope="module")
def user(base_url: str, pairs: list[dict[str, Any]]) -> Iterator[httpx.Client]:
    with signed_in_again(base_url, pairs[0]) as client:
        yield client


@pytest.fixture(scope="module")
def other_user(base_url: str, pairs: list[dict[str, Any]]) -> Iterator[httpx.Client]:
    with signed_in_again(base_url, pairs[1]) as client:
        yield client


@pytest.fixture(scope="session")
def package(tmp_path_factory: pytest.TempPathFactory) -> ModuleType:
    """Generate a client of the document that the services share."""
    return generate(written(Target("")), tmp_path_factory.mktemp("generated"))


@pytest.fixture(scope="session")
def subject(combination: str) -> Subject:
    """Give what is judged: books, or of a shop its products."""
    return PRODUCT if combination in SHOPS else BOOK


@pytest.fixture(scope="session")
def named(base_url: str, pairs: list[dict[str, Any]]) -> None:
    """Create the row that each event has to name."""
    with signed_in_again(base_url, pairs[0]) as client:
        NAMED[PRODUCT.name] = client.post(PRODUCT.path, json=PRODUCT.body()).json()["id"]


@pytest.fixture
def make(user: httpx.Client, subject: Subject) -> Callable[..., dict[str, Any]]:
    """Give a function that creates a row of `user`."""

    def made(**fields: Any) -> dict[str, Any]:
        response = user.post(subject.path, json=subject.body(**fields))
        assert response.status_code == 201, response.text
        return response.json()

    return made


@pytest.fixture
def make_book(user: httpx.Client) -> Callable[..., dict[str, Any]]:
    """Give a function that creates a book of `user`."""

    def make(**fields: Any) -> dict[str, Any]:
        response = user.post(BOOKS, json=book(**fields))
        assert response.status_code == 201, response.text
        return response.json()

    return make


@pytest.fixture
def with_tasks(target: Target) -> None:
    if not target.has_tasks:
        pytest.skip("generated without tasks")


@pytest.fixture
def with_cache(target: Target) -> None:
    if not target.has_cache:
        pytest.skip("generated without a cache")


@pytest.fixture(scope="session")
def with_feed(target: Target) -> None:
    if not target.has_feed:
        pytest.skip("generated without a live feed")


@pytest.fixture
def writers(service: Service, user: httpx.Client, subject: Subject) -> Iterator[list[Writer]]:
    """Give the user on a connection to each web process."""
    processes = both(service.web, service.base_url)
    with writing(processes, service.base_url, token_of(user), subject) as found:
        yield found


@pytest.fixture
def listeners(
    service: Service, writers: list[Writer], subject: Subject
) -> Iterator[list[Listener]]:
    """Give clients of the feed in each web process, who have heard of nothing yet."""
    connected = partial(listening, service.base_url, subject.feed)
    with in_each(service.web_processes(), connected) as found:
        until_it_crosses(found, writers)
        for listener in found:
            listener.heard.clear()
        yield found
