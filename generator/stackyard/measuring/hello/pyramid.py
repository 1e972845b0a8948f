"""The least that Pyramid can do: the measure of what the service does beside it."""

from pyramid.config import Configurator
from pyramid.request import Request


def hello(_: Request) -> dict[str, str]:
    """Say hello."""
    return {"hello": "world"}


with Configurator() as config:
    config.add_route("hello", "/")
    config.add_view(hello, route_name="hello", renderer="json")
    app = config.make_wsgi_app()
