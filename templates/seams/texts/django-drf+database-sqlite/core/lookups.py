"""Lookups of our own."""

from django.db.models import CharField, Transform


@CharField.register_lookup
class UnicodeCase(Transform):
    """Has `author__unicode_case` and the like know case in whatever alphabet.

    That is Unicode's upper case, by a function that `core/sqlite/connections.py` adds to each
    connection: SQLite's own knows ASCII alone.
    """

    lookup_name = "unicode_case"
    function = "unicode_upper"
    bilateral = True
