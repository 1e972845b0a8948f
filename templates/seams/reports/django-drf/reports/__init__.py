"""Reports on the catalogue, which the worker computes."""
