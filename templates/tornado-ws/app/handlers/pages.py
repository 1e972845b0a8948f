"""What is for people: the catalogue live, and the API's documentation."""

from pathlib import Path

from app.handlers.base import BaseHandler

STATIC = Path(__file__).parents[1] / "static"


class HomeHandler(BaseHandler):
    """`/`."""

    def get(self) -> None:
        """Show the catalogue, and each change to it as it is made."""
        self.write((STATIC / "index.html").read_bytes())


class DocsHandler(BaseHandler):
    """`/docs`."""

    def get(self) -> None:
        """Show the document in Swagger UI."""
        self.write((STATIC / "docs.html").read_bytes())


class DocumentHandler(BaseHandler):
    """`/openapi.json`."""

    def get(self) -> None:
        """Give the OpenAPI document."""
        self.answer(self.settings["document"])
