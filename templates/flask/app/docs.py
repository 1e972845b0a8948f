"""The page that shows people the OpenAPI document, which flask-smorest gives to programs."""

from pathlib import Path

from flask import Blueprint, Response

from app import csp

docs = Blueprint("docs", __name__)

PAGE = Path(__file__).with_name("docs.html").read_text()
HEADERS = {"Content-Security-Policy": csp.policy(PAGE)}


@docs.get("/docs")
def show_docs() -> Response:
    """Show the document in Swagger UI."""
    return Response(PAGE, headers=HEADERS, mimetype="text/html")
