"""Email addresses: one rule for what is stored and what is looked up, whatever the spelling."""

import secrets
from email.header import decode_header, make_header
from email.utils import parseaddr

import httpx
import pytest

from .client import PASSWORD, TOKEN, USERS, connect, invalid_fields, login, oauth_error, problem
from .processes import Process, until
from .service import MAIL_FROM, Service, Target

# The first is as it is stored. `*` is different in each test.
SPELLINGS = {
    "capitals": ["*.ada@example.org", "*.ADA@Example.ORG"],
    "a domain beyond ASCII": [
        "*@xn--mnchen-3ya.example",
        "*@münchen.example",
        "*@mu\N{COMBINING DIAERESIS}nchen.example",
        "*@MÜNCHEN.example",
        "*@XN--MNCHEN-3YA.Example",
        "*@\N{FULLWIDTH LATIN SMALL LETTER M}ünchen\N{IDEOGRAPHIC FULL STOP}example",
    ],
    "a local part beyond ASCII": [
        "*.zoé@example.org",
        "*.zoe\N{COMBINING ACUTE ACCENT}@example.org",
        "*.ZOÉ@example.org",
    ],
    "a sharp s": ["*.ß@xn--strae-oqa.example", "*.ẞ@STRAẞE.example", "*.ß@straße.example"],
    "two letters s": ["*.ss@strasse.example", "*.SS@STRASSE.example"],
    "a dotted I": ["*.i\N{COMBINING DOT ABOVE}@example.org", "*.İ@example.org"],
    "Greek": ["*.οδος@xn--jxalpdlp.example", "*.ΟΔΟΣ@δοκιμή.example"],
    "a full-width local part": ["*.\N{FULLWIDTH LATIN SMALL LETTER A}@example.org"],
    "signs": ["*.o'neil+a=b/c&{d}~!#$%^?`|_@example.org"],
    "64 characters": ["*" + "a" * 48 + "@" + "b" * 63 + ".example"],
}

REFUSED = [
    " *@example.org",
    "*@example.org ",
    "*@example.org\n",
    "\t*@example.org",
    "*\N{NO-BREAK SPACE}@example.org",
    "*@example.org\N{ZERO WIDTH SPACE}",
    "*\0@example.org",
    "Ada <*@example.org>",
    "<*@example.org>",
    '"*"@example.org',
    '"* b"@example.org',
    "*(comment)@example.org",
    "*@(comment)example.org",
    "mailto:*@example.org",
    "*@example.org,b@example.org",
    "*@[127.0.0.1]",
    "*@[IPv6:::1]",
    "*@127.0.0.1",
    "*\N{FULLWIDTH COMMERCIAL AT}example.org",
    "*@example.org.",
    "*@.example.org",
    "*@example..org",
    "*@-example.org",
    "*@exam_ple.org",
    "*@xn--a.example",
    "*@ab--cd.example",
    ".*@example.org",
    "*.@example.org",
    "*..b@example.org",
    "*" + "a" * 49 + "@example.org",
    "*@" + "b" * 64 + ".example",
    "*@" + "b." * 120 + "example",
    "*@" + "ü" * 60 + ".example",
    "*@1.אב.com",
    "*@example",
    "*@localhost",
    "*@shop.localhost",
    "*@shop.local",
    "*@shop.test",
    "*@shop.invalid",
]


def unique(address: str) -> str:
    """Fill in what is different in each test: 16 characters."""
    return address.replace("*", secrets.token_hex(8))


@pytest.mark.parametrize("kind", SPELLINGS)
def test_spellings_of_one_address_are_one_account(anonymous: httpx.Client, kind: str) -> None:
    """An address is stored in NFC, its domain in A-labels (RFC 5890), all in lower case.

    Whichever spelling it was registered with, each signs in, and each is taken.
    """
    spellings = unique("\n".join(SPELLINGS[kind])).split("\n")
    response = anonymous.post(USERS, json={"email": spellings[-1], "password": PASSWORD})
    assert response.status_code == 201, response.text
    assert response.json()["email"] == spellings[0]
    for spelling in spellings:
        login(anonymous, {"username": spelling, "password": PASSWORD})
        taken = {"email": spelling, "password": PASSWORD}
        problem(anonymous.post(USERS, json=taken), 409)


