"""The Copier template: where it is, what it asks, and which answers it takes."""

from stackyard.template.questions import Choice, Question
from stackyard.template.template import Template

__all__ = ["Choice", "Question", "Template"]
