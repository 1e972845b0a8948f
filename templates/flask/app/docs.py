"""The OpenAPI document, for programs and for people."""

from pathlib import Path

from flask import Blueprint, Response, jsonify, request

from app import csp
from app.extensions import api
from app.proxies import described

docs = Blueprint("docs", __name__)

PAGE = Path(__file__).with_name("docs.html").read_text("utf-8")
HEADERS = {"Content-Security-Policy": csp.policy(PAGE)}


@docs.get("/openapi.json")
def document() -> Response:
    """Give the document as JSON."""
    described_api = api.spec.to_dict()
    del described_api["tags"]  # which say nothing but the names that the operations have
    return jsonify(described(described_api, request.script_root))


@docs.get("/docs")
def show_docs() -> Response:
    """Show the document in Swagger UI."""
    return Response(PAGE, headers=HEADERS, mimetype="text/html")
