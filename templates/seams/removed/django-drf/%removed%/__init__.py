"""What is left of what there was: the history of its table."""
