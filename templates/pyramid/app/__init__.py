"""A catalogue of books: a reference service in Pyramid."""

import gc
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
    application = ProxyMiddleware(config.make_wsgi_app())
    # What is loaded by now stays. Looking through it again and again, the collector would hold
    # requests up, for up to 80 ms; they make little garbage that only it finds.
    gc.freeze()
    gc.set_threshold(10_000, 50, 50)
    return application
