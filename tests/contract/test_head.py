"""HEAD: as GET, without the body (RFC 9110, section 9.3.2)."""

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from .client import BOOKS, ME, USERS
from .test_operations import BOOK_ROUTE, total

Make = Callable[..., dict[str, Any]]

PATHS = {
    "/healthz": 200,
    "/readyz": 200,
    "/metrics": 200,
    "/openapi.json": 200,
    "/docs": 200,
    "/docs/swagger-ui.css": 200,
    "/redoc": 200,
    BOOKS: 200,
    f"{BOOKS}?page_size=1&page=2": 200,
    f"{BOOKS}?page=none": 422,
    f"{BOOKS}/{{id}}": 200,
    f"{BOOKS}/999999999": 404,
    ME: 200,
    USERS: 405,
    "/nowhere": 404,
}


@pytest.mark.smoke
@pytest.mark.parametrize("path", PATHS)
def test_head_is_get_without_the_body(user: httpx.Client, make_book: Make, path: str) -> None:
    """It has the status and the headers that GET would have, the length too."""
    url = path.format(**make_book())
    headers = {"X-Request-ID": "mine"}
    user.get(url)  # from now on out of the cache, if there is one
    get, head = user.get(url, headers=headers), user.head(url, headers=headers)
    assert (get.status_code, head.status_code) == (PATHS[path], PATHS[path])
    assert head.content == b""
    for answer in (get, head):
        answer.headers.pop("Date", None)
        if path == "/metrics":  # which each request makes longer
            assert int(answer.headers.pop("Content-Length")) > 0
    assert {**head.headers} == {**get.headers}


def test_a_head_that_matches_is_not_modified(user: httpx.Client, make_book: Make) -> None:
    """`If-None-Match` is 304, with the `ETag`."""
    path = f"{BOOKS}/{make_book()['id']}"
    tag = user.head(path).headers["ETag"]
    response = user.head(path, headers={"If-None-Match": tag})
    assert (response.status_code, response.headers["ETag"]) == (304, tag)


def test_a_head_counts_as_one(user: httpx.Client, make_book: Make) -> None:
    """In the metrics its method is HEAD, and its route the pattern."""
    labels = {"method": "HEAD", "route": BOOK_ROUTE, "status": "200"}
    before = total(user, **labels)
    assert user.head(f"{BOOKS}/{make_book()['id']}").status_code == 200
    assert total(user, **labels) == before + 1
