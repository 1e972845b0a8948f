"""The admin site: who gets in, what is found there, and how it shows in the API."""

import re
from collections.abc import Callable
from datetime import date
from typing import Any
from urllib.parse import urljoin

import pytest
from django.contrib.auth.models import Permission
from django.core.management import CommandError, call_command
from django.test import Client
from pytest_django import DjangoCaptureOnCommitCallbacks, Settings
from rest_framework.test import APIClient

from accounts.models import User
from books.models import Book
from tests.factories import ISBN, PASSWORD, as_form, new_book

API = "/api/v1"
LOGIN = "/admin/login/"
BOOKS = "/admin/books/book/"
USERS = "/admin/accounts/user/"

Submit = Callable[[str, dict[str, Any]], None]


@pytest.fixture
def submit(
    admin_client: Client, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> Submit:
    """Give a function that sends a form, which is accepted, and does what waits for the commit."""

    def submit(path: str, fields: dict[str, Any]) -> None:
        with django_capture_on_commit_callbacks(execute=True):
            assert admin_client.post(path, fields).status_code == 302

    return submit


class TestEntry:
    @pytest.fixture
    def browser(self, db: None) -> Client:
        """Give a client of which it is checked, as of browsers, where its forms come from."""
        return Client(enforce_csrf_checks=True)

    def log_in(self, browser: Client, email: str) -> Any:
        page = browser.get(LOGIN).text
        (token,) = re.findall(r'name="csrfmiddlewaretoken" value="(\w+)"', page)
        fields = {"csrfmiddlewaretoken": token, "username": email, "password": PASSWORD}
        return browser.post(f"{LOGIN}?next=/admin/", fields)

    def test_a_superuser_made_on_the_command_line_gets_in(
        self, browser: Client, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("DJANGO_SUPERUSER_EMAIL", "Admin@Example.ORG")
        monkeypatch.setenv("DJANGO_SUPERUSER_PASSWORD", PASSWORD)
        call_command("createsuperuser", interactive=False, verbosity=0)

        response = self.log_in(browser, "admin@example.org")

        assert (response.status_code, response.headers["Location"]) == (302, "/admin/")
        assert browser.get("/admin/").status_code == 200

    def test_a_superuser_is_refused_an_address_that_is_none(
        self, db: None, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("DJANGO_SUPERUSER_PASSWORD", PASSWORD)

        with pytest.raises(CommandError, match="bracket"):
            call_command("createsuperuser", email="Ada <ada@example.org", interactive=False)

    @pytest.mark.parametrize("email", ["Ada@BÜCHER.example", "ª@example.org"])
    def test_any_spelling_of_an_address_gets_in(self, browser: Client, email: str) -> None:
        User.objects.create_superuser(email, PASSWORD)

        assert self.log_in(browser, email).headers["Location"] == "/admin/"

    def test_a_plain_user_gets_no_entry(self, browser: Client, user: User) -> None:
        response = self.log_in(browser, user.email)

        assert response.status_code == 200
        assert browser.get("/admin/").status_code == 302

    def test_a_form_from_elsewhere_is_refused(self, browser: Client, admin_user: User) -> None:
        fields = {"username": admin_user.email, "password": PASSWORD}

        assert browser.post(LOGIN, fields).status_code == 403

    def test_staff_sees_what_it_is_permitted_to_see(self, browser: Client, user: User) -> None:
        user.is_staff = True
        user.save()
        user.user_permissions.add(Permission.objects.get(codename="view_book"))
        browser.force_login(user)

        assert browser.get(BOOKS).status_code == 200
        assert browser.get(USERS).status_code == 403

    def test_an_access_token_is_no_login(
        self, browser: Client, auth_headers: dict[str, str]
    ) -> None:
        assert browser.get("/admin/", headers=auth_headers).status_code == 302

    def test_a_login_is_no_access_token(self, client: APIClient, admin_user: User) -> None:
        client.force_login(admin_user)

        assert client.get(f"{API}/users/me").status_code == 401


class TestPages:
    @pytest.mark.django_db
    def test_its_forms_tell_its_own_server_where_they_come_from(self) -> None:
        headers = Client().get(LOGIN).headers

        assert headers["Referrer-Policy"] == "same-origin"  # the check of CSRF asks for it
        assert headers["X-Frame-Options"] == "DENY"

    @pytest.mark.django_db
    def test_other_sites_may_not_read_them(self) -> None:
        headers = Client().get(LOGIN, headers={"Origin": "https://shop.example"}).headers

        assert "Access-Control-Allow-Origin" not in headers
        assert headers["Vary"] == "Cookie"

    @pytest.mark.parametrize("path", ["/admin/", BOOKS, f"{BOOKS}add/", USERS, f"{USERS}add/"])
    def test_they_hold_no_script_that_their_policy_would_have_to_allow(
        self, admin_client: Client, book: Book, path: str
    ) -> None:
        response = admin_client.get(path)

        policy = response.headers["Content-Security-Policy"].split("; ")
        assert {"default-src 'none'", "script-src 'self'", "style-src 'self'"} <= set(policy)
        inline = r"<script(?![^>]* src=)(?![^>]*json)|<style| (style|on\w+)="
        assert not re.search(inline, response.text)

    @pytest.mark.parametrize("path", [LOGIN, "/docs", "/redoc"])
    @pytest.mark.django_db
    def test_what_a_page_loads_is_served(self, path: str) -> None:
        client = Client()
        files = re.findall(r'(?:href|src)="([^"]+\.(?:css|js))"', client.get(path).text)

        responses = [client.get(urljoin(path, file)) for file in files]

        assert {response.status_code for response in responses} == {200}
        for response in responses:
            assert response.headers["Content-Security-Policy"].startswith("default-src 'none'")
        for response in responses:
            response.close()

    def test_browsers_come_by_tls_and_the_proxys_requests_in_plain(
        self, settings: Settings
    ) -> None:
        settings.SECURE_SSL_REDIRECT = True  # as in production
        client = Client()

        assert client.get(LOGIN).headers["Location"] == f"https://testserver{LOGIN}"
        assert client.get("/healthz").status_code == 200


class TestSearch:
    @pytest.fixture(autouse=True)
    def _catalogue(self, user: User) -> None:
        new_book(user, title="Emma", author="Jane Austen", publication_date=date(1815, 12, 23))
        new_book(user, title="Ubik", author="Philip K. Dick", isbn=ISBN)

    @pytest.mark.parametrize(
        ("parameters", "found"),
        [
            ({}, {"Emma", "Ubik"}),
            ({"q": "emma"}, {"Emma"}),
            ({"q": "austen"}, {"Emma"}),
            ({"q": ISBN}, {"Ubik"}),
            ({"q": "austen dick"}, set()),
            ({"publication_date__year": "1815"}, {"Emma"}),
            ({"created_at__gte": "2100-01-01 00:00:00+00:00"}, set()),
        ],
    )
    def test_books_are_searched_and_filtered(
        self, admin_client: Client, parameters: dict[str, str], found: set[str]
    ) -> None:
        page = admin_client.get(BOOKS, parameters).context

        assert {book.title for book in page["cl"].result_list} == found

    @pytest.mark.parametrize(
        ("parameters", "found"),
        [
            ({}, {"admin@example.org", "reader@example.org"}),
            ({"q": "READER"}, {"reader@example.org"}),
            ({"is_staff__exact": "1"}, {"admin@example.org"}),
        ],
    )
    def test_users_are_searched_and_filtered(
        self, admin_client: Client, parameters: dict[str, str], found: set[str]
    ) -> None:
        page = admin_client.get(USERS, parameters).context

        assert {user.email for user in page["cl"].result_list} == found


class TestBooks:
    @pytest.fixture
    def fields(self, book: Book) -> dict[str, Any]:
        """Give what the form of the book is sent with."""
        return {
            "title": book.title,
            "author": book.author,
            "publication_date": book.publication_date,
            "isbn": "",
            "creator": book.creator_id,
        }

    def test_an_edited_book_is_shown_at_once(
        self, client: APIClient, submit: Submit, book: Book, fields: dict[str, Any]
    ) -> None:
        before = client.get(f"{API}/books/{book.id}").json()

        submit(f"{BOOKS}{book.id}/change/", {**fields, "title": "New"})

        after = client.get(f"{API}/books/{book.id}").json()
        assert {name for name in after if after[name] != before[name]} == {"title", "updated_at"}
        assert client.get(f"{API}/books").json()["items"] == [after]

    def test_a_deleted_book_is_gone_at_once(
        self, client: APIClient, submit: Submit, book: Book
    ) -> None:
        client.get(f"{API}/books/{book.id}")

        submit(BOOKS, {"action": "delete_selected", "_selected_action": book.id, "post": "yes"})

        assert client.get(f"{API}/books/{book.id}").status_code == 404

    def test_many_books_may_have_no_isbn(self, submit: Submit, fields: dict[str, Any]) -> None:
        submit(f"{BOOKS}add/", fields)

        assert Book.objects.filter(isbn=None).count() == 2

    @pytest.mark.parametrize("isbn", ["9780441478126", "978-0441478125", "٩780441478125"])
    def test_a_bad_isbn_is_refused(
        self, admin_client: Client, fields: dict[str, Any], isbn: str
    ) -> None:
        response = admin_client.post(f"{BOOKS}add/", {**fields, "isbn": isbn})

        assert set(response.context["adminform"].errors) == {"isbn"}


class TestUsers:
    def test_an_added_user_can_get_a_token(self, client: APIClient, submit: Submit) -> None:
        passwords = {"usable_password": "true", "password1": PASSWORD, "password2": PASSWORD}
        submit(f"{USERS}add/", {"email": "New@Example.ORG", **passwords})

        form = {"grant_type": "password", "username": "new@example.org", "password": PASSWORD}
        assert client.post(f"{API}/auth/token", **as_form(form)).status_code == 200

    def test_a_short_password_is_refused(self, admin_client: Client) -> None:
        passwords = {"usable_password": "true", "password1": "x" * 11, "password2": "x" * 11}

        response = admin_client.post(f"{USERS}add/", {"email": "new@example.org", **passwords})

        assert set(response.context["adminform"].errors) == {"password2"}

    def test_a_deactivated_user_is_turned_away_at_once(
        self, client: APIClient, submit: Submit, user: User, auth_headers: dict[str, str]
    ) -> None:
        assert client.get(f"{API}/users/me", headers=auth_headers).status_code == 200

        submit(f"{USERS}{user.id}/change/", {"email": user.email})  # `is_active` is not checked

        assert client.get(f"{API}/users/me", headers=auth_headers).status_code == 401

    def test_a_changed_password_ends_every_login(
        self, client: APIClient, submit: Submit, user: User
    ) -> None:
        form = {"grant_type": "password", "username": user.email, "password": PASSWORD}
        pair = client.post(f"{API}/auth/token", **as_form(form)).json()
        passwords = {"usable_password": "true", "password1": "x" * 12, "password2": "x" * 12}

        submit(f"{USERS}{user.id}/password/", passwords)

        form = {"grant_type": "refresh_token", "refresh_token": pair["refresh_token"]}
        assert client.post(f"{API}/auth/token", **as_form(form)).status_code == 400

    def test_the_creator_of_a_book_cannot_be_deleted(
        self, admin_client: Client, book: Book
    ) -> None:
        admin_client.post(f"{USERS}{book.creator_id}/delete/", {"post": "yes"})

        assert User.objects.filter(pk=book.creator_id).exists()
