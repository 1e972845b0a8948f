"""What a browser may load for an answer: its Content-Security-Policy (CSP, level 3)."""

import hashlib
import re
from base64 import b64encode
from functools import cache

# For every answer that is no page: it loads nothing, and no page shows it in a frame.
NOTHING = "default-src 'none'; frame-ancestors 'none'"


@cache
def policy(page: str) -> str:
    """Return the policy of a page of ours: it loads what it names, and runs what it holds.

    `page` is what lies in a file. To one that is made for a request, this would allow whatever
    somebody has got into it.
    """
    scripts = _sources(
        page, r'<script[^>]* src="([^"]+)"', r"<script(?![^>]* src=)[^>]*>(.*?)</script>"
    )
    styles = _sources(page, r'<link rel="stylesheet" href="([^"]+)"', r"<style>(.*?)</style>")
    return (
        f"default-src 'none'; script-src {scripts}; style-src {styles}; img-src data:;"
        " font-src data:; connect-src 'self'; base-uri 'none'; form-action 'none';"
        " frame-ancestors 'none'"
    )


def _sources(page: str, named: str, held: str) -> str:
    addresses = [url if "://" in url else "'self'" for url in re.findall(named, page)]
    texts = re.findall(held, page, re.S)
    digests = [b64encode(hashlib.sha256(text.encode()).digest()).decode() for text in texts]
    return " ".join([*addresses, *(f"'sha256-{digest}'" for digest in digests)])
