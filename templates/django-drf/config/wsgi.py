"""What a WSGI server runs."""

import os
from collections.abc import Iterable
from io import BytesIO
from typing import TYPE_CHECKING

from django.conf import settings
from django.core.wsgi import get_wsgi_application

from core.postgresql.base import POOL

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment


class ChunkedBodies:
    """Gives bodies that come in chunks a length: Django reads as much as `Content-Length` says."""

    def __init__(self, application: "WSGIApplication") -> None:
        self.application = application

    def __call__(
        self, environ: "WSGIEnvironment", start_response: "StartResponse"
    ) -> Iterable[bytes]:
        """Serve one request; of a body that is too large no more is read than shows that."""
        if "chunked" in environ.get("HTTP_TRANSFER_ENCODING", "").lower():
            body = environ["wsgi.input"].read(settings.DATA_UPLOAD_MAX_MEMORY_SIZE + 1)
            environ |= {"wsgi.input": BytesIO(body), "CONTENT_LENGTH": str(len(body))}
        return self.application(environ, start_response)


os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
# Requests share a pool of connections that give a silent server up. Commands and the worker,
# whose statements may take their time, connect for themselves.
settings.DATABASES["default"]["OPTIONS"]["pool"] = POOL
application = ChunkedBodies(get_wsgi_application())
