"""The URLs of users and books, and of what operators ask."""

from pyramid.config import Configurator

from app.resources import BookResource, Root


def includeme(config: Configurator) -> None:
    """Add the routes; they are tried in this order, so the busiest come first."""
    config.set_root_factory(Root)
    config.add_route("book", "/api/v1/books/{id}", factory=BookResource)
    config.add_route("books", "/api/v1/books")
    config.add_route("me", "/api/v1/users/me")
    config.add_route("users", "/api/v1/users")
    config.add_route("token", "/api/v1/auth/token")
    config.add_route("revoke", "/api/v1/auth/revoke")
    config.add_route("healthz", "/healthz")
    config.add_route("readyz", "/readyz")
    config.add_route("metrics", "/metrics")
