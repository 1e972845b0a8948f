"""Who may: every way to be nobody."""

from alike.request import ask
from contract.client import BOOKS, ME, REPORTS

from .books import BOOK, ONE

BAD = [
    *("nobody", "an empty header", "a scheme alone", "another scheme", "no JWT", "a bad signature"),
    *("three parts of nothing", "no algorithm", "two tokens", "Latin-1", "a long one"),
]
FINE = ["owner", "a blank more", "small letters"]

REQUESTS = {
    **{f"oneself by {who}": ask("GET", ME, who=who) for who in BAD + FINE},
    **{f"create by {who}": ask("POST", BOOKS, body=BOOK, who=who) for who in BAD + FINE},
    **{f"delete by {who}": ask("DELETE", ONE, who=who) for who in BAD[:6] + FINE},
    **{f"a report by {who}": ask("POST", REPORTS, who=who) for who in BAD[:6]},
    "a refresh token": ask("GET", ME, "Authorization: Bearer {refresh}"),
    "two headers": ask("GET", ME, *["Authorization: Bearer {access}"] * 2),
    "a token and none": ask("GET", ME, "Authorization: Bearer {access}", "Authorization: Basic x"),
    "a token in the query": ask("GET", f"{ME}?access_token={{access}}"),
    "a token in a cookie": ask("GET", ME, "Cookie: access_token={access}; sessionid=x"),
    "a token with a comma": ask("GET", ME, "Authorization: Bearer {access},"),
    "a token with a parameter": ask("GET", ME, "Authorization: Bearer {access} x"),
    "a token with a tab": ask("GET", ME, "Authorization: Bearer\t{access}"),
    "a token in quotes": ask("GET", ME, 'Authorization: Bearer "{access}"'),
    "a token that is padded": ask("GET", ME, "Authorization: Bearer {access}="),
    "a token of a proxy": ask("GET", ME, "Proxy-Authorization: Bearer {access}"),
}
