"""Entity tags and conditional requests (RFC 9110, sections 8.8.3 and 13.1)."""

import hashlib
import re

_TAG = re.compile(r'(W/)?("[\x21\x23-\x7e\x80-\xff]*")')
_LIST = re.compile(rf"([ \t]*+({_TAG.pattern})?+[ \t]*+(,|\Z))++")


def strong(body: bytes) -> str:
    """Return the strong entity tag of a representation."""
    return f'"{hashlib.sha256(body).hexdigest()[:32]}"'


def matches(header: str, etag: str, *, weak: bool = False) -> bool:
    """Tell whether `If-Match`, or `If-None-Match` with `weak` comparison, names the tag.

    A header that cannot be parsed names none.
    """
    if header.strip() == "*":
        return True
    if not _LIST.fullmatch(header):
        return False
    return any(tag == etag and (weak or not prefix) for prefix, tag in _TAG.findall(header))
