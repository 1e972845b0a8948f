"""Lookups of our own."""

from django.db.models import CharField, Transform


@CharField.register_lookup
class UnicodeCase(Transform):
    """Has `author__unicode_case__iexact` and the like know case in whatever alphabet.

    That is Unicode's upper case, whatever the database's own locale: see `accounts.0002`.
    """

    lookup_name = "unicode_case"
    template = '(%(expressions)s COLLATE "unicode_case")'
    bilateral = True
