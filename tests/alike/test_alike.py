"""Nobody can tell the five apart: the same request has the same answer from each."""

from collections.abc import Iterator

import pytest

from contract.service import Service

from .differences import DIFFERENCES
from .five import Five, differing
from .requests import REQUESTS


@pytest.fixture(scope="module")
def sides(five: dict[str, Service]) -> Iterator[Five]:
    addresses = {framework: service.base_url for framework, service in five.items()}
    with Five(addresses) as sides:
        yield sides


@pytest.mark.parametrize("name", REQUESTS)
def test_the_five_answer_alike(sides: Five, name: str) -> None:
    """Status, headers and body are the same, or the difference is in the table, with its reason.

    Headers in any order and their names in any case (RFC 9110, section 5.1); `errors[].message` in
    the words of a library; ids, times, tokens and entity tags are each service's own.
    """
    found = differing(sides.ask(REQUESTS[name]))
    if name in DIFFERENCES:
        assert found, "all answer alike: no longer a difference"
    else:
        assert not found, found


def test_what_differs_is_asked() -> None:
    """The table names no request that there is not."""
    assert DIFFERENCES.keys() - REQUESTS.keys() == set()
