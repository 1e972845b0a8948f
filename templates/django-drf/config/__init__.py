"""The project: its settings, its URLs, and what serves them."""
