"""What a WSGI server runs."""

import os

from django.conf import settings
from django.core.wsgi import get_wsgi_application

from core.postgresql.base import POOL
from core.proxies import ProxyMiddleware

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
# Requests share a pool of connections that give a silent server up. What else there is connects for
# itself: its statements may take their time.
settings.DATABASES["default"]["OPTIONS"]["pool"] = POOL
application = ProxyMiddleware(get_wsgi_application())
