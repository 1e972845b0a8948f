"""Commands of this service's own, for `manage.py`."""
