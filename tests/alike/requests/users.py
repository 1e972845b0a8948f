"""Registrations."""

from typing import Any

from alike.request import FORM, ask
from contract.client import PASSWORD, USERS

USER = {"email": "{new}@example.org", "password": PASSWORD}
GOOD: dict[str, dict[str, Any]] = {
    "plain": {},
    "in capitals": {"email": "{new}.ANN@EXAMPLE.ORG"},
    "with a plus": {"email": "{new}+x@example.org"},
    "of an international domain": {"email": "{new}@bücher.example"},
    "of its A-labels": {"email": "{new}@xn--bcher-kva.example"},
    "of an international name": {"email": "{new}-jörg@example.org"},
    "decomposed": {"email": "{new}-jo\u0308rg@example.org"},
    "of 12 letters": {"password": "x" * 12},
    "of 128 letters": {"password": "é" * 128},
    "of blanks": {"password": " " * 12},
    "of other letters": {"password": "パスワードパスワードパス"},
}
BAD: dict[str, dict[str, Any]] = {
    **{
        f"email: {value!r:.40}": {"email": value}
        for value in (
            *("", "x", "@", "a@", "@example.org", "a b@example.org", "a@b@example.org", " "),
            *(
                "a@example",
                "a@localhost",
                "a@example.invalid",
                "a@test",
                "a@[127.0.0.1]",
                "a@x.test",
            ),
            *(
                "Ann <a@example.org>",
                " {new}@example.org",
                "{new}@example.org ",
                "a@example.org,b@x.org",
            ),
            *(".a@example.org", "a..b@example.org", '"a b"@example.org', "a@-x.org", "a@x..org"),
            *(
                "a\0@example.org",
                "a\n@example.org",
                "\ud800@example.org",
                "x" * 65 + "@example.org",
            ),
            *("a@" + "x" * 64 + ".org", "x@" + "y." * 130 + "org", None, 1, True, [], {}),
        )
    },
    **{
        f"password: {value!r:.40}": {"password": value}
        for value in (
            *("", "x" * 11, "x" * 129, "x" * 100_000, "correct\0horse battery", "\ud800" * 12),
            *(None, 123456789012, True, [], {}, [PASSWORD]),
        )
    },
    "a field more": {"name": "x"},
    "an id": {"id": 1},
    "a right more": {"is_staff": True, "is_superuser": True},
    "all wrong": {"zebra": 1, "password": 1, "email": 1},
}

REQUESTS = {
    **{f"register: {name}": ask("POST", USERS, body=USER | more) for name, more in GOOD.items()},
    **{
        f"register, not valid: {name}": ask("POST", USERS, body=USER | more)
        for name, more in BAD.items()
    },
    **{
        f"register without {field}": ask(
            "POST", USERS, body={k: v for k, v in USER.items() if k != field}
        )
        for field in USER
    },
    "register nothing": ask("POST", USERS, body={}),
    "register what is taken": ask("POST", USERS, body=USER | {"email": "{owner}"}),
    "register what is taken, trimmed": ask("POST", USERS, body=USER | {"email": " {owner}"}),
    "register by a form": ask("POST", USERS, FORM, body=b"email=a%40example.org&password=x"),
    "register by somebody": ask("POST", USERS, body=USER, who="no JWT"),
    "register with a query": ask("POST", f"{USERS}?x=%FF", body=USER),
}
