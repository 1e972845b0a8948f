"""Faults: what is lost is what has to be, and what is back is used without a restart."""
