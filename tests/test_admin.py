"""The admin site of the Django project in a real browser, which sends the headers that count."""

import re
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx
import pytest
from selenium.webdriver import Chrome
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import WebDriverWait

from contract.client import BOOKS, book, signed_in
from contract.service import Project, Service

pytestmark = pytest.mark.slow

SUPERUSER = {
    "DJANGO_SUPERUSER_EMAIL": "admin@example.org",
    "DJANGO_SUPERUSER_PASSWORD": "correct horse battery",
}


@pytest.fixture(scope="module")
def service() -> Iterator[Service]:
    """Run the project in development, where its admin site needs no TLS."""
    with TemporaryDirectory(prefix="stackyard-admin-") as home:
        project = Project.generate("django-drf", Path(home))
        service = Service(project, ENVIRONMENT="development", **SUPERUSER)
        try:
            service.start()
            service.run(["python", "manage.py", "createsuperuser", "--no-input"])
            yield service
        finally:
            service.stop()


def refuses_scripts(browser: Chrome) -> None:
    """Check that what somebody has got into the open page does not run."""
    browser.execute_script(
        "const script = document.createElement('script');"
        "script.textContent = 'window.broken = true';"
        "document.body.append(script);"
    )
    assert browser.execute_script("return window.broken") is None
    [entry] = browser.get_log("browser")
    assert "Content Security Policy" in entry["message"]


def test_a_superuser_edits_a_book(service: Service, browser: Chrome) -> None:
    """Log in, find a book by its title, change it; the API shows the change at once."""
    with signed_in(service.base_url) as user:
        path = user.post(BOOKS, json=book(title="The Dispossesed")).headers["Location"]
        for _ in range(2):
            assert user.get(path).json()["title"] == "The Dispossesed"
        wait = WebDriverWait(browser, 20)

        def fill(name: str, text: str) -> None:
            field = wait.until(lambda b: b.find_element(By.NAME, name))
            field.clear()
            field.send_keys(text)

        browser.get(f"{service.base_url}/admin/")
        fill("username", SUPERUSER["DJANGO_SUPERUSER_EMAIL"])
        fill("password", SUPERUSER["DJANGO_SUPERUSER_PASSWORD"] + Keys.ENTER)
        wait.until(lambda b: b.find_element(By.LINK_TEXT, "Books")).click()
        fill("q", "dispossesed" + Keys.ENTER)
        wait.until(lambda b: "q=dispossesed" in b.current_url)  # the list before it shows it too
        wait.until(lambda b: b.find_element(By.LINK_TEXT, "The Dispossesed")).click()
        fill("title", "The Dispossessed")
        browser.find_element(By.NAME, "_save").click()
        wait.until(lambda b: b.find_element(By.CSS_SELECTOR, ".messagelist .success"))

        assert user.get(path).json()["title"] == "The Dispossessed"
        # The style sheet has come too: unstyled, the header has no colour.
        header = browser.find_element(By.ID, "header")
        assert header.value_of_css_property("background-color") != "rgba(0, 0, 0, 0)"

        # The scripts run too: the calendar of a date, and the choice of a password that is usable.
        browser.get(f"{service.base_url}/admin/books/book/add/")
        wait.until(lambda b: b.find_element(By.CSS_SELECTOR, ".date-icon")).click()
        wait.until(lambda b: b.find_element(By.CSS_SELECTOR, ".calendarbox .today")).click()
        date = browser.find_element(By.NAME, "publication_date").get_attribute("value")
        assert re.fullmatch(r"\d{4}-\d\d-\d\d", date)
        browser.get(f"{service.base_url}/admin/accounts/user/add/")
        wait.until(lambda b: b.find_element(By.CSS_SELECTOR, "input[value=false]")).click()
        wait.until(lambda b: not b.find_element(By.NAME, "password1").is_displayed())
        browser.get(f"{service.base_url}/admin/accounts/user/?is_staff__exact=1")
        wait.until(lambda b: b.find_element(By.CSS_SELECTOR, ".paginator"))
    # Nothing was refused, and no script failed: of icons and forms Chromium has its own opinion.
    log = browser.get_log("browser")
    assert {entry["source"] for entry in log} <= {"network", "recommendation", "rendering"}, log
    refuses_scripts(browser)


def test_the_docs_are_shown_without_another_host(service: Service, browser: Chrome) -> None:
    """Swagger UI comes from the service itself, and lists the paths of the document."""
    browser.get(f"{service.base_url}/docs")
    wait = WebDriverWait(browser, 20)
    shown = wait.until(lambda b: b.find_element(By.CSS_SELECTOR, '[data-path="/api/v1/books"]'))
    assert shown.is_displayed()
    sources = browser.execute_script(
        "return performance.getEntriesByType('resource').map(entry => entry.name)"
    )
    assert sources
    assert {httpx.URL(source).host for source in sources} == {"127.0.0.1"}
    browser.find_element(By.CSS_SELECTOR, '[data-path="/healthz"]').click()
    wait.until(lambda b: b.find_element(By.CSS_SELECTOR, ".try-out__btn")).click()
    wait.until(lambda b: b.find_element(By.CSS_SELECTOR, ".execute")).click()
    answer = wait.until(lambda b: b.find_element(By.CSS_SELECTOR, ".live-responses-table"))
    assert '"ok"' in answer.text
    assert browser.get_log("browser") == []
    refuses_scripts(browser)
