"""A catalogue of books: a reference service in Tornado."""
