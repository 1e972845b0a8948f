"""The page of the Tornado project in a real browser, open while the catalogue changes."""

import re
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import httpx
import pytest
from selenium.webdriver import Chrome
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from contract.client import BOOKS, connect, signed_in, token_of
from contract.feed import create, writing
from contract.processes import until
from contract.service import Project, Service

pytestmark = pytest.mark.slow

# Each holds the list back until it is released: before the service is asked, or after.
HELD = {
    "request": "window.held = true; await released; return ask(...what);",
    "answer": "const it = await ask(...what); window.held = true; await released; return it;",
}
HOLDING = """
    const ask = window.fetch;
    const released = new Promise(release => { window.release = release; });
    window.fetch = async (...what) => { %s };
"""
REPLAYING = """
    window.WebSocket = class extends WebSocket {
        constructor(url) {
            super(url);
            const changes = [];
            this.addEventListener("message", ({ data }) => {
                if ("book" in JSON.parse(data)) changes.unshift(data);
            });
            window.replay = () => [...changes].forEach(
                data => this.dispatchEvent(new MessageEvent("message", { data })));
        }
    };
"""


class Page:
    """The open page, and what it shows."""

    def __init__(self, browser: Chrome, base_url: str) -> None:
        self.browser = browser
        self._base_url = base_url

    def open(self, before: str = "") -> None:
        """Open the page, once a script has run."""
        script = {"source": before}
        self.browser.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", script)
        self.browser.get(self._base_url)
        self.browser.execute_script("window.stays = true")

    def value(self, expression: str) -> Any:
        return self.browser.execute_script(f"return {expression}")

    @property
    def state(self) -> str:
        return self.value("document.querySelector('[role=status]').textContent")

    @property
    def rows(self) -> list[list[str]]:
        return self.value(
            "[...document.querySelectorAll('tbody tr')]"
            ".map(row => [...row.cells].map(cell => cell.textContent))"
        )

    @property
    def messages(self) -> list[str]:
        """Return the messages, the latest first, without the time at their end."""
        texts = self.value("[...document.querySelectorAll('ol li')].map(item => item.textContent)")
        assert all(re.search(r", \d\d:\d\d:\d\d$", text) for text in texts), texts
        return [text.rpartition(", ")[0] for text in texts]

    def shows(self, *titles: str, within: float = 10) -> None:
        """Wait until the page is live, with these books above all others."""
        until(
            lambda: (
                self.state == "live" and [row[0] for row in self.rows[: len(titles)]] == [*titles]
            ),
            within=within,
            failing=f"{titles} are not on top",
        )

    def logs(self, *messages: str) -> None:
        """Wait until these messages are the latest."""
        until(
            lambda: self.messages[: len(messages)] == [*messages],
            within=20,
            failing=f"{messages} are not shown",
        )

    def filter(self, authors: str) -> None:
        field = self.browser.find_element(By.CSS_SELECTOR, "form input")
        field.clear()
        field.send_keys(authors + Keys.ENTER)


@pytest.fixture(scope="module")
def service() -> Iterator[Service]:
    with TemporaryDirectory(prefix="stackyard-page-") as home:
        service = Service(Project.generate("tornado-ws", Path(home)))
        try:
            service.start()
            yield service
        finally:
            service.stop()


@pytest.fixture(scope="module")
def user(service: Service) -> Iterator[httpx.Client]:
    with signed_in(service.base_url) as client:
        yield client


@pytest.fixture
def page(service: Service, browser: Chrome) -> Iterator[Page]:
    """The page, whose console has to stay empty."""
    service.restore()
    page = Page(browser, service.base_url)
    yield page
    assert page.value("window.stays"), "the page was loaded again"
    assert browser.get_log("browser") == []


def change(user: httpx.Client, made: dict[str, Any], **fields: Any) -> None:
    assert user.patch(f"{BOOKS}/{made['book']['id']}", json=fields).status_code == 200


def delete(user: httpx.Client, made: dict[str, Any]) -> None:
    assert user.delete(f"{BOOKS}/{made['book']['id']}").status_code == 204


def test_changes_made_in_any_process_show_in_the_open_page(
    service: Service, user: httpx.Client, page: Page
) -> None:
    """A book that is created, changed and deleted appears, changes and goes without a reload."""
    create(user, title="The Lathe of Heaven")
    page.open()
    page.shows("The Lathe of Heaven")
    with writing(service.web_processes(), service.base_url, token_of(user)) as writers:
        assert len(writers) == 2
        for writer in writers:
            first = create(writer, title="Dune", author="Frank Herbert")
            second = create(writer, title="Solaris", author="Stanisław Lem")
            page.shows("Solaris", "Dune", "The Lathe of Heaven")
            page.logs("book.created Solaris, Stanisław Lem", "book.created Dune, Frank Herbert")
            assert page.rows[1] == ["Dune", "Frank Herbert", "1974-05-01", ""]

            change(writer, first, title="Dune Messiah", publication_date="1969-10-15")
            page.shows("Solaris", "Dune Messiah", "The Lathe of Heaven")
            page.logs("book.updated Dune Messiah, Frank Herbert")
            assert page.rows[1] == ["Dune Messiah", "Frank Herbert", "1969-10-15", ""]

            delete(writer, second)
            delete(writer, first)
            page.shows("The Lathe of Heaven")
            page.logs(
                "book.deleted Dune Messiah, Frank Herbert", "book.deleted Solaris, Stanisław Lem"
            )


