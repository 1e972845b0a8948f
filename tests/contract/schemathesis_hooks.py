"""What schemathesis cannot read in a JSON Schema, done to each request before it is sent."""

import re
from typing import Any

import schemathesis


@schemathesis.hook
def before_call(_context: Any, case: Any, _kwargs: dict[str, Any]) -> None:
    r"""Let conditions hold, give ISBNs their check digit, and forms each parameter once.

    A blank is what Python takes away: the `\s` of ECMA-262, which patterns are written in, knows
    fewer of the control characters.
    """
    if "If-Match" in (case.headers or {}):
        case.headers["If-Match"] = "*"
    if not isinstance(case.body, dict):
        return
    isbn = case.body.get("isbn")
    if isinstance(isbn, str) and re.fullmatch(r"[0-9]{13}", isbn):
        total = sum(int(digit) * (1 + place % 2 * 2) for place, digit in enumerate(isbn[:12]))
        case.body["isbn"] = f"{isbn[:12]}{-total % 10}"
    for name in ("title", "author"):
        text = case.body.get(name)
        if isinstance(text, str) and not text.strip() and re.search("[\x1c-\x1f\x85]", text):
            case.body[name] = f"{text}a"
    if case.media_type == "application/x-www-form-urlencoded":
        # All but text is sent as a parameter given twice, which RFC 6749, section 3.2 forbids.
        for name in [name for name, value in case.body.items() if not isinstance(value, str)]:
            del case.body[name]
