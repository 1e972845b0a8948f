"""Users: registration, the account itself, and the welcome mail."""

import secrets
from email.utils import parseaddr
from functools import partial

import httpx
import pytest

from .client import (
    ME,
    PASSWORD,
    USERS,
    at_once,
    bearer,
    eight,
    invalid_fields,
    login,
    problem,
    register,
    utc,
)
from .processes import until
from .service import Service
from .smoke import some


def address() -> str:
    return f"{secrets.token_hex(8)}@example.org"


@pytest.mark.smoke
def test_registration_answers_with_the_account(anonymous: httpx.Client) -> None:
    """`POST /api/v1/users` is 201 `{"id", "email", "created_at"}`, and never the password."""
    email = address()
    response = anonymous.post(USERS, json={"email": email, "password": PASSWORD})
    assert response.status_code == 201
    account = response.json()
    assert {*account} == {"id", "email", "created_at"}
    assert account["email"] == email
    utc(account["created_at"])


def test_an_email_is_stored_in_lower_case(anonymous: httpx.Client) -> None:
    """The email is stored lower-cased."""
    email = address()
    response = anonymous.post(USERS, json={"email": email.upper(), "password": PASSWORD})
    assert response.json()["email"] == email


def test_any_spelling_of_an_email_signs_in(anonymous: httpx.Client) -> None:
    """An address is the same in capitals: lower-casing it never locks its owner out."""
    email = f"Ada.{secrets.token_hex(8)}@Example.org"
    register(anonymous, email=email)
    for spelling in (email, email.lower(), email.upper()):
        login(anonymous, {"username": spelling, "password": PASSWORD})


@pytest.mark.parametrize("spell", some([str, str.upper], str.upper), ids=["same", "capitals"])
def test_a_taken_email_is_a_conflict(anonymous: httpx.Client, spell: type[str]) -> None:
    """A taken email is 409, however it is spelt."""
    email = address()
    register(anonymous, email=email)
    problem(anonymous.post(USERS, json={"email": spell(email), "password": PASSWORD}), 409)


def test_of_eight_registrations_of_one_email_one_wins(base_url: str) -> None:
    """An email taken at the same moment is 409 as well, never a second account or a 500."""
    body = {"email": address(), "password": PASSWORD}
    with eight(base_url) as clients:
        answers = at_once([partial(client.post, USERS, json=body) for client in clients])
    assert sorted(answer.status_code for answer in answers) == [201, *[409] * 7]


@pytest.mark.parametrize(
    "password",
    ["x" * 12, "x" * 128, "\N{BOOKS}" * 12, "\N{BOOKS}" * 128],
    ids=["12", "128", "12 of four bytes", "128 of four bytes"],
)
def test_a_password_has_12_to_128_characters(anonymous: httpx.Client, password: str) -> None:
    """A password of 12 to 128 characters, not bytes, is accepted, and signs in."""
    login(anonymous, register(anonymous, password=password))


@pytest.mark.parametrize(
    "password",
    some(["", "x" * 11, "x" * 129, "\N{BOOKS}" * 11, "\N{BOOKS}" * 129], "x" * 11),
    ids=["empty", "11", "129", "11 of four bytes", "129 of four bytes"],
)
def test_a_password_of_another_length_is_refused(anonymous: httpx.Client, password: str) -> None:
    """A password shorter than 12 or longer than 128 characters is 422."""
    response = anonymous.post(USERS, json={"email": address(), "password": password})
    assert invalid_fields(response) == {"body.password"}


def test_a_refused_password_is_not_told_again(anonymous: httpx.Client) -> None:
    """The answer to a refused registration does not repeat the password."""
    password = secrets.token_hex(80)
    response = anonymous.post(USERS, json={"email": address(), "password": password})
    assert response.status_code == 422
    assert password not in response.text


@pytest.mark.parametrize(
    "email",
    ["", "nobody", "nobody@", "@example.org", "no body@example.org", "a@b@example.org", 7, None],
)
def test_what_is_no_email_is_refused(anonymous: httpx.Client, email: object) -> None:
    """An `email` that is no address is 422."""
    response = anonymous.post(USERS, json={"email": email, "password": PASSWORD})
    assert invalid_fields(response) == {"body.email"}


@pytest.mark.parametrize("field", ["email", "password"])
def test_both_fields_are_required(anonymous: httpx.Client, field: str) -> None:
    """A registration without an email or a password is 422."""
    body = {"email": address(), "password": PASSWORD}
    del body[field]
    assert invalid_fields(anonymous.post(USERS, json=body)) == {f"body.{field}"}


def test_unknown_fields_are_refused(anonymous: httpx.Client) -> None:
    """An unknown field in a registration is 422: nobody makes themselves an admin."""
    body = {"email": address(), "password": PASSWORD, "is_admin": True}
    assert invalid_fields(anonymous.post(USERS, json=body)) == {"body.is_admin"}


@pytest.mark.smoke
def test_me_is_the_account_of_the_token(anonymous: httpx.Client) -> None:
    """`GET /api/v1/users/me` is 200, the same shape as the registration's answer."""
    body = {"email": address(), "password": PASSWORD}
    account = anonymous.post(USERS, json=body).json()
    token = login(anonymous, {"username": body["email"], "password": PASSWORD})["access_token"]
    response = anonymous.get(ME, headers=bearer(token))
    assert response.status_code == 200
    assert response.json() == account


def test_me_needs_a_token(anonymous: httpx.Client) -> None:
    """`GET /api/v1/users/me` without a token is 401 with `WWW-Authenticate: Bearer`."""
    response = anonymous.get(ME)
    problem(response, 401)
    assert response.headers["WWW-Authenticate"].startswith("Bearer")


HASH = "$argon2id$v=19$m=65536,t=3,p=4$"


def test_passwords_are_hashed_with_argon2id(anonymous: httpx.Client, service: Service) -> None:
    """Passwords are hashed with Argon2id, with the parameters of RFC 9106 for little memory.

    As they were sent they are nowhere in the database.
    """
    credentials = register(anonymous, password=secrets.token_hex(20))
    rows = [row for row in service.rows() if credentials["username"] in row]
    assert any(HASH in row for row in rows)
    assert not any(credentials["password"] in row for row in service.rows())


@pytest.mark.usefixtures("with_tasks")
def test_a_new_user_gets_one_welcome_mail(anonymous: httpx.Client, service: Service) -> None:
    """Registration sends one welcome mail, to the address and from that of `MAIL_FROM`."""
    email = address()
    register(anonymous, email=email)
    until(lambda: service.mailbox.to(email), within=30, failing="no welcome mail")
    [message] = service.mailbox.to(email)
    assert parseaddr(message["From"])[1] == "library@xn--bcher-kva.example"
    assert message["Subject"]
    assert PASSWORD not in message.as_string()


@pytest.mark.usefixtures("with_tasks")
def test_a_refused_registration_sends_no_mail(anonymous: httpx.Client, service: Service) -> None:
    """Who is registered already gets no second welcome."""
    email, later = address(), address()
    register(anonymous, email=email)
    anonymous.post(USERS, json={"email": email, "password": PASSWORD})
    register(anonymous, email=later)
    until(
        lambda: service.mailbox.to(email) and service.mailbox.to(later),
        within=15,
        failing="no welcome mail",
    )
    assert len(service.mailbox.to(email)) == 1
