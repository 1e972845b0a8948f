"""The forms of the token endpoints."""

from alike.request import FORM, JSON, ask, form
from contract.client import PASSWORD, REVOKE, TOKEN

LOGIN = f"grant_type=password&username={{owner}}&password={PASSWORD.replace(' ', '+')}"
REFRESH = "grant_type=refresh_token&refresh_token="
GRANTS = {
    "by password": LOGIN,
    "in capitals": LOGIN.replace("{owner}", "OWNER{owner}").replace("OWNER{", "{"),
    "with a scope": f"{LOGIN}&scope=x&client_id=y&client_secret=z",
    "with an unknown parameter": f"{LOGIN}&x=1&x=2&y",
    "with an escape": LOGIN.replace("grant_type", "grant%5Ftype"),
    "by refresh": f"{REFRESH}{{refresh}}",
    "by a refresh token that is used": f"{REFRESH}{{used}}",
    "by an access token": f"{REFRESH}{{access}}",
    "by no token": f"{REFRESH}x",
    "by an empty token": REFRESH,
    "by both": f"{LOGIN}&refresh_token=x",
    "nothing": "",
    "no grant": "username=a&password=b",
    "an empty grant": "grant_type=",
    "an unknown grant": "grant_type=client_credentials",
    "a grant in capitals": LOGIN.replace("=password&", "=Password&"),
    "a grant with a blank": LOGIN.replace("=password&", "=password+&"),
    "a grant twice": f"{LOGIN}&grant_type=password",
    "a user twice": f"{LOGIN}&username=x",
    "an unknown grant with a user twice": "grant_type=x&username=a&username=b",
    "no user": "grant_type=password&password=x",
    "no password": "grant_type=password&username={owner}",
    "no token at all": "grant_type=refresh_token",
    "an empty user": "grant_type=password&username=&password=x",
    "an empty password": "grant_type=password&username={owner}&password=",
    "a wrong password": "grant_type=password&username={owner}&password=wrong",
    "a long password": "grant_type=password&username={owner}&password=" + "x" * 5000,
    "an unknown user": f"grant_type=password&username={{new}}%40example.org&password={'x' * 12}",
    "no address": "grant_type=password&username=x&password=y",
    "a user with a blank": LOGIN.replace("{owner}", "+{owner}"),
    "a semicolon": LOGIN.replace("&", ";"),
    "a NUL": "grant_type=password&username=a%00b&password=x",
    "a NUL in a password": "grant_type=password&username={owner}&password=x%00",
    "a NUL in a token": f"{REFRESH}a%00b",
    "a NUL in a grant": "grant_type=a%00b",
    "no UTF-8": "grant_type=password&username=%FF%FE&password=x",
    "no UTF-8, raw": "grant_type=password&username=\xff&password=x",
    "no UTF-8 in what is unknown": f"{LOGIN}&x=%FF",
    "no UTF-8 in a name": f"{LOGIN}&%FF=x",
    "no UTF-8 in a token": f"{REFRESH}%FF",
    "a surrogate": "grant_type=password&username=%ED%A0%80&password=x",
    "a bad escape": "grant_type=password&username=%&password=%ZZ",
    "only signs": "&&=&",
    "a name alone": "grant_type",
    "many parameters": f"{LOGIN}&" + "&".join(f"x{n}=1" for n in range(1200)),
}
KINDS = [
    *("application/x-www-form-urlencoded; charset=utf-8", "Application/X-WWW-Form-Urlencoded"),
    *("application/x-www-form-urlencoded;charset=latin-1", "text/plain", "application/json"),
    *("application/x-www-form-urlencoded; charset=nonsense", "multipart/form-data", "", ";"),
]
PART = b"--x\r\nContent-Disposition: form-data; name=token\r\n\r\ny\r\n--x--\r\n"

REQUESTS = {
    **{f"grant: {name}": form(TOKEN, body) for name, body in GRANTS.items()},
    **{
        f"grant as {kind!r}": ask("POST", TOKEN, f"Content-Type: {kind}", body=LOGIN.encode())
        for kind in KINDS
    },
    "grant by JSON": ask("POST", TOKEN, body={"grant_type": "password"}),
    "grant of no type": ask("POST", TOKEN, body=LOGIN.encode()),
    "grant of two types": ask("POST", TOKEN, FORM, JSON, body=LOGIN.encode()),
    "grant by the query": ask("POST", f"{TOKEN}?{LOGIN}", FORM),
    "grant with a query": form(f"{TOKEN}?grant_type=x&username=%FF", LOGIN),
    "grant by GET": ask("GET", f"{TOKEN}?{LOGIN}"),
    "grant to who has a bad token": form(TOKEN, LOGIN, who="no JWT"),
    "grant to a client": form(TOKEN, LOGIN, "Authorization: Basic YTpi"),
    "grant in a form of parts": ask(
        "POST", TOKEN, "Content-Type: multipart/form-data; boundary=x", body=PART
    ),
    "grant in a packed form": form(TOKEN, LOGIN, "Content-Encoding: gzip"),
    "grant of 1 MiB": form(TOKEN, f"{LOGIN}&x={'y' * (2**20 - 200)}"),
    "grant of more than 1 MiB": form(TOKEN, f"{LOGIN}&x={'y' * 2**20}"),
    "revoke": form(REVOKE, "token={refresh}"),
    "revoke what is used": form(REVOKE, "token={used}"),
    "revoke an access token": form(REVOKE, "token={access}"),
    "revoke with a hint": form(REVOKE, "token=x&token_type_hint=refresh_token"),
    "revoke with an unknown hint": form(REVOKE, "token=x&token_type_hint=x&y=1"),
    "revoke with a hint twice": form(REVOKE, "token=x&token_type_hint=a&token_type_hint=b"),
    "revoke nothing": form(REVOKE, ""),
    "revoke an empty token": form(REVOKE, "token="),
    "revoke two": form(REVOKE, "token=a&token=b"),
    "revoke the unknown": form(REVOKE, "token=x"),
    "revoke a NUL": form(REVOKE, "token=a%00b"),
    "revoke no UTF-8": form(REVOKE, "token=%FF"),
    "revoke a bad escape": form(REVOKE, "token=%ZZ"),
    "revoke a long one": form(REVOKE, "token=" + "x" * 5000),
    "revoke by JSON": ask("POST", REVOKE, body={"token": "x"}),
    "revoke of no type": ask("POST", REVOKE, body=b"token=x"),
    "revoke by the query": ask("POST", f"{REVOKE}?token=x", FORM),
    "revoke without a body": ask("POST", REVOKE),
    "revoke in parts": ask(
        "POST", REVOKE, "Content-Type: multipart/form-data; boundary=x", body=PART
    ),
    "revoke of more than 1 MiB": form(REVOKE, f"token={'y' * 2**20}"),
}
