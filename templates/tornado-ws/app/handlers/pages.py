"""What is for people: the catalogue live, and the API's documentation."""

import json

from app import pages, proxies
from app.handlers.base import BaseHandler


class PageHandler(BaseHandler):
    """A page of ours, or a file that it loads."""

    def get(self) -> None:
        """Show the page, or give the file."""
        content, headers = pages.read(self.request.path)
        for name, value in headers.items():
            self.set_header(name, value)
        self.write(content)


class DocumentHandler(BaseHandler):
    """`/openapi.json`."""

    def get(self) -> None:
        """Give the OpenAPI document."""
        document = proxies.described(self.settings["document"], self.prefix)
        self.answer(json.dumps(document).encode())
