"""A catalogue of books: a reference service in Pyramid."""

from typing import TYPE_CHECKING, Any

from pyramid.config import Configurator

from app.logs import configure_logging
from app.settings import settings as environment

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication


def main(_global_config: dict[str, str], **settings: Any) -> "WSGIApplication":
    """Return the application; `settings` are Pyramid's own, on top of those set here."""
    # Not before: the worker and the migrations import this package too.
    from app.middleware import TWEENS
    from app.proxies import ProxyMiddleware

    production = environment.environment == "production"
    configure_logging(environment.log_level, readable=environment.environment == "development")
    defaults = {
        "pyramid.tweens": TWEENS,
        "pyramid_openapi3.enable_response_validation": not production,
    }
    with Configurator(settings=defaults | settings) as config:
        config.include(".db")
        config.include(".openapi")
        config.include(".policy")
        config.include(".renderers")
        config.include(".routes")
        config.include(".middleware")
        config.scan(".problems")
        config.scan(".views")
        return ProxyMiddleware(config.make_wsgi_app())
