"""Frameworks side by side: what is asked of each, where each answers it, and how much it takes."""
