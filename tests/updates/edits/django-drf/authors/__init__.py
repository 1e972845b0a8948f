"""The authors of the catalogue."""
