"""What the five services answer differently, and why: every difference that there is."""

DIFFERENCES: dict[str, str] = {}
"""The reason, by the name of the request. `stackyard compare` shows this table."""
