"""Entity tags and conditional requests (RFC 9110, sections 8.8.3 and 13)."""

import hashlib

from django.http import HttpResponse
from django.utils.cache import get_conditional_response
from rest_framework.request import Request

from core.problems import PreconditionFailed


def show(request: Request, body: bytes) -> HttpResponse:
    """Return a representation with its entity tag, or 304 to a client who has it."""
    etag = strong(body)
    response = HttpResponse(body, content_type="application/json", headers={"ETag": etag})
    return check(request, etag, response) or response


def check(request: Request, etag: str, response: HttpResponse | None = None) -> HttpResponse | None:
    """Return what the request's conditions make of `response`; raise 412 where one fails."""
    # Nothing here has a time of its last change: RFC 9110, section 13.1.4.
    request.META.pop("HTTP_IF_UNMODIFIED_SINCE", None)
    answer = get_conditional_response(request, etag=etag, response=response)
    if answer is not None and answer.status_code == 412:
        raise PreconditionFailed
    return answer


def strong(body: bytes) -> str:
    """Return the strong entity tag of a representation."""
    return f'"{hashlib.sha256(body).hexdigest()[:32]}"'
