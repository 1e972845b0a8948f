"""Courses: exercises cut out of what the templates make, and what a learner does with them."""
