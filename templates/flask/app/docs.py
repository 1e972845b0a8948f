"""The OpenAPI document, for programs and for people."""

from flask import Blueprint, Response, jsonify, request

from app import pages
from app.extensions import api
from app.proxies import described

docs = Blueprint("docs", __name__)


@docs.get("/openapi.json")
def document() -> Response:
    """Give the document as JSON."""
    described_api = api.spec.to_dict()
    del described_api["tags"]  # which say nothing but the names that the operations have
    return jsonify(described(described_api, request.script_root))


def show() -> Response:
    """Show a page on the document, or give a file that it loads."""
    content, headers = pages.read(request.path)
    return Response(content, headers=headers)


for path in pages.FILES:
    docs.add_url_rule(path, view_func=show)