@pytest.mark.usefixtures("service")  # which is known to be in production
@pytest.mark.parametrize("address", REFUSED, ids=lambda address: ascii(address)[:40])
def test_what_mail_would_not_reach_is_refused(anonymous: httpx.Client, address: str) -> None:
    """No blanks, names, quotes or comments, no host by its number, no domain for special use.

    The local part has at most 64 characters, a label 63, all of it 254 (RFC 5321, RFC 1035).
    """
    response = anonymous.post(USERS, json={"email": unique(address), "password": PASSWORD})
    assert invalid_fields(response) == {"body.email"}


@pytest.mark.parametrize("domain", ["localhost", "shop.local", "shop.test", "shop.invalid"])
def test_domains_for_special_use_are_for_development(
    development: tuple[Process, str], domain: str
) -> None:
    """Domains for special use (RFC 6761, 6762) are refused in production alone."""
    _, base_url = development
    address = unique(f"*@{domain}")
    with connect(base_url) as client:
        response = client.post(USERS, json={"email": address, "password": PASSWORD})
        assert response.status_code == 201, response.text
        login(client, {"username": address, "password": PASSWORD})


def test_an_account_of_before_the_rule_signs_in(anonymous: httpx.Client, service: Service) -> None:
    """An address that would be refused now is looked up all the same."""
    address, old = unique("*@example.org"), unique("*@shop.local")
    anonymous.post(USERS, json={"email": address, "password": PASSWORD})
    service.database.store_email(old, of=address)
    login(anonymous, {"username": old.upper(), "password": PASSWORD})


def test_attempts_count_for_an_account_however_it_is_spelt(
    service: Service, target: Target
) -> None:
    """Whoever guesses has no further attempts for each spelling."""
    if not (target.has_cache or target.has_feed):
        pytest.skip("generated without what counts attempts")
    spellings = unique("\n".join(SPELLINGS["a domain beyond ASCII"][:3])).split("\n")
    with (
        service.another_web(LOGIN_ATTEMPTS="2", WEB_CONCURRENCY="1") as (_, base_url),
        connect(base_url) as client,
    ):
        *failed, last = [
            client.post(TOKEN, data={"grant_type": "password", "username": s, "password": "x"})
            for s in spellings
        ]
    for answer in failed:
        oauth_error(answer, "invalid_grant")
    problem(last, 429)


@pytest.mark.usefixtures("with_tasks")
def test_mail_reaches_a_domain_beyond_ascii(anonymous: httpx.Client, service: Service) -> None:
    """The server knows no SMTPUTF8 (RFC 6531), nor do most: it is given A-labels.

    The sender has a name, beyond ASCII too.
    """
    name = secrets.token_hex(8)
    body = {"email": f"{name}@bücher.example", "password": PASSWORD}
    assert anonymous.post(USERS, json=body).status_code == 201
    address = f"{name}@xn--bcher-kva.example"
    until(lambda: service.mailbox.to(address), within=30, failing="no welcome mail")
    [message] = service.mailbox.to(address)
    assert message["From"].isascii()
    sender = parseaddr(str(make_header(decode_header(message["From"]))))
    assert sender == (parseaddr(MAIL_FROM)[0], "library@xn--bcher-kva.example")


@pytest.mark.usefixtures("with_tasks")
def test_mail_to_a_name_beyond_ascii_is_lost_and_told(
    anonymous: httpx.Client, service: Service
) -> None:
    """What needs SMTPUTF8 where there is none costs the mail, with a log line, and nothing else."""
    assert service.worker
    before = len(service.worker.events())
    body = {"email": unique("*.zoé@example.org"), "password": PASSWORD}
    assert anonymous.post(USERS, json=body).status_code == 201

    def told() -> list[str]:
        assert service.worker
        events = [event["event"] for event in service.worker.events()[before:]]
        return [event for event in events if event.startswith("mail not sent")]

    until(told, within=15, failing="the log says nothing")
