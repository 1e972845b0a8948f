"""What schemathesis cannot read in a JSON Schema, done to each request before it is sent."""

import re
from typing import Any

import schemathesis


@schemathesis.hook
def before_call(_context: Any, case: Any, _kwargs: dict[str, Any]) -> None:
    """Let conditions hold, give ISBNs their check digit, and forms each parameter once."""
    if "If-Match" in (case.headers or {}):
        case.headers["If-Match"] = "*"
    if not isinstance(case.body, dict):
        return
    isbn = case.body.get("isbn")
    if isinstance(isbn, str) and re.fullmatch(r"[0-9]{13}", isbn):
        total = sum(int(digit) * (1 + place % 2 * 2) for place, digit in enumerate(isbn[:12]))
        case.body["isbn"] = f"{isbn[:12]}{-total % 10}"
    if case.media_type == "application/x-www-form-urlencoded":
        # All but text is sent as a parameter given twice, which RFC 6749, section 3.2 forbids.
        for name in [name for name, value in case.body.items() if not isinstance(value, str)]:
            del case.body[name]
