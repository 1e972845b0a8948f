"""What is left of the reports that there were: the history of their tables."""
