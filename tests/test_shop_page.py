"""The page of Tornado's feed where there are resources of the owner's own, in a real browser."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx
import psutil
import pytest
from selenium.webdriver import Chrome

from contract.client import connect, signed_in, token_of
from contract.feed import both, create
from contract.processes import until
from contract.service import Project, Service
from contract.subjects import CATEGORY, PRODUCT, TOLD
from test_page import Page, refuses_scripts

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module", params=["none", "books"])
def service(request: pytest.FixtureRequest) -> Iterator[Service]:
    with TemporaryDirectory(prefix="stackyard-page-") as home:
        answers = {"resources": TOLD, "example": request.param}
        service = Service(Project.generate("tornado-ws", Path(home), **answers))
        try:
            service.start()
            yield service
        finally:
            service.stop()


@pytest.fixture
def page(service: Service, browser: Chrome) -> Page:
    """The page, open and connected."""
    service.restore()
    page = Page(browser, service.base_url)
    page.open()
    until(lambda: page.state == "live", within=20, failing="the page is not live")
    return page


@pytest.fixture
def user(service: Service, page: Page) -> Iterator[httpx.Client]:
    """A user who writes once the page hears of it, which may be a moment after it is live."""
    with signed_in(service.base_url) as client:
        until_it_hears(page, client)
        yield client


def texts(page: Page) -> list[str]:
    """Return the messages that the page shows, the latest first."""
    return page.value("[...document.querySelectorAll('ol li')].map(item => item.textContent)")


def until_it_hears(page: Page, client: httpx.Client) -> None:
    """Make changes until one is shown."""

    def hears() -> bool:
        name = create(client, CATEGORY)["category"]["name"]
        time.sleep(0.5)
        return any(name in text for text in texts(page))

    until(hears, within=30, failing="no change is shown")


def test_every_change_of_every_resource_is_shown(user: httpx.Client, page: Page) -> None:
    """With what the row looks like, and as text, whatever it is; nothing is shown twice."""
    hostile = """<img src="/nothing" onerror="document.title = 'obeyed'">"""
    title = page.value("document.title")
    row = create(user, PRODUCT, name=hostile)["product"]
    path = f"{PRODUCT.path}/{row['id']}"
    assert user.patch(path, json={"name": "Lamp"}).status_code == 200
    assert user.delete(path).status_code == 204
    create(user, CATEGORY, name="The last")
    until(lambda: "The last" in texts(page)[0], within=10, failing="the changes are not shown")
    shown = [text.split()[0] for text in texts(page)]
    assert shown[:4] == [
        "category.created",
        "product.deleted",
        "product.updated",
        "product.created",
    ]
    assert shown.count("product.created") == 1
    assert all(f"id: {row['id']}, " in text for text in texts(page)[1:4])
    assert '"Lamp"' in texts(page)[2]
    assert "onerror" in texts(page)[3]
    assert page.value("document.querySelectorAll('ol img').length") == 0
    assert page.value("document.title") == title
    assert page.browser.get_log("browser") == []


@pytest.mark.parametrize("service", ["books"], indirect=True)
def test_a_book_is_shown_once(user: httpx.Client, page: Page) -> None:
    create(user, title="Kindred")
    page.shows("Kindred")
    create(user, CATEGORY, name="After the book")
    until(lambda: "After the book" in texts(page)[0], within=10, failing="it is not shown")
    assert [text.split()[0] for text in texts(page)].count("book.created") == 1


def test_a_page_whose_process_is_killed_goes_on_in_another(
    service: Service, user: httpx.Client, page: Page
) -> None:
    """The page connects again by itself."""
    killed = service.web_processes()
    for process in killed:
        process.kill()
    psutil.wait_procs(killed, timeout=5)
    both(service.web, service.base_url)
    with connect(service.base_url, token_of(user)) as again:
        until_it_hears(page, again)


def test_the_page_runs_no_script_but_its_own(user: httpx.Client, page: Page) -> None:
    """Its `Content-Security-Policy` lets all of the page work, and nothing that is put into it."""
    assert page.browser.get_log("browser") == []
    refuses_scripts(page)