def test_a_change_is_highlighted_for_a_moment(user: httpx.Client, page: Page) -> None:
    """The row has another background, and then the old one again."""
    made = create(user, title="Dune")
    page.open()
    page.shows("Dune")
    background = "getComputedStyle(document.querySelector('tbody tr')).backgroundColor"
    plain = page.value(background)
    change(user, made, title="Dune Messiah")
    page.shows("Dune Messiah")
    assert page.value(background) != plain
    until(lambda: page.value(background) == plain, within=20, failing="the highlight stays")


def test_only_the_newest_books_are_shown(user: httpx.Client, page: Page) -> None:
    """There are 20 rows at most, and a change of an older book adds none."""
    oldest, *_ = [create(user, title=f"Volume {number}") for number in range(20)]
    page.open()
    page.shows("Volume 19")
    newest = create(user, title="Volume 20")
    page.shows("Volume 20", "Volume 19")
    change(user, oldest, title="Volume zero")
    page.logs(f"book.updated Volume zero, {oldest['book']['author']}")
    assert [row[0] for row in page.rows] == [f"Volume {number}" for number in range(20, 0, -1)]
    delete(user, newest)
    page.shows("Volume 19")


def test_hostile_text_stays_text(user: httpx.Client, page: Page) -> None:
    """What the users of the API write is shown as it is, never obeyed."""
    image = """<img src="/nothing" onerror="document.title = 'obeyed'">"""
    script = "</td></tr><script>document.title = 'obeyed'</script>"
    create(user, title=image, author=script)
    page.open()
    page.shows(image)
    create(user, title=script, author=image)
    page.shows(script, image)
    page.logs(f"book.created {script}, {image}")
    assert page.value("document.title") == "Books, live"
    assert page.value("document.querySelectorAll('main :is(img, script)').length") == 0


def test_a_filter_leaves_the_books_of_its_authors(user: httpx.Client, page: Page) -> None:
    """The list and the feed are of the authors in the filter, until there is none in it."""
    lem, other = "Stanisław Lem", "Arkady Strugatsky"
    for author, title in ((lem, "Eden"), (other, "Roadside Picnic"), (lem, "Fiasco")):
        create(user, title=title, author=author)
    create(user, title="Kindred")
    page.open()
    page.shows("Kindred", "Fiasco")

    page.filter(f" {lem.upper()}, {other},")
    page.shows("Fiasco", "Roadside Picnic", "Eden")
    page.logs(f"filter {lem.upper()}, {other}")
    assert page.value("document.querySelector('output').value") == f"{lem.upper()}, {other}"
    create(user, title="Ubik")
    create(user, title="Hard to Be a God", author=other)
    page.shows("Hard to Be a God", "Fiasco")
    page.logs(f"book.created Hard to Be a God, {other}", f"filter {lem.upper()}, {other}")

    page.filter("")
    page.shows("Hard to Be a God", "Ubik", "Kindred")
    page.logs("filter all authors")


def test_an_error_of_the_feed_is_shown(user: httpx.Client, page: Page) -> None:
    """What the service says of a filter that it refuses is shown, and the feed goes on."""
    create(user, title="Kindred")
    page.open()
    page.shows("Kindred")
    page.browser.execute_script(
        r"document.querySelector('form input').value = '\ud800';"
        "document.querySelector('form').requestSubmit()"
    )
    until(lambda: "error" in page.messages[0], within=20, failing="no error is shown")
    said = page.value("document.querySelector('output').value")
    assert page.messages[0] == f"error {said}"
    create(user, title="Wild Seed")
    page.shows("Wild Seed", "Kindred")


@pytest.mark.parametrize("held", HELD)
def test_nothing_is_missed_while_the_list_is_on_its_way(
    user: httpx.Client, page: Page, held: str
) -> None:
    """What changes before or after the list is read, but before it is shown, is shown too."""
    changed = create(user, title="Embassytown")
    create(user, title="Railsea")
    deleted = create(user, title="Kraken")
    page.open(before=HOLDING % HELD[held])
    until(lambda: page.value("window.held"), within=20, failing="the list is not asked for")
    created = create(user, title="Perdido Street Station")
    change(user, created, title="The Scar")
    change(user, changed, title="Iron Council")
    delete(user, deleted)
    until(lambda: len(page.messages) == 5, within=20, failing="the changes do not come")
    assert (page.state, page.rows) == ("connecting", [])
    page.browser.execute_script("window.release()")
    page.shows("The Scar", "Railsea", "Iron Council")


