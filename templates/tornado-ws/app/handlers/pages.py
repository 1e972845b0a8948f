"""What is for people: the catalogue live, and the API's documentation."""

import json
from pathlib import Path

from app import csp, proxies
from app.handlers.base import BaseHandler

STATIC = Path(__file__).parents[1] / "static"


class PageHandler(BaseHandler):
    """A page of ours."""

    name: str

    def get(self) -> None:
        """Show the page."""
        page = (STATIC / self.name).read_text("utf-8")
        self.set_header("Content-Type", "text/html; charset=utf-8")
        self.set_header("Content-Security-Policy", csp.policy(page))
        self.write(page)


class HomeHandler(PageHandler):
    """`/`: the catalogue, and each change to it as it is made."""

    name = "index.html"


class DocsHandler(PageHandler):
    """`/docs`: the document in Swagger UI."""

    name = "docs.html"


class DocumentHandler(BaseHandler):
    """`/openapi.json`."""

    def get(self) -> None:
        """Give the OpenAPI document."""
        document = proxies.described(self.settings["document"], self.prefix)
        self.answer(json.dumps(document).encode())
