"""Where browsers find the files of the admin site."""

from django.contrib.staticfiles.storage import StaticFilesStorage
from django.urls import get_script_prefix


class Storage(StaticFilesStorage):
    """Django's, which knows the prefix of the first request alone."""

    def url(self, name: str | None) -> str:
        """Return the path of a file, under the prefix that a proxy shows the service at."""
        return get_script_prefix().rstrip("/") + super().url(name)