def test_a_message_that_was_overtaken_changes_nothing(user: httpx.Client, page: Page) -> None:
    """Messages that come again, the latest first, show nothing that is not so any more."""
    create(user, title="Railsea")
    page.open(before=REPLAYING)
    page.shows("Railsea")
    made = create(user, title="Perdido Street Station")
    deleted = create(user, title="Kraken")
    page.shows("Kraken", "Perdido Street Station", "Railsea")
    change(user, made, title="The Scar")
    delete(user, deleted)
    page.shows("The Scar", "Railsea")
    page.browser.execute_script("window.replay()")
    assert len(page.messages) == 9
    page.shows("The Scar", "Railsea")


def test_a_page_whose_process_is_killed_goes_on_in_another(
    service: Service, user: httpx.Client, page: Page
) -> None:
    """The page connects again by itself, however its connection ended."""
    create(user, title="Blindsight")
    page.open()
    page.shows("Blindsight")
    for process in service.web_processes():
        process.kill()
    page.logs("filter all authors", "filter all authors")
    with connect(service.base_url, token_of(user)) as again:
        create(again, title="Echopraxia")
        page.shows("Echopraxia", "Blindsight")
    lost = page.browser.get_log("browser")
    assert {entry["source"] for entry in lost} <= {"network"}


def test_a_page_catches_up_after_a_restart(
    service: Service, user: httpx.Client, page: Page
) -> None:
    """What changed while the service was away shows, by the filter as it was; then it is live."""
    author = "Ann Leckie"
    deleted = create(user, title="Provenance", author=author)
    changed = create(user, title="Ancillary Sword", author=author)
    page.open()
    page.shows("Ancillary Sword", "Provenance")
    page.filter(author)
    until(lambda: len(page.rows) == 2, within=20, failing="the filter has no effect")
    service.web.stop()
    until(lambda: page.state == "reconnecting", within=20, failing="the page notices nothing")
    with service.another_web() as (_, base_url), connect(base_url, token_of(user)) as elsewhere:
        change(elsewhere, changed, title="Ancillary Mercy")
        create(elsewhere, title="Translation State", author=author)
        create(elsewhere, title="Kindred")
        delete(elsewhere, deleted)
    assert page.state == "reconnecting"
    assert [row[0] for row in page.rows] == ["Ancillary Sword", "Provenance"]
    service.restore()
    page.shows("Translation State", "Ancillary Mercy", within=40)
    page.logs(f"filter {author}", f"filter {author}")
    assert len(page.rows) == 2
    with connect(service.base_url, token_of(user)) as again:
        create(again, title="The Raven Tower", author=author)
        page.shows("The Raven Tower", "Translation State", "Ancillary Mercy")
    lost = page.browser.get_log("browser")
    assert {entry["source"] for entry in lost} <= {"network"}


def refuses_scripts(page: Page) -> None:
    """Check that what somebody has got into the open page does not run."""
    page.browser.execute_script(
        "const script = document.createElement('script');"
        "script.textContent = 'window.broken = true';"
        "document.body.append(script);"
    )
    assert page.value("window.broken") is None
    [entry] = page.browser.get_log("browser")
    assert "Content Security Policy" in entry["message"]


def test_the_page_runs_no_script_but_its_own(user: httpx.Client, page: Page) -> None:
    """Its `Content-Security-Policy` lets all of the page work, and nothing that is put into it."""
    create(user, title="Blindsight")
    page.open()
    page.shows("Blindsight")
    body = page.browser.find_element(By.TAG_NAME, "body")
    assert body.value_of_css_property("max-width") == "1200px"
    assert page.browser.get_log("browser") == []
    refuses_scripts(page)


@pytest.mark.parametrize(
    ("path", "shown"),
    [("/docs", '[data-path="/api/v1/books"]'), ("/redoc", "[data-section-id], #books")],
)
def test_the_pages_on_the_document_run_no_script_but_their_own(
    service: Service, browser: Chrome, path: str, shown: str
) -> None:
    """They show it with what the service itself has; only ReDoc's logo, elsewhere, is refused."""
    page = Page(browser, f"{service.base_url}{path}")
    page.open()
    until(
        lambda: browser.find_elements(By.CSS_SELECTOR, shown), within=20, failing="nothing is shown"
    )
    for entry in browser.get_log("browser"):
        assert "cdn.redoc.ly" in entry["message"] or entry["level"] == "INFO", entry
    refuses_scripts(page)


def test_a_phone_shows_it_without_scrolling_sideways(user: httpx.Client, page: Page) -> None:
    """Long words wrap, in the table and in the messages."""
    phone = {"width": 360, "height": 740, "deviceScaleFactor": 2, "mobile": True}
    page.browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", phone)
    create(user, title="Blindsight")
    page.open()
    page.shows("Blindsight")
    create(user, title="W" * 200, author="M" * 200)
    page.shows("W" * 200)
    page.logs(f"book.created {'W' * 200}, {'M' * 200}")
    assert page.value("innerWidth") == 360
    assert page.value("document.documentElement.scrollWidth") == 360
